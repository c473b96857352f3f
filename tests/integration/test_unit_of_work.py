"""The unit of work on a real database: offsets, inbox, outbox, poison, zombies, outages (design §2, §3)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clock import DatabaseClock, FixedClock
from shared.contracts import dead_letters
from shared.contracts.envelope import Envelope
from shared.decoding import Unknown, Unreadable
from shared.offsets import FenceLost
from shared.postgres import Pool, acquired, close_pool
from shared.unit_of_work import Batch, Incoming, Outgoing, Transient, UnitOfWork
from tests.support.databases import Database
from tests.support.frame import PLACES, SERVICE, consuming, dead, next_offset, notes, register, seek, waiting
from tests.support.notes import (
    ASKED_NOTES,
    ECHOES,
    NoteEchoed,
    NoteMade,
    PoisonError,
    Raw,
    Scribe,
    envelope,
    made,
)
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
async def registered(pool: Pool) -> None:
    await register(pool)


async def test_a_batch_moves_its_offset_with_its_effects(pool: Pool) -> None:
    consumption = await consuming(pool, Scribe())
    await consumption.process([made(0, "a"), made(1, "b"), made(0, "c", partition=1)])
    assert await notes(pool) == ["a", "b", "c"]
    assert await waiting(pool) == ["a", "b", "c"]
    assert [await next_offset(pool, place) for place in PLACES] == [2, 1, 0]


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


async def test_a_repeated_record_is_worked_once_wherever_it_comes_again(pool: Pool) -> None:
    """A relay that crashed after publishing says the same again, with the same id."""
    consumption = await consuming(pool, Scribe())
    await consumption.process([made(0, "a", id_="1"), made(1, "a", id_="1")])
    await consumption.process([made(2, "a", id_="1"), made(3, "b", id_="2")])
    assert await notes(pool) == ["a", "b"]
    assert await next_offset(pool, PLACES[0]) == 4


async def test_a_request_topic_works_a_repeat_again(pool: Pool) -> None:
    """Its handler finds the stored answer by the request's id (design §2)."""
    consumption = await consuming(pool, Scribe(), inbox=False)
    await consumption.process([made(0, "a", id_="1"), made(1, "a", id_="1")])
    assert await notes(pool) == ["a", "a"]


async def test_an_event_of_an_unknown_type_is_passed_over(pool: Pool) -> None:
    """An old version reads beside a new producer (design §3)."""
    consumption = await consuming(pool, Scribe())
    await consumption.process([made(0, "a", type_="note.invented"), made(1, "b")])
    assert await notes(pool) == ["b"]
    assert await dead(pool) == []
    assert await next_offset(pool, PLACES[0]) == 2


async def test_a_request_that_is_not_understood_is_refused(pool: Pool) -> None:
    def refuse(asked: Envelope, why: Unknown | Unreadable) -> Outgoing:
        return Outgoing(ECHOES, f"acme/{asked.id}", asked, NoteEchoed(text=why.detail))

    consumption = await consuming(pool, Scribe(), topic=ASKED_NOTES, inbox=False, refuse=refuse)
    wrong = Raw(1, b'{"text": 7}', tuple(envelope("wrong").to_headers()))
    await consumption.process([made(0, "a", type_="note.invented"), wrong, made(2, "b")])
    assert await waiting(pool) == [
        "b",
        "this version knows no 'note.invented'; it knows note.made, note.dropped",
        "text: Input should be a valid string",
    ]
    assert await dead(pool) == []


async def test_a_request_that_nobody_can_answer_is_refused_into_the_dead_letters(pool: Pool) -> None:
    """Not passed over like an event, although its topic has no answers (design §3)."""
    consumption = await consuming(pool, Scribe(), topic=ASKED_NOTES)
    unknown = made(0, "a", type_="note.invented")
    await consumption.process([unknown, made(1, "b")])
    assert await notes(pool) == ["b"]
    (letter,) = await dead(pool)
    assert letter["value"] == unknown.value
    assert letter["ce_type"] == b"note.invented"
    assert letter[dead_letters.EXCEPTION_MESSAGE] == (
        b"UnknownType: this version knows no 'note.invented'; it knows note.made, note.dropped"
    )


async def test_structured_mode_is_accepted_on_request_topics(pool: Pool) -> None:
    """CloudEvents 1.0.2, Kafka binding, structured content mode (design §4)."""
    body = (
        b'{"specversion":"1.0","id":"9","source":"them","type":"note.made","time":"2026-03-01T12:00:00Z",'
        b'"organisation":"acme","datacontenttype":"application/json","data":{"text":"structured"}}'
    )
    record = Raw(0, body, (("content-type", b"application/cloudevents+json; charset=UTF-8"),))

    consumption = await consuming(pool, Scribe(), topic=ASKED_NOTES)
    await consumption.process([record])
    assert await notes(pool) == ["structured"]


async def test_an_unknown_request_in_structured_mode_keeps_its_bytes(pool: Pool) -> None:
    body = (
        b'{"specversion":"1.0","id":"9","source":"them","type":"note.invented","time":"2026-03-01T12:00:00Z",'
        b'"organisation":"acme","data":{}}'
    )
    record = Raw(0, body, (("content-type", b"application/cloudevents+json"),))
    consumption = await consuming(pool, Scribe(), topic=ASKED_NOTES)
    await consumption.process([record])
    (letter,) = await dead(pool)
    assert letter["value"] == body
    assert b"note.invented" in letter[dead_letters.EXCEPTION_MESSAGE]


async def test_structured_mode_is_not_looked_for_among_events(pool: Pool) -> None:
    """Only our own services say what has happened, and they say it in binary mode (design §4)."""
    record = Raw(0, b"{}", (("content-type", b"application/cloudevents+json"),))
    consumption = await consuming(pool, Scribe())
    await consumption.process([record])
    (letter,) = await dead(pool)
    assert b"ce_specversion" in letter[dead_letters.EXCEPTION_MESSAGE]


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
