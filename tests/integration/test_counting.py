"""Metrics tell of what was committed, however often it was begun again."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter

from shared.postgres import Pool
from shared.unit_of_work import Batch, Incoming, UnitOfWork
from tests.support.frame import SERVICE, consuming, notes, register
from tests.support.notes import NoteMade, Raw, Scribe, envelope, made

# What a sequence has given is not taken back: the first commit fails, as one of two that wait for each other.
FAILS_ONCE = """
CREATE SEQUENCE commits;
CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('commits') = 1 THEN
        RAISE EXCEPTION 'begin again' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON notes
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail_once();
"""


@pytest.fixture
def told() -> Counter:
    return Counter("notes", "Notes that were written down.", registry=CollectorRegistry())


def counting(told: Counter, scribe: Scribe) -> Callable[[Batch[NoteMade]], Awaitable[None]]:
    """A handler that counts each note before it writes it down."""

    async def handle(batch: Batch[NoteMade]) -> None:
        batch.count(*(told for _ in batch.records))
        await scribe(batch)

    return handle


def incoming(*texts: str) -> Sequence[Incoming[Any]]:
    return [Incoming(envelope(text), NoteMade(text=text)) for text in texts]


async def from_kafka(pool: Pool, handle: Callable[[Batch[Any]], Awaitable[None]]) -> None:
    await register(pool)
    consumption = await consuming(pool, handle)
    records: list[Raw] = [made(0, "a"), made(1, "b")]
    await consumption.process(records)


async def from_http(pool: Pool, handle: Callable[[Batch[Any]], Awaitable[None]]) -> None:
    await UnitOfWork(pool, service=SERVICE).run(handle, incoming("a", "b"))


async def from_timers(pool: Pool, handle: Callable[[Batch[Any]], Awaitable[None]]) -> None:
    assert await UnitOfWork(pool, service=SERVICE).run_each(handle, incoming("a", "b")) == []


@pytest.mark.parametrize("come", [from_kafka, from_http, from_timers])
async def test_a_commit_that_is_tried_again_counts_once(
    pool: Pool,
    told: Counter,
    come: Callable[[Pool, Callable[[Batch[Any]], Awaitable[None]]], Awaitable[None]],
) -> None:
    await pool.execute(FAILS_ONCE)
    scribe = Scribe()
    await come(pool, counting(told, scribe))
    assert (await notes(pool), scribe.calls) == (["a", "b"], [2, 2])
    assert told._value.get() == 2


async def test_what_is_taken_in_halves_counts_what_was_kept(pool: Pool, told: Counter) -> None:
    handle = counting(told, Scribe(poison={"c"}))
    culprits = await UnitOfWork(pool, service=SERVICE).run_each(handle, incoming("a", "b", "c", "d"))
    assert (len(culprits), await notes(pool), told._value.get()) == (1, ["a", "b", "d"], 3)
