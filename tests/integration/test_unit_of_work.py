"""The unit of work on a real database: offsets, inbox, outbox, poison, zombies, outages (design §2, §3)."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Thread

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clock import DatabaseClock, FixedClock
from shared.contracts import dead_letters
from shared.offsets import FenceLost
from shared.postgres import Pool, acquired, close_pool
from shared.unit_of_work import Batch, Incoming, Outgoing, Transient, UnitOfWork
from tests.support.databases import Database
from tests.support.frame import PLACES, SERVICE, consuming, dead, next_offset, notes, waiting
from tests.support.notes import (
    ECHOES,
    NoteEchoed,
    NoteMade,
    PoisonError,
    Raw,
    Scribe,
    envelope,
    made,
)

pytestmark = pytest.mark.usefixtures("registered")


async def test_a_batch_moves_its_offset_with_its_effects(pool: Pool) -> None:
    consumption = await consuming(pool, Scribe())
    await consumption.process([made(0, "a"), made(1, "b"), made(0, "c", partition=1)])
    assert await notes(pool) == ["a", "b", "c"]
    assert await waiting(pool) == ["a", "b", "c"]
    assert [await next_offset(pool, place) for place in PLACES] == [2, 1, 0]


async def test_a_repeated_record_is_worked_once_wherever_it_comes_again(pool: Pool) -> None:
    """A relay that crashed after publishing says the same again, with the same id."""
    consumption = await consuming(pool, Scribe())
    await consumption.process([made(0, "a", id_="1"), made(1, "a", id_="1")])
    await consumption.process([made(2, "a", id_="1"), made(3, "b", id_="2")])
    assert await notes(pool) == ["a", "b"]
    assert await next_offset(pool, PLACES[0]) == 4


async def test_a_commit_whose_answer_was_lost_is_not_done_twice(pool: Pool) -> None:
    """The fence tells: the offset stands where this batch put it. Then it is reread, like a zombie's."""
    consumption = await consuming(pool, Scribe())
    await consumption.process([made(0, "a")])
    consumption.sought({PLACES[0]: 0})  # as if the commit's answer had not arrived
    with pytest.raises(FenceLost):
        await consumption.process([made(0, "a", id_="as if new")])
    assert await notes(pool) == ["a"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(
        st.sampled_from(["good", "poison", "rejected", "repeat", "repeat rejected", "bad", "unknown"]),
        max_size=24,
    ),
    cuts=st.lists(st.integers(min_value=1, max_value=8), min_size=1, max_size=24),
)
async def test_how_batches_are_cut_does_not_change_the_result(
    pool: Pool, kinds: list[str], cuts: list[int]
) -> None:
    """Tables, outbox, dead letters and offset are the same, whatever was taken together (design §3)."""
    records = []
    for offset, kind in enumerate(kinds):
        if kind == "bad":
            records.append(Raw(offset, b"?", ()))
        elif kind == "unknown":
            records.append(made(offset, "?", type_="note.invented"))
        elif kind == "repeat":
            records.append(made(offset, "good again", id_="the same"))
        elif kind == "repeat rejected":
            records.append(made(offset, "rejected", id_="the same that is rejected"))
        else:
            records.append(made(offset, kind if kind != "good" else f"good {offset}"))

    async def result(sizes: Sequence[int]) -> object:
        await pool.execute("TRUNCATE notes, outbox, inbox")
        await pool.execute("UPDATE offsets SET next_offset = 0")
        scribe = Scribe(poison={"poison"}, rejected={"rejected"})
        consumption = await consuming(pool, scribe, failures_in_a_row=1000)
        rest = records
        for size in sizes:
            await consumption.process(rest[:size])
            rest = rest[size:]
        await consumption.process(rest)
        letters = sorted(letter[dead_letters.ORIGINAL_OFFSET] for letter in await dead(pool))
        return await notes(pool), await waiting(pool), letters, await next_offset(pool, PLACES[0])

    assert await result(cuts) == await result([])


async def test_work_without_kafka_returns_what_it_returns(pool: Pool) -> None:
    work = UnitOfWork(pool, service="ingest")

    async def count(batch: Batch[NoteMade]) -> int:
        batch.publish(Outgoing(ECHOES, "acme/note", envelope("x", "note.echoed"), NoteEchoed(text="said")))
        found: int = await batch.connection.fetchval("SELECT count(*) FROM notes")
        return found

    assert await work.run(count) == 0
    assert await waiting(pool) == ["said"]


async def test_work_without_kafka_raises_what_went_wrong_and_leaves_nothing(pool: Pool) -> None:
    work = UnitOfWork(pool, service="ingest")
    incoming = Incoming(envelope("1"), NoteMade(text="x"))
    for scribe in (Scribe(poison={"x"}), Scribe(rejected={"x"})):
        with pytest.raises(PoisonError):
            await work.run(scribe, [incoming])
    assert await notes(pool) == []
    assert await waiting(pool) == []


async def test_work_for_each_returns_the_culprits_and_keeps_the_rest(pool: Pool) -> None:
    """What timers use: one that cannot be worked on does not hold up the others."""
    work = UnitOfWork(pool, service="ingest")
    incoming = [Incoming(envelope(str(number)), NoteMade(text=str(number))) for number in range(8)]
    culprits = await work.run_each(Scribe(poison={"3"}, rejected={"6"}), incoming)
    assert [culprit.incoming.message.text for culprit in culprits] == ["3", "6"]
    assert await notes(pool) == ["0", "1", "2", "4", "5", "7"]


async def test_patience_ends_for_somebody_who_waits(pool: Pool) -> None:
    async def away(batch: Batch[NoteMade]) -> None:
        raise Transient("away")

    with pytest.raises(Transient):
        await UnitOfWork(pool, service="ingest").run(away, patience=0.2)


async def test_a_closed_pool_is_reported_at_once(pool: Pool) -> None:
    await close_pool(pool)
    with pytest.raises(asyncpg.InterfaceError):
        await UnitOfWork(pool, service="ingest").run(Scribe(), patience=0.2)


async def test_processes_on_machines_with_different_clocks_agree_on_the_time(pool: Pool) -> None:
    """Or a lease of the one that is ahead would keep the others away for as long as it is ahead."""
    for ahead in (timedelta(hours=1), timedelta(hours=-1)):
        machine = FixedClock(datetime.now(UTC) + ahead)
        work = UnitOfWork(pool, service=SERVICE, clock=DatabaseClock(machine))
        before = await pool.fetchval("SELECT clock_timestamp()")
        async with work.begin() as batch:
            assert before <= batch.now <= await batch.connection.fetchval("SELECT clock_timestamp()")


async def test_work_that_is_committed_has_not_failed_when_its_connection_is_cut_afterwards(
    pool: Pool, database: Database
) -> None:
    async def cut(process: int) -> None:
        connection = await asyncpg.connect(database.dsn)
        await connection.execute("SELECT pg_terminate_backend($1, 5000)", process)
        await connection.close()

    async with acquired(pool) as connection:
        await connection.execute("INSERT INTO notes (text) VALUES ('kept')")
        # In a thread that this loop waits for: the connection must not see its end before it is given back.
        cutter = Thread(target=asyncio.run, args=(cut(connection.get_server_pid()),))
        cutter.start()
        cutter.join()
    assert await notes(pool) == ["kept"]
