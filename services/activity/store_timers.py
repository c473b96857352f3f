"""Timers that are due, and how far the mailboxes have been read (design §5)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

from shared.organisation import Organisation
from shared.postgres import Connection, columns

Place = tuple[datetime, UUID]
"""Where a timer stands among those that are due: when, and of which activity."""

FIRST: Place = (datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer as it stands in its table."""

    organisation: str
    activity: UUID
    generation: int
    due_at: datetime
    closes: bool

    @property
    def place(self) -> Place:
        return self.due_at, self.activity


# A timer that closes something waits until every partition has told that its mailbox was read past the due
# time: by then an answer that lay in the mailbox has been worked on and the timer is gone. A mailbox that
# the configuration no longer has can bring no answer, so nobody waits for it.
#
# So timers stand in lanes, one for each mailbox and one for those that wait for none. Each lane has a time up
# to which its timers may fire; those behind it are not looked at, and those before it come from the index.
_LANES = """
WITH RECURSIVE lanes (organisation, mailbox) AS (
    (SELECT organisation, coalesce(mailbox, '') FROM timers
    ORDER BY organisation, coalesce(mailbox, '') LIMIT 1)
    UNION ALL
    SELECT following.* FROM lanes CROSS JOIN LATERAL (
        SELECT organisation, coalesce(mailbox, '') FROM timers
        WHERE (organisation, coalesce(mailbox, '')) > (lanes.organisation, lanes.mailbox)
        ORDER BY organisation, coalesce(mailbox, '') LIMIT 1
    ) AS following
),
open (organisation, mailbox, until) AS MATERIALIZED (
    SELECT lanes.*, CASE WHEN read IS NULL THEN $1 ELSE least($1, coalesce((
        SELECT until FROM polled_mailboxes AS polled
        WHERE polled.organisation = lanes.organisation AND polled.mailbox = lanes.mailbox
        ORDER BY until DESC OFFSET $4 - 1 LIMIT 1), '-infinity')) END
    FROM lanes
    LEFT JOIN unnest($2::text[], $3::text[]) AS read (organisation, mailbox) USING (organisation, mailbox)
)
"""
_DUE = f"""
{_LANES}
SELECT open.organisation, found.* FROM open CROSS JOIN LATERAL (
    SELECT activity, generation, due_at, closes FROM timers
    WHERE organisation = open.organisation AND coalesce(mailbox, '') = open.mailbox
      AND due_at <= open.until AND (due_at, activity) > ($5, $6) AND activity <> ALL ($7::uuid[])
    ORDER BY due_at, activity LIMIT $8
) AS found
ORDER BY due_at, activity LIMIT $8
"""  # noqa: S608 - our own text
_OLDEST = f"""
{_LANES}
SELECT min(ready.due_at) AS ready, min(held.due_at) AS held FROM open
LEFT JOIN LATERAL (
    SELECT due_at FROM timers
    WHERE organisation = open.organisation AND coalesce(mailbox, '') = open.mailbox AND due_at <= open.until
    ORDER BY due_at LIMIT 1
) AS ready ON true
LEFT JOIN LATERAL (
    SELECT due_at FROM timers
    WHERE organisation = open.organisation AND coalesce(mailbox, '') = open.mailbox
      AND due_at > open.until AND due_at <= $1
    ORDER BY due_at LIMIT 1
) AS held ON true
"""  # noqa: S608 - our own text
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
    connection: Connection,
    horizon: Horizon,
    limit: int,
    after: Place = FIRST,
    besides: Collection[UUID] = (),
) -> list[DueTimer]:
    """Timers that may fire, the longest overdue first, behind a place, but for those of some activities.

    Locks nothing.
    """
    rows = await connection.fetch(_DUE, *horizon.parameters, *after, list(besides), limit)
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
