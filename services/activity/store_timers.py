"""Timers that are due, and how far the mailboxes have been read (design §5)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from services.activity.store_rows import Key
from shared.organisation import Organisation
from shared.postgres import Connection, columns


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer as it stands in its table."""

    organisation: str
    activity: UUID
    generation: int
    due_at: datetime


# A timer that closes something waits until every partition has told that its mailbox was read past the due
# time: by then an answer that lay in the mailbox has been worked on and the timer is gone. A mailbox that
# the configuration no longer has can bring no answer, so nobody waits for it.
_MAY_FIRE = """
    (timers.mailbox IS NULL
    OR NOT EXISTS (
        SELECT FROM unnest($2::text[], $3::text[]) AS read (organisation, mailbox)
        WHERE read.organisation = timers.organisation AND read.mailbox = timers.mailbox)
    OR (SELECT count(*) FROM polled_mailboxes AS polled
        WHERE polled.organisation = timers.organisation AND polled.mailbox = timers.mailbox
          AND polled.until >= timers.due_at) >= $4)
"""
_DUE = f"""
SELECT organisation, activity, generation, due_at FROM timers
WHERE due_at <= $1 AND {_MAY_FIRE} AND activity <> ALL ($5::uuid[])
ORDER BY due_at, organisation, activity LIMIT $6
"""  # noqa: S608 - our own condition
_OLDEST = f"""
SELECT min(due_at) FILTER (WHERE {_MAY_FIRE}) AS ready, min(due_at) FILTER (WHERE NOT {_MAY_FIRE}) AS held
FROM timers WHERE due_at <= $1
"""  # noqa: S608 - our own condition
_REREAD = f"""
SELECT organisation, activity, generation, due_at FROM timers
JOIN unnest($5::text[], $6::uuid[]) AS asked (organisation, activity) USING (organisation, activity)
WHERE due_at <= $1 AND {_MAY_FIRE}
ORDER BY due_at, organisation, activity
"""  # noqa: S608 - our own condition
_NOTE_POLLED = """
INSERT INTO polled_mailboxes AS known (organisation, mailbox, partition, until)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[])
ON CONFLICT (organisation, mailbox, partition) DO UPDATE SET until = excluded.until
WHERE known.until < excluded.until
"""


@dataclass(frozen=True, slots=True)
class Horizon:
    """What a timer is measured by: the time, the mailboxes that are read, and in how many partitions."""

    now: datetime
    mailboxes: tuple[tuple[str, str], ...]
    partitions: int

    @classmethod
    def of(cls, organisations: Iterable[Organisation], now: datetime, partitions: int) -> Self:
        """With all mailboxes of these organisations."""
        read = tuple((each.name, mailbox.name) for each in organisations for mailbox in each.mailboxes)
        return cls(now, read, partitions)

    @property
    def parameters(self) -> tuple[object, ...]:
        return (self.now, *columns(self.mailboxes, 2), self.partitions)


@dataclass(frozen=True, slots=True)
class Oldest:
    """Since when the oldest due timers wait: for their turn, and for their mailbox to be read."""

    ready: datetime | None
    held: datetime | None


async def oldest(connection: Connection, horizon: Horizon) -> Oldest:
    """The timers that are due and have not fired."""
    row = await connection.fetchrow(_OLDEST, *horizon.parameters)
    assert row is not None, "an aggregate has a row"
    return Oldest(row["ready"], row["held"])


async def due(
    connection: Connection, horizon: Horizon, limit: int, besides: Collection[UUID] = ()
) -> list[DueTimer]:
    """Timers that may fire, the longest overdue first, but for those of some activities. Locks nothing."""
    rows = await connection.fetch(_DUE, *horizon.parameters, list(besides), limit)
    return [DueTimer(*row) for row in rows]


async def reread(connection: Connection, horizon: Horizon, activities: Collection[Key]) -> list[DueTimer]:
    """The timers of these activities that may still fire, once their families are locked."""
    rows = await connection.fetch(_REREAD, *horizon.parameters, *columns(activities, 2))
    return [DueTimer(*row) for row in rows]


async def note_polled(connection: Connection, marks: Collection[tuple[str, str, int, datetime]]) -> None:
    """Note how far mailboxes were read: organisation, mailbox, partition, until. Never backwards."""
    newest: dict[tuple[str, str, int], datetime] = {}
    for organisation, mailbox, partition, until in marks:
        key = (organisation, mailbox, partition)
        newest[key] = max(until, newest.get(key, until))
    if newest:
        rows = [(*key, until) for key, until in sorted(newest.items())]
        await connection.execute(_NOTE_POLLED, *columns(rows, 4))
