"""Whose partition it is, and from where on: zombies, failovers, what comes back (design §2)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.offsets import FenceLost
from shared.postgres import Pool
from shared.unit_of_work import Batch, Transient
from tests.support.frame import PLACES, consuming, next_offset, notes, seek
from tests.support.notes import (
    NoteMade,
    Scribe,
    made,
)
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("registered")


async def test_the_same_batch_twice_has_one_effect(pool: Pool) -> None:
    """Guarantee 2. After a lost assignment the offset is reread, and what stands before it is dropped."""
    batch = [made(0, "a"), made(1, "b")]
    consumption = await consuming(pool, Scribe())
    await consumption.process(batch)
    consumption.forget(PLACES)
    await consumption.process(batch)
    await seek(pool, consumption)
    await consumption.process(batch)
    assert await notes(pool) == ["a", "b"]


async def test_records_of_a_partition_that_was_not_sought_are_dropped(pool: Pool) -> None:
    consumption = await consuming(pool, Scribe())
    consumption.forget(PLACES)
    await consumption.process([made(0, "a")])
    assert await notes(pool) == []
    assert await next_offset(pool, PLACES[0]) == 0


async def test_a_zombie_after_a_rebalance_changes_nothing(pool: Pool) -> None:
    """Two workers believe that the partition is theirs (aiokafka #929)."""
    zombie, heir = await consuming(pool, Scribe()), await consuming(pool, Scribe())
    await heir.process([made(0, "a")])
    with pytest.raises(FenceLost):
        await zombie.process([made(0, "a"), made(1, "b")])
    assert await notes(pool) == ["a"]
    # What it reads on before it has sought again is dropped, or it would leave a gap.
    await zombie.process([made(2, "c")])
    assert await notes(pool) == ["a"]
    await seek(pool, zombie)
    await zombie.process([made(1, "b"), made(2, "c")])
    assert await notes(pool) == ["a", "b", "c"]


async def test_a_zombie_that_works_at_the_same_time_waits_and_loses(pool: Pool) -> None:
    consumptions = [await consuming(pool, Scribe()), await consuming(pool, Scribe())]
    batch = [made(offset, str(offset)) for offset in range(20)]
    results = await asyncio.gather(*(each.process(batch) for each in consumptions), return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["FenceLost", "NoneType"]
    assert await notes(pool) == [str(offset) for offset in range(20)]


async def test_a_batch_that_another_worker_did_meanwhile_is_dropped_although_its_partition_came_back(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits, the partition goes away and is assigned again: then the fence alone would let it through."""
    batch = [made(offset, str(offset)) for offset in range(3)]
    scribe, heir = Scribe(), await consuming(pool, Scribe(), inbox=False)
    outages = [Transient("away")]

    async def handle(one: Batch[NoteMade]) -> None:
        if outages:
            raise outages.pop()
        await scribe(one)

    zombie = await consuming(pool, handle, inbox=False)

    async def meanwhile(work: Callable[[], Awaitable[None]], **_: Any) -> None:
        try:
            await work()
        except Transient:
            await heir.process([*batch, made(3, "3")])
            zombie.forget(PLACES)
            await seek(pool, zombie)
            await work()

    monkeypatch.setattr("shared.consumption.outlast", meanwhile)
    with pytest.raises(FenceLost):
        await zombie.process(batch)
    assert scribe.calls == []
    assert await next_offset(pool, PLACES[0]) == 4


async def test_a_batch_is_dropped_when_records_before_it_are_to_be_done_again(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database loses its last commit in a failover while the next batch waits (design §2)."""
    consumption = await consuming(pool, Scribe(), inbox=False)
    await consumption.process([made(0, "lost"), made(1, "lost")])

    async def meanwhile(work: Callable[[], Awaitable[None]], **_: Any) -> None:
        await pool.execute("DELETE FROM notes")
        await pool.execute("UPDATE offsets SET next_offset = 0")
        consumption.forget(PLACES)
        await seek(pool, consumption)
        await work()

    with monkeypatch.context() as patched:
        patched.setattr("shared.consumption.outlast", meanwhile)
        with pytest.raises(FenceLost):
            await consumption.process([made(2, "c")])
    await seek(pool, consumption)
    await consumption.process([made(0, "a"), made(1, "b"), made(2, "c")])
    assert await notes(pool) == ["a", "b", "c"]


async def test_what_fails_before_it_is_worked_on_is_read_again(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka's client has moved on, so a position that was kept would pass over it (guarantee 1)."""
    consumption = await consuming(pool, Scribe())

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr("shared.consumption.decode_all", fail)
    with pytest.raises(RuntimeError):
        await consumption.process([made(0, "a")])
    assert PLACES[0] not in consumption.positions


async def test_it_is_idle_when_all_that_was_begun_has_ended(pool: Pool) -> None:
    """What was cancelled may still be at its end while the next consumer works."""
    goes_on = asyncio.Event()

    async def handle(batch: Batch[NoteMade]) -> None:
        await goes_on.wait()

    consumption = await consuming(pool, handle)
    before = asyncio.create_task(consumption.process([made(0, "a")]))
    await eventually(lambda: not consumption.idle)
    await consumption.process([])
    assert not consumption.idle
    assert consumption.busy_seconds is not None
    goes_on.set()
    await before
    assert consumption.idle
    assert consumption.busy_seconds is None
