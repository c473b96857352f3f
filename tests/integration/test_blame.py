"""Whose fault it was, on a real database: poison, rejections, bugs, outages (design §3, guarantee 5)."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from shared import outbox
from shared.contracts import dead_letters
from shared.failure import SendersFault
from shared.postgres import Pool
from shared.unit_of_work import Batch, FamilyMoved, Outgoing, Transient
from tests.support.databases import Database
from tests.support.frame import CONSUMER, PLACES, consuming, dead, next_offset, notes, register, waiting
from tests.support.notes import (
    ECHOES,
    NOTES,
    NoteEchoed,
    NoteMade,
    Raw,
    Scribe,
    envelope,
    made,
)
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
async def registered(pool: Pool) -> None:
    await register(pool)


async def test_poison_costs_only_itself(pool: Pool) -> None:
    """Guarantee 5: the save fails, the batch is replayed in halves, the culprit stands alone."""
    scribe = Scribe(poison={"7", "12"})
    consumption = await consuming(pool, scribe)
    await consumption.process([made(offset, str(offset)) for offset in range(16)])
    assert await notes(pool) == [str(offset) for offset in range(16) if offset not in (7, 12)]
    assert [letter[dead_letters.ORIGINAL_OFFSET] for letter in await dead(pool)] == [
        (7).to_bytes(8),
        (12).to_bytes(8),
    ]
    assert await next_offset(pool, PLACES[0]) == 16


async def test_a_dead_letter_keeps_bytes_headers_and_reason(pool: Pool) -> None:
    record = made(5, "x", partition=2)
    consumption = await consuming(pool, Scribe(poison={"x"}))
    consumption.sought({PLACES[2]: 0})
    await consumption.process([record])
    (letter,) = await dead(pool)
    assert letter["value"] == record.value
    assert letter["ce_id"] == b"2/5"
    assert letter[dead_letters.ORIGINAL_TOPIC] == NOTES.name.encode()
    assert letter[dead_letters.ORIGINAL_PARTITION] == (2).to_bytes(4)
    assert letter[dead_letters.ORIGINAL_TIMESTAMP] == record.timestamp.to_bytes(8)
    assert letter[dead_letters.ORIGINAL_CONSUMER_GROUP] == CONSUMER.encode()
    assert letter[dead_letters.EXCEPTION_CLASS].endswith(b"PoisonError")
    assert letter[dead_letters.EXCEPTION_MESSAGE] == b"PoisonError: poison"
    assert b"notes.py" in letter[dead_letters.EXCEPTION_STACKTRACE]


async def test_a_record_that_a_handler_rejects_dies_alone_and_in_one_go(pool: Pool) -> None:
    scribe = Scribe(rejected={"b"})
    consumption = await consuming(pool, scribe)
    await consumption.process([made(0, "a"), made(1, "b"), made(2, "c")])
    assert await notes(pool) == ["a", "c"]
    assert len(await dead(pool)) == 1
    assert scribe.calls == [3]


async def test_a_rejected_record_that_is_put_back_is_no_repeat(pool: Pool) -> None:
    """Known is what had its effect: of two that are put back, one has it (guarantee 2)."""
    consumption = await consuming(pool, Scribe(rejected={"a"}))
    await consumption.process([made(0, "a", id_="1"), made(1, "b"), made(2, "a", id_="1")])
    assert (await notes(pool), len(await dead(pool))) == (["b"], 2)
    mended = await consuming(pool, Scribe())
    await mended.process([made(3, "a", id_="1"), made(4, "a", id_="1")])
    await mended.process([made(5, "a", id_="1"), made(6, "b", id_="0/1")])
    assert (await notes(pool), len(await dead(pool))) == (["b", "a"], 2)


async def test_a_record_cannot_be_rejected_for_what_passes_by_itself(pool: Pool) -> None:
    failures = [ConnectionResetError()]
    scribe = Scribe()

    async def careless(batch: Batch[NoteMade]) -> None:
        if failures:
            batch.reject(batch.records[0], failures.pop())
        await scribe(batch)

    consumption = await consuming(pool, careless)
    await consumption.process([made(0, "a")])
    assert await notes(pool) == ["a"]
    assert await dead(pool) == []


async def test_an_unreadable_record_goes_to_the_dead_letters_alone(pool: Pool) -> None:
    bad_headers = Raw(1, b"{}", (("ce_id", b"\xff\xfe"),))
    bad_value = Raw(2, b"{nonsense", tuple(envelope("2").to_headers()))
    consumption = await consuming(pool, Scribe())
    await consumption.process([made(0, "a"), bad_headers, bad_value, made(3, "b")])
    assert await notes(pool) == ["a", "b"]
    assert [letter["value"] for letter in await dead(pool)] == [b"{}", b"{nonsense"]


@pytest.mark.parametrize(
    "error", [Transient("blob store away"), FamilyMoved(), ConnectionResetError(), TimeoutError()]
)
async def test_what_passes_by_itself_blames_nobody(pool: Pool, error: Exception) -> None:
    scribe = Scribe()
    troubles: list[str | None] = []

    async def flaky(batch: Batch[NoteMade]) -> None:
        await scribe(batch)
        if len(scribe.calls) < 3:
            raise error
        troubles.append(consumption.not_ready())

    consumption = await consuming(pool, flaky)
    await consumption.process([made(0, "a"), made(1, "b")])
    assert await notes(pool) == ["a", "b"]
    assert await dead(pool) == []
    assert scribe.calls == [2, 2, 2]
    assert type(error).__name__ in (troubles[0] or "")
    assert consumption.not_ready() is None


async def test_a_killed_connection_is_waited_out(pool: Pool, database: Database) -> None:
    """An administrator ends the session in the middle of a batch (SQLSTATE 57P01)."""
    scribe = Scribe()

    async def killed_once(batch: Batch[NoteMade]) -> None:
        await scribe(batch)
        if len(scribe.calls) == 1:
            pid = await batch.connection.fetchval("SELECT pg_backend_pid()")
            admin = await asyncpg.connect(database.dsn)
            await admin.execute("SELECT pg_terminate_backend($1)", pid)
            await admin.close()

    consumption = await consuming(pool, killed_once)
    await consumption.process([made(0, "a"), made(1, "b")])
    assert await notes(pool) == ["a", "b"]
    assert await dead(pool) == []


async def test_many_failures_in_a_row_are_probed_instead_of_emptying_the_topic(pool: Pool) -> None:
    """A deployed bug: past the limit one record at a time is risked, until one succeeds."""
    scribe = Scribe(poison={str(offset) for offset in range(8)})
    consumption = await consuming(pool, scribe, failures_in_a_row=5, probe_seconds=0.001)
    await consumption.process([made(offset, str(offset)) for offset in range(20)])
    assert await notes(pool) == [str(offset) for offset in range(8, 20)]
    assert len(await dead(pool)) == 8
    # The probes are single records; the one that succeeds lets the rest through together again.
    assert scribe.calls[-1] > 1
    assert consumption.not_ready() is None


async def test_many_rejections_in_a_row_stop_the_batch_where_the_limit_is(pool: Pool) -> None:
    scribe = Scribe(rejected={str(offset) for offset in range(2, 18)})
    consumption = await consuming(pool, scribe, failures_in_a_row=5, probe_seconds=3600.0)
    working = asyncio.create_task(consumption.process([made(offset, str(offset)) for offset in range(20)]))
    await eventually(lambda: "only probes one" in (consumption.not_ready() or ""))
    assert await notes(pool) == ["0", "1"]
    assert len(await dead(pool)) == 5
    assert await next_offset(pool, PLACES[0]) == 7
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_what_is_its_senders_fault_is_no_sign_of_a_bug(pool: Pool) -> None:
    """However many there are, those behind them do not wait."""

    async def handle(batch: Batch[NoteMade]) -> None:
        for incoming in batch.records[:-1]:
            batch.reject(incoming, SendersFault("there is no such thing"))
        await Scribe()(replace(batch, records=batch.records[-1:]))

    consumption = await consuming(pool, handle, failures_in_a_row=5, probe_seconds=3600.0)
    await consumption.process([made(offset, str(offset)) for offset in range(20)])
    assert len(await dead(pool)) == 19
    assert await notes(pool) == ["19"]


async def test_a_record_too_large_for_kafka_costs_its_cause(pool: Pool) -> None:
    """Found by the relay it would stop everything behind it."""

    async def boast(batch: Batch[NoteMade]) -> None:
        for incoming in batch.records:
            size = outbox.MAX_RECORD_BYTES if incoming.message.text == "big" else 1
            batch.publish(
                Outgoing(ECHOES, "acme/note", envelope("x", "note.echoed"), NoteEchoed(text="x" * size))
            )

    consumption = await consuming(pool, boast)
    await consumption.process([made(0, "small"), made(1, "big"), made(2, "small")])
    assert len(await waiting(pool)) == 2
    assert len(await dead(pool)) == 1
