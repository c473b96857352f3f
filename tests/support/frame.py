"""Fixtures and looks for tests of the frame: one service's schema with a table for notes."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from shared import offsets, outbox
from shared.consumption import Consumption
from shared.kafka import Consumers
from shared.offsets import Place
from shared.postgres import Pool, make_pool, opened, transaction
from shared.topics import Topic
from shared.unit_of_work import Handler, Refuse, Subscription, UnitOfWork
from tests.support.databases import Database
from tests.support.notes import ECHOES, NOTES, TABLE, NoteEchoed

SERVICE = "ingest"
CONSUMER = "ingest.notes"
Make = Callable[..., Consumers]
"""A handler and options, and consumers of notes come of it."""
PLACES = [Place(NOTES.name, partition) for partition in range(NOTES.partitions)]


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    """A pool on ingest's schema of this test's database, with a table of notes."""
    made = make_pool(database.dsn_of(SERVICE), schema=SERVICE, application="tests")
    async with opened(made) as pool:
        await pool.execute(TABLE)
        yield pool


async def notes(pool: Pool) -> list[str]:
    """The texts that were written down, in order."""
    return [row["text"] for row in await pool.fetch("SELECT text FROM notes ORDER BY position")]


async def waiting(pool: Pool, topic: str = ECHOES.name) -> list[str]:
    """The texts of the echoes in the outbox, in order."""
    rows = await pool.fetch("SELECT value FROM outbox WHERE topic = $1 ORDER BY id", topic)
    return [NoteEchoed.model_validate_json(row["value"]).text for row in rows]


async def dead(pool: Pool, topic: str = "ingest.dlq.v1") -> list[dict[str, bytes]]:
    """The dead letters in the outbox: their headers, and `value`."""
    rows = await pool.fetch("SELECT value, headers FROM outbox WHERE topic = $1 ORDER BY id", topic)
    return [{**dict(outbox.unpack_headers(row["headers"])), "value": row["value"]} for row in rows]


async def next_offset(pool: Pool, place: Place) -> int:
    """The consumer's stored offset."""
    async with transaction(pool) as connection:
        return (await offsets.stored(connection, CONSUMER, [place.topic]))[place]


async def stands(pool: Pool, topic: str, expected: int, *, partition: int = 0) -> bool:
    """Whether the consumer's stored offset of this partition is that."""
    return await next_offset(pool, Place(topic, partition)) == expected


async def register(pool: Pool, topic: str = NOTES.name) -> None:
    """Let the consumer begin at the beginning."""
    places = [Place(topic, partition) for partition in range(NOTES.partitions)]
    async with transaction(pool) as connection:
        await offsets.register(connection, CONSUMER, dict.fromkeys(places, 0))


@pytest.fixture
async def registered(pool: Pool) -> None:
    """The consumer begins at the beginning."""
    await register(pool)


async def consuming(
    pool: Pool,
    handle: Handler,
    *,
    topic: Topic = NOTES,
    inbox: bool = True,
    refuse: Refuse | None = None,
    **options: Any,
) -> Consumption:
    """A consumer of notes that has sought to what is stored, as after an assignment."""
    subscription = Subscription(topic, CONSUMER, handle, inbox=inbox, refuse=refuse)
    consumption = Consumption(UnitOfWork(pool, service=SERVICE), subscription, **options)
    await seek(pool, consumption)
    return consumption


async def seek(pool: Pool, consumption: Consumption) -> None:
    """Read on from what is stored."""
    async with transaction(pool) as connection:
        consumption.sought(await offsets.stored(connection, CONSUMER, [NOTES.name]))
