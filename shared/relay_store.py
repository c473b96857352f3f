"""The relay's SQL: who leads, what waits, what was published."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import asyncpg

from shared import postgres
from shared.offsets import Place
from shared.outbox import unpack_headers

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

PAGE_BYTES = 16 * 1024 * 1024

_TRY_LEAD = "SELECT pg_try_advisory_lock(hashtextextended('mailroom.relay.' || current_schema(), 0))"

# The sum bounds what a page of large records takes in memory; its first row always comes.
_PAGE = """
SELECT id, topic, key, value, headers, partition
FROM (
    SELECT *, sum(size) OVER (ORDER BY id) - size AS bytes_before
    FROM (
        SELECT *, coalesce(octet_length(value), 0) AS size FROM outbox WHERE id > $1 ORDER BY id LIMIT $2
    ) AS lowest
) AS summed
WHERE bytes_before < $3
ORDER BY id
"""

_FORGET = """
WITH published AS (
    DELETE FROM outbox WHERE id = ANY($1::bigint[])
)
INSERT INTO relay_progress (topic, partition, last_offset)
SELECT * FROM unnest($2::text[], $3::int[], $4::bigint[])
ON CONFLICT (topic, partition) DO UPDATE SET last_offset = excluded.last_offset
"""

_PROGRESS = "SELECT topic, partition, last_offset FROM relay_progress"

_WAS_RECOVERED = "SELECT EXISTS (SELECT FROM said_before)"
_SAID_BEFORE = """
SELECT topic, source, id FROM said_before
JOIN unnest($1::text[], $2::text[], $3::text[]) AS asked (topic, source, id) USING (topic, source, id)
"""

# Two statements in this order: the second one's snapshot is younger than every id that the first one saw.
_LAST_ID = "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('outbox', 'id')::regclass), 0)"
_NEXT_TRANSACTION = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_OLDEST_RUNNING = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


class Waiting(NamedTuple):
    """A row of the outbox."""

    id: int
    topic: str
    key: bytes | None
    value: bytes | None
    headers: str
    partition: int | None


Page: TypeAlias = Sequence[Waiting]


def channel(service: str) -> str:
    """What `outbox.add` notifies."""
    return f"{service}_outbox"


async def try_lead(connection: Connection) -> bool:
    """Take the lock if it is free; it goes with the session."""
    return bool(await connection.fetchval(_TRY_LEAD))


async def page(connection: Connection, after: int, rows: int, size: int = PAGE_BYTES) -> Page:
    """The rows with the lowest ids that are visible: at most `rows`, and about `size` bytes of values."""
    return [Waiting(*row) for row in await connection.fetch(_PAGE, after, rows, size)]


async def was_recovered(connection: Connection) -> bool:
    """Whether there is anything that must not be said again."""
    return bool(await connection.fetchval(_WAS_RECOVERED))


async def not_said_before(connection: Connection, page: Page) -> Page:
    """The rows that the service did not say before its database was put back (`said_before`)."""
    names = [said_as(row.topic, unpack_headers(row.headers)) for row in page]
    before = {tuple(row) for row in await connection.fetch(_SAID_BEFORE, *postgres.columns(names, 3))}
    return [row for row, name in zip(page, names, strict=True) if name not in before]


def said_as(topic: str, headers: Iterable[tuple[str, bytes | None]]) -> tuple[str, str, str]:
    """What a record is told by, wherever it stands: its topic, `ce_source` and `ce_id`."""
    found = dict(headers)
    source, id_ = found.get("ce_source") or b"", found.get("ce_id") or b""
    return topic, source.decode("latin-1"), id_.decode("latin-1")


async def forget(connection: Connection, ids: Sequence[int], ends: Mapping[Place, int]) -> None:
    """Delete what was published and note the last offset per topic and partition, in one transaction."""
    await connection.execute(
        _FORGET,
        ids,
        [topic for topic, _ in ends],
        [partition for _, partition in ends],
        list(ends.values()),
    )


async def progress(connection: postgres.Connection) -> dict[Place, int]:
    """The last offset that was published and noted, per topic and partition."""
    rows = await connection.fetch(_PROGRESS)
    return {Place(row["topic"], row["partition"]): row["last_offset"] for row in rows}


async def horizon(connection: Connection) -> tuple[int, int]:
    """The last id given so far, and a transaction number that everyone who has such an id is below."""
    last = await connection.fetchval(_LAST_ID)
    return last, await connection.fetchval(_NEXT_TRANSACTION)


async def oldest_running(connection: Connection) -> int:
    """The lowest number of a transaction that has not ended."""
    found: int = await connection.fetchval(_OLDEST_RUNNING)
    return found
