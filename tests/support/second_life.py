"""An office whose database is lost: what it had read and said by then, for another one to be caught up with.

Real tables, and records in memory in place of topics, so that a loss can come between any two of them.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from deploy.local.endpoints import Endpoints
from services.activity.recover import recover
from shared.contracts.record import Record
from shared.decoding import Incoming
from shared.kafka_access import KafkaAccess
from shared.offsets import Place
from shared.outbox import unpack_headers
from shared.postgres import make_pool, opened, transaction
from shared.recovery import Past, Said, said_of
from shared.topics import ACTIVITY_REQUESTS, INGEST_MAILS, NOTIFY_MAILS, TOPICS, Topic
from tests.support.databases import empty, fresh_database
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
        self.read += [each for each in records if type(each.message) in _READ]

    async def published(self) -> list[Said]:
        """What it has said, in the order in which its relay publishes it."""
        rows = await self.pool.fetch("SELECT topic, key, value, headers FROM outbox ORDER BY id")
        return [_said(row, offset) for offset, row in enumerate(rows)]

    async def forget(self) -> None:
        """Nothing has happened yet: as after a restore to a backup of that time."""
        connection = await asyncpg.connect(self.administrator)
        try:
            # The service itself may not touch its history.
            names = (*await _names(self), "outbox", "said_before")
            await empty(connection, [f"activity.{name}" for name in names])
        finally:
            await connection.close()

    async def begin_again(self, at: datetime) -> None:
        """Nothing has happened or been read yet, and it is `at`."""
        await self.forget()
        self.clock.set(at)
        self.read.clear()

    async def count_like(self, other: "Diary") -> None:
        """Go on with the number that another office goes on with: some may have been given to nobody."""
        for number in await other.pool.fetch("SELECT * FROM reference_counters"):
            taken = await self.pool.fetchval(
                "SELECT next_number FROM reference_counters WHERE organisation = $1", number["organisation"]
            )
            assert (taken or 0) <= number["next_number"]
            await self.pool.execute(
                "DELETE FROM reference_counters WHERE organisation = $1", number["organisation"]
            )
            await self.pool.execute("INSERT INTO reference_counters VALUES ($1, $2)", *number)


@dataclass(frozen=True)
class _Remembered(Past):
    """A past whose topics are in memory."""

    read: Sequence[Incoming[Any]] = ()
    left: dict[Topic, int] = field(default_factory=dict)
    """Per topic how many of its records are not to be read again."""

    async def waiting(self, topic: Topic, consumer: str) -> list[Said]:
        return [
            Said(topic, Place(topic.name, 0), offset, ("", "", ""), b"", each.envelope, each.message)
            for offset, each in enumerate(self._of(topic))
        ]

    async def pass_over(self, consumer: str, done: Iterable[Said]) -> int:
        for each in done:
            self.left[each.topic] = each.offset + 1
        return len(self.left)

    def rest(self) -> list[Incoming[Any]]:
        """What consumers read once they start again."""
        return [each for topic in set(_READ.values()) for each in self._of(topic)[self.left.get(topic, 0) :]]

    def _of(self, topic: Topic) -> list[Incoming[Any]]:
        return [each for each in self.read if _READ[type(each.message)] is topic]


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
    """Catch an office's database up, as `mailroom recover` does, with what was said and read since.

    Then it reads on, where its consumers are to begin.
    """
    # Between keys a topic has no order: here one key comes after the other.
    apart = sorted(said, key=lambda each: ((each.envelope and each.envelope.partitionkey) or "", each.offset))
    async with transaction(office.pool) as connection:
        past = _Remembered(connection, "activity", KafkaAccess(""), "", apart, read=read)
        told = await recover(past)
    await office.take_in(*past.rest())
    return told


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
    return said_of(topic, Raw(offset, row["value"], headers, key=row["key"], topic=topic.name))
