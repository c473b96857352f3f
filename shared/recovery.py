"""Catching a schema up that was put back to an earlier moment (design §2).

Its topics know what its service has said since. That is read back: each service makes of it what it can, in
one transaction (`services/<name>/recover.py`), and what is worked over again is not said again
(`said_before`).
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from shared import offsets, relay_store, topic_plan
from shared.contracts.envelope import Envelope
from shared.contracts.record import Record
from shared.decoding import Incoming, decode
from shared.failure import RawRecord
from shared.kafka_access import KafkaAccess
from shared.migrations import role_of
from shared.offsets import Place
from shared.onlooker import onlooker, pages
from shared.postgres import ACQUIRE_SECONDS, columns, prepare_connection
from shared.relay_history import is_ours
from shared.topics import FOREVER, TOPICS, Topic

_PAGE_RECORDS = 1000
_SESSIONS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1
"""
_NOTE_SAID = """
INSERT INTO said_before (topic, source, id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING
"""
# A record can come again for as long as topics keep the cause of it.
_FORGET_OLD = "DELETE FROM said_before WHERE noted_at < now() - interval '93 days'"
_MOVE = """
UPDATE offsets SET next_offset = done.end, moved_at = now()
FROM unnest($2::text[], $3::int[], $4::bigint[]) AS done (topic, partition, "end")
WHERE consumer = $1 AND offsets.topic = done.topic AND offsets.partition = done.partition
  AND next_offset < done.end
"""


class RecoveryRefused(Exception):
    """The schema cannot be caught up as it is. The message is a sentence that says what to do."""


class _DryRun(Exception):
    """Ends the transaction without its effect."""


@dataclass(frozen=True, slots=True)
class Said:
    """A record as it stands in a topic. What this version does not know has no envelope and no message.

    A tombstone has its envelope, and no message.
    """

    topic: Topic
    place: Place
    offset: int
    name: tuple[str, str, str]
    """Topic, `ce_source` and `ce_id`."""
    value: bytes
    envelope: Envelope | None
    message: Record | None

    @property
    def incoming(self) -> Incoming[Any]:
        assert self.envelope is not None
        assert self.message is not None
        return Incoming(self.envelope, self.message)


@dataclass(frozen=True, slots=True)
class Past:
    """What a service said after the moment that its schema was put back to, oldest first per partition.

    `connection` is in the transaction that all is done in, as the service's role.
    """

    connection: "asyncpg.Connection[asyncpg.Record]"
    service: str
    kafka: KafkaAccess
    prefix: str
    said: Sequence[Said]

    async def waiting(self, topic: Topic, consumer: str) -> list[Said]:
        """What a consumer would read again: from its offset in the schema on. Raises `RecoveryRefused`."""
        stored = await offsets.stored(self.connection, consumer, [self.prefix + topic.name])
        return await _read(self.kafka, self.prefix, stored)

    async def pass_over(self, consumer: str, done: Iterable[Said]) -> int:
        """Let a consumer begin behind the last of these in each partition; how many partitions they are."""
        ends: dict[Place, int] = {}
        for each in done:
            ends[each.place] = max(ends.get(each.place, 0), each.offset + 1)
        rows = [(place.topic, place.partition, end) for place, end in ends.items()]
        await self.connection.execute(_MOVE, consumer, *columns(rows, 3))
        return len(ends)


Recover = Callable[[Past], Awaitable[Sequence[str]]]
"""What a service does to catch up; it says in sentences what it did."""


async def catch_up(
    dsn: str, service: str, kafka: KafkaAccess, prefix: str, recover: Recover, *, dry_run: bool
) -> list[str]:
    """Catch one schema up, whole or not at all; what was done, in sentences.

    `dsn` is of a role that may act as the service's. May be run again: then there is nothing to do. Raises
    `RecoveryRefused`.
    """
    connection = await asyncpg.connect(
        dsn, timeout=ACQUIRE_SECONDS, server_settings={"search_path": service, "timezone": "UTC"}
    )
    try:
        await prepare_connection(connection)
        role = role_of(service)
        sessions = await connection.fetchval(_SESSIONS, role)
        # Whoever leads publishes: a process that starts meanwhile waits for this lock.
        if sessions or not await relay_store.try_lead(connection):
            raise RecoveryRefused(
                f"{service} is running ({sessions} sessions): stop all its processes first."
            )
        await connection.execute(f"SET ROLE {role}")
        told: list[str] = []
        try:
            async with connection.transaction():
                told += await _catch_up(connection, service, kafka, prefix, recover)
                await connection.execute(f"COMMENT ON SCHEMA {service} IS NULL")
                if dry_run:
                    raise _DryRun
        except _DryRun:
            told.append("nothing was changed: this was a dry run")
        return told
    finally:
        await connection.close(timeout=ACQUIRE_SECONDS)


async def _catch_up(
    connection: "asyncpg.Connection[asyncpg.Record]",
    service: str,
    kafka: KafkaAccess,
    prefix: str,
    recover: Recover,
) -> list[str]:
    own = [prefix + topic.name for topic in TOPICS if topic.producer == service]
    noted = await relay_store.progress(connection)
    async with topic_plan.connected(kafka) as cluster:
        starts = {place: noted.get(place, -1) + 1 for place in await cluster.places(own)}
    found = await _read(kafka, prefix, starts, only_from=service)
    if not found:
        return ["knows all that it has said"]
    said = await recover(Past(connection, service, kafka, prefix, found))
    await connection.execute(_FORGET_OLD)
    await connection.execute(_NOTE_SAID, *columns([each.name for each in found], 3))
    ends: dict[Place, int] = {}
    for each in found:
        ends[each.place] = max(ends.get(each.place, 0), each.offset)
    await relay_store.forget(connection, [], ends)
    return [f"had said {_counted(found)} that its schema did not know", *said]


async def _read(
    kafka: KafkaAccess, prefix: str, starts: Mapping[Place, int], only_from: str | None = None
) -> list[Said]:
    """All records from these offsets to the end, in order per partition. Raises `RecoveryRefused`."""
    topics = {prefix + topic.name: topic for topic in TOPICS}
    found: list[Said] = []
    async with onlooker(kafka) as consumer:
        wanted = {TopicPartition(*place): start for place, start in starts.items()}
        begin, end = await consumer.beginning_offsets(wanted), await consumer.end_offsets(wanted)
        for tp, start in wanted.items():
            if begin[tp] > start and start > 0 and topics[tp.topic].retention is not FOREVER:
                raise RecoveryRefused(
                    f"{tp.topic}/{tp.partition} begins at {begin[tp]}, the schema knows it up to {start}: "
                    "what stood between is gone from Kafka. Restore a newer backup."
                )
        standing = {tp: max(start, begin[tp]) for tp, start in wanted.items()}
        async for page in pages(consumer, standing, end, _PAGE_RECORDS):
            found += [
                said_of(topics[record.topic], record)
                for record in page
                if only_from is None or is_ours(record, only_from)
            ]
    return found


def said_of(topic: Topic, record: RawRecord) -> Said:
    """What a record of a topic says."""
    decoded = decode(record, topic.models, structured=topic.requests)
    known = isinstance(decoded, Incoming) and topic.records is not None
    tombstone = topic.compacted and record.value is None
    return Said(
        topic=topic,
        place=Place(record.topic, record.partition),
        offset=record.offset,
        name=relay_store.said_as(record.topic, record.headers),
        value=record.value or b"",
        envelope=decoded.envelope if known or (tombstone and decoded.envelope) else None,
        message=decoded.message if isinstance(decoded, Incoming) and known else None,
    )


def _counted(found: Iterable[Said]) -> str:
    numbers: dict[str, int] = defaultdict(int)
    for each in found:
        numbers[each.topic.name] += 1
    return ", ".join(f"{number} records on {name}" for name, number in sorted(numbers.items()))
