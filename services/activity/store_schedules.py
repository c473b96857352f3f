"""When schedules come next: the table, and how processes share what has come (CA-1)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from shared.postgres import Connection, columns


class ScheduleKey(NamedTuple):
    """A schedule of a process of an organisation."""

    organisation: str
    process: str
    name: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A schedule as it stands in its table: what its times follow from, and the next one."""

    key: ScheduleKey
    cron: str
    time_zone: str
    next_at: datetime

    @property
    def row(self) -> tuple[str, str, str, str, str, datetime]:
        return (*self.key, self.cron, self.time_zone, self.next_at)


_OF_ORGANISATION = """
SELECT organisation, process, name, cron, time_zone, next_at FROM schedules WHERE organisation = $1
ORDER BY process, name FOR UPDATE
"""
_REMOVE = """
DELETE FROM schedules
WHERE (organisation, process, name) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
"""
_PUT = """
INSERT INTO schedules (organisation, process, name, cron, time_zone, next_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
ON CONFLICT (organisation, process, name) DO UPDATE
SET cron = excluded.cron, time_zone = excluded.time_zone, next_at = excluded.next_at
"""
_DUE = """
SELECT organisation, process, name, cron, time_zone, next_at FROM schedules
WHERE next_at <= $1
  AND (organisation, process, name) NOT IN (SELECT * FROM unnest($2::text[], $3::text[], $4::text[]))
ORDER BY next_at, organisation, process, name LIMIT $5
"""
# Whoever has a row lets its time come; others pass it over, and find it moved on.
_CLAIM = """
SELECT organisation, process, name FROM schedules
WHERE (organisation, process, name, next_at)
    IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]))
FOR UPDATE SKIP LOCKED
"""
_ADVANCE = """
UPDATE schedules SET next_at = new.next_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
    AS new (organisation, process, name, next_at)
WHERE (schedules.organisation, schedules.process, schedules.name) = (new.organisation, new.process, new.name)
"""
_OLDEST = "SELECT min(next_at) FROM schedules WHERE next_at <= $1"


async def of_organisation(connection: Connection, organisation: str) -> list[Planned]:
    """The schedules of an organisation; nobody else changes them until this transaction ends."""
    return [_planned(row) for row in await connection.fetch(_OF_ORGANISATION, organisation)]


async def replace(connection: Connection, gone: Collection[ScheduleKey], come: Iterable[Planned]) -> None:
    """Take schedules away, and put others there, or in the place of their former selves."""
    if gone:
        await connection.execute(_REMOVE, *columns(sorted(gone), 3))
    rows = sorted(each.row for each in come)
    if rows:
        await connection.execute(_PUT, *columns(rows, 6))


async def due(
    connection: Connection, now: datetime, limit: int, besides: Collection[ScheduleKey] = ()
) -> list[Planned]:
    """Schedules whose next time has come, the longest ago first, but for some. Locks nothing."""
    rows = await connection.fetch(_DUE, now, *columns(list(besides), 3), limit)
    return [_planned(row) for row in rows]


async def claim(connection: Connection, wanted: Collection[tuple[ScheduleKey, datetime]]) -> set[ScheduleKey]:
    """Of these those that still come next at these times and that nobody else works on: ours until commit."""
    rows = await connection.fetch(_CLAIM, *columns([(*key, next_at) for key, next_at in wanted], 4))
    return {ScheduleKey(*row) for row in rows}


async def advance(connection: Connection, following: Collection[tuple[ScheduleKey, datetime]]) -> None:
    """Let schedules that were claimed come next at these times."""
    await connection.execute(_ADVANCE, *columns([(*key, next_at) for key, next_at in following], 4))


async def oldest(connection: Connection, now: datetime) -> datetime | None:
    """Since when the oldest time that has come waits."""
    found: datetime | None = await connection.fetchval(_OLDEST, now)
    return found


def _planned(row: Any) -> Planned:
    organisation, process, name, cron, time_zone, next_at = row
    return Planned(ScheduleKey(organisation, process, name), cron, time_zone, next_at)
