"""Work lists: what somebody must act on, what he is responsible for, and how much there is (GL-2).

Every list is read from an index in its order, so a page costs its own rows, whatever else there is. A list
over several queues or processes reads a page of each and merges them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.postgres import Connection

NEVER_DUE = datetime(9999, 12, 31, tzinfo=UTC)
"""Where a list puts what is never due; the indexes say the same."""

Place = tuple[datetime, int, UUID]
"""When something is due, its number, and its id: where it stands in a list."""

FIRST: Place = (datetime(1, 1, 1, tzinfo=UTC), 0, UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sieve:
    """Which Tickets of a list are wanted; None takes all. `processes` are those that the caller may read.

    `waits` are wait types; `highlighted` asks for what has new information or came back from rest (ST-10).
    `for_robot` leaves out what is marked for a person (ST-8).
    """

    processes: tuple[str, ...]
    statuses: tuple[str, ...] | None = None
    waits: tuple[str, ...] | None = None
    queue: str | None = None
    highlighted: bool | None = None
    for_robot: bool = False
    kinds: tuple[str, ...] | None = None


_DUE = "coalesce(due_at, '9999-12-31T00:00:00Z'::timestamptz)"
# $1 organisation, $2 whose, $3 to $5 the place to go on behind, $6 how many; the rest is the sieve. Actions
# of one Case have its number: their ids tell them apart.
_SIFTED = f"""
    AND ({_DUE}, number, id) > ($3::timestamptz, $4::bigint, $5::uuid)
    AND process = ANY ($7::text[])
    AND ($8::text[] IS NULL OR status = ANY ($8))
    AND ($9::text[] IS NULL OR wait = ANY ($9))
    AND ($10::text IS NULL OR queue = $10)
    AND ($11::boolean IS NULL OR (new_information OR returned) = $11)
    AND NOT ($12::boolean AND for_person)
    AND ($13::text[] IS NULL OR kind = ANY ($13))
ORDER BY {_DUE}, number, id LIMIT $6
"""
_IN_INBOX = f"SELECT * FROM activities WHERE organisation = $1 AND assignee = $2::text {_SIFTED}"  # noqa: S608
_OWNED = f"SELECT * FROM activities WHERE organisation = $1 AND owner = $2::text {_SIFTED}"  # noqa: S608
_NOBODY_HAS = f"""
SELECT found.* FROM unnest($2::text[]) AS lane (name)
CROSS JOIN LATERAL (
    SELECT * FROM activities
    WHERE organisation = $1 AND queue = lane.name AND assignee IS NULL {_SIFTED}
) AS found
ORDER BY {_DUE}, number, id LIMIT $6
"""  # noqa: S608 - our own text
_AT_REST = f"""
SELECT found.* FROM unnest($2::text[]) AS lane (name)
CROSS JOIN LATERAL (
    (SELECT * FROM activities
    WHERE organisation = $1 AND process = lane.name AND status IN ('wait', 'resolved') {_SIFTED})
    UNION ALL
    (SELECT * FROM activities
    WHERE organisation = $1 AND process = lane.name AND kind = 'case'
        AND status IN ('to_do', 'in_progress') {_SIFTED})
) AS found
ORDER BY {_DUE}, number, id LIMIT $6
"""  # noqa: S608 - our own text
_COUNTS = """
SELECT process, queue, status, wait, count(*) AS number,
    count(*) FILTER (WHERE assignee IS NULL) AS unassigned,
    count(*) FILTER (WHERE new_information) AS new_information
FROM activities
WHERE organisation = $1 AND process = ANY ($2::text[]) AND status <> 'closed'
GROUP BY process, queue, status, wait
"""


async def in_inbox(
    connection: Connection, organisation: str, user: str, sieve: Sieve, after: Place, limit: int
) -> list[Any]:
    """Rows of `activities` that a user must act on now, the soonest due first, behind a place."""
    return await _listed(connection, _IN_INBOX, organisation, user, sieve, after, limit)


async def nobody_has(
    connection: Connection,
    organisation: str,
    queues: Collection[str],
    sieve: Sieve,
    after: Place,
    limit: int,
) -> list[Any]:
    """The same of what stands in these queues and nobody has taken."""
    return await _listed(connection, _NOBODY_HAS, organisation, sorted(queues), sieve, after, limit)


async def owned(
    connection: Connection, organisation: str, user: str, sieve: Sieve, after: Place, limit: int
) -> list[Any]:
    """The same of what a user is responsible for and has nothing to do on."""
    return await _listed(connection, _OWNED, organisation, user, sieve, after, limit)


async def at_rest(
    connection: Connection,
    organisation: str,
    processes: Collection[str],
    sieve: Sieve,
    after: Place,
    limit: int,
) -> list[Any]:
    """The same of what waits or is resolved in these processes, and of Cases that run: whoever owns it."""
    return await _listed(connection, _AT_REST, organisation, sorted(processes), sieve, after, limit)


async def counts(connection: Connection, organisation: str, processes: Collection[str]) -> list[Any]:
    """How many are open, by process, queue, status and wait type, in one statement over open ones alone."""
    return list(await connection.fetch(_COUNTS, organisation, sorted(processes)))


def place_of(row: Any) -> Place:
    """Where a row stands in its list."""
    return row["due_at"] or NEVER_DUE, row["number"], row["id"]


async def _listed(
    connection: Connection,
    statement: str,
    organisation: str,
    whose: str | list[str],
    sieve: Sieve,
    after: Place,
    limit: int,
) -> list[Any]:
    return list(
        await connection.fetch(
            statement,
            organisation,
            whose,
            *after,
            limit,
            list(sieve.processes),
            sieve.statuses,
            sieve.waits,
            sieve.queue,
            sieve.highlighted,
            sieve.for_robot,
            sieve.kinds,
        )
    )
