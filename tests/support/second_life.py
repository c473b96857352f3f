"""An office whose database is lost: what it had read and said by then, for another one to be caught up with.

Real tables, and records in memory in place of topics, so that a loss can come between any two of them.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from deploy.local.endpoints import Endpoints
from services.activity.recover import recover
from shared.contracts.record import Record
from shared.decoding import Incoming, decode
from shared.offsets import Place
from shared.outbox import unpack_headers
from shared.postgres import make_pool, opened, transaction
from shared.recovery import Past, Said
from shared.relay_store import said_as
from shared.topics import ACTIVITY_REQUESTS, INGEST_MAILS, NOTIFY_MAILS, TOPICS, Topic
from tests.support.databases import fresh_database
from tests.support.notes import Raw
from tests.support.office import Office

_READ: Mapping[type[Record], Topic] = {
    model: topic
    for topic in (INGEST_MAILS, NOTIFY_MAILS, ACTIVITY_REQUESTS)
    for model in topic.models.values()
}
_OF_THE_FRAME = ("outbox", "offsets", "schema_migrations", "said_before", "relay_progress")


@dataclass
class Diary(Office):
    """An office that remembers which records it has read. What comes over HTTP is in no topic."""

    read: list[Incoming[Any]] = field(default_factory=list)
    administrator: str = ""

    async def take_in(self, *records: Incoming[Any]) -> None:
        await super().take_in(*records)
        self.read += records

    async def published(self) -> list[Said]:
        """What it has said, in the order in which its relay publishes it."""
        rows = await self.pool.fetch("SELECT topic, key, value, headers FROM outbox ORDER BY id")
        return [_said(row, offset) for offset, row in enumerate(rows)]

    async def forget(self) -> None:
        """Nothing has happened yet: as after a restore to a backup of that time."""
        connection = await asyncpg.connect(self.administrator)
        try:
            # The service itself may not touch its history.
            names = ", ".join(f"activity.{name}" for name in await _names(self))
            await connection.execute(f"TRUNCATE {names}, activity.outbox, activity.said_before")
        finally:
            await connection.close()


@dataclass(frozen=True)
class _Remembered(Past):
    """A past whose topics are in memory."""

    read: Sequence[Incoming[Any]] = ()

    async def waiting(self, topic: Topic, consumer: str) -> list[Said]:
        return [
            Said(topic, Place(topic.name, 0), offset, ("", "", ""), b"", each.envelope, each.message)
            for offset, each in enumerate(self.read)
            if _READ[type(each.message)] is topic
        ]

    async def pass_over(self, consumer: str, done: Iterable[Said]) -> int:
        return 0


@asynccontextmanager
async def another_office(stack: Endpoints, template: str) -> AsyncIterator[Diary]:
    """An office with a database of its own, and the same configuration."""
    async with fresh_database(stack, template) as fresh:
        pool = make_pool(fresh.dsn_of("activity"), schema="activity", application="tests")
        async with opened(pool):
            office = Diary(pool, administrator=fresh.dsn)
            await office.configure()
            yield office


async def catch_up(office: Office, said: Sequence[Said], read: Sequence[Incoming[Any]]) -> Sequence[str]:
    """Catch an office's database up, as `mailroom recover` does, with what was said and read since."""
    # Between keys a topic has no order: here one key comes after the other.
    apart = sorted(said, key=lambda each: ((each.envelope and each.envelope.partitionkey) or "", each.offset))
    async with transaction(office.pool) as connection:
        return await recover(_Remembered(connection, "activity", "", "", apart, read=read))


async def tables(office: Office, *but: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of the service; `but` are columns, as `table.column`, that are left out."""
    found = {}
    for name in await _names(office):
        rows = [dict(row) for row in await office.pool.fetch(f"SELECT * FROM {name}")]
        for row in rows:
            for column in [each for each in row if f"{name}.{each}" in but]:
                del row[column]
        found[name] = sorted(rows, key=str)
    return {name: rows for name, rows in found.items() if f"{name}.*" not in but}


async def _names(office: Office) -> list[str]:
    rows = await office.pool.fetch(
        """SELECT tablename FROM pg_tables WHERE schemaname = 'activity' AND tablename <> ALL ($1::text[])
        AND tablename NOT LIKE 'inbox%' AND tablename NOT LIKE 'organisation%'""",
        list(_OF_THE_FRAME),
    )
    return [row["tablename"] for row in rows]


def _said(row: Any, offset: int) -> Said:
    topic = next(each for each in TOPICS if each.name == row["topic"])
    headers = tuple(unpack_headers(row["headers"]))
    raw = Raw(offset, row["value"], headers, key=row["key"], topic=topic.name)
    decoded = decode(raw, topic.models, structured=topic.requests)
    known = decoded if isinstance(decoded, Incoming) else None
    return Said(
        topic,
        Place(topic.name, 0),
        offset,
        said_as(topic.name, headers),
        raw.value or b"",
        known and known.envelope,
        known and known.message,
    )
