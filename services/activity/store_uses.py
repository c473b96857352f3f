"""SQL that finds what still stands on parts of the configuration: one query for each kind, each by an index.

Nothing is counted past `MOST`: whoever removes something wants to know whether it is in use, and all of an
organisation's work waits meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.postgres import Connection, columns

MOST = 100
"""Users of one thing are counted up to here."""
SHOWN = 5
"""References of so many are shown, the newest first."""


@dataclass(frozen=True)
class Use:
    """What stands on one thing: `users` are `activities` or `contacts`, `count` is exact below `MOST`.

    `examples` are references of activities; contacts are personal data, and have none.
    """

    name: str
    users: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftAlone:
    """An approval that nobody can answer any more, and those who were to."""

    id: UUID
    reference: str
    approvers: tuple[str, ...]


# For each name the newest of the activities, by an index of that order.
_BY_COLUMN = """
SELECT wanted.name, used.count, used.examples
FROM unnest($2::text[]) AS wanted (name)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, (array_agg(reference ORDER BY number DESC))[:$4] AS examples
    FROM (
        SELECT reference, number FROM activities
        WHERE organisation = $1 AND COLUMN = wanted.name
        ORDER BY number DESC LIMIT $3
    ) AS newest
) AS used
WHERE used.count > 0
ORDER BY wanted.name
"""

# Processes and mailboxes of every activity, because closed ones are answered too (IN-14). Queues and people
# are on none that is closed (ST-19).
_OF_NAMED = {
    "processes": _BY_COLUMN.replace("COLUMN", "process"),
    "mailboxes": _BY_COLUMN.replace("COLUMN", "mailbox"),
    "queues": _BY_COLUMN.replace("COLUMN", "queue"),
    "users": """
SELECT wanted.name, used.count, used.examples
FROM unnest($2::text[]) AS wanted (name)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, (array_agg(reference ORDER BY number DESC))[:$4] AS examples
    FROM (
        (SELECT reference, number FROM activities
         WHERE organisation = $1 AND assignee = wanted.name ORDER BY number DESC LIMIT $3)
        UNION
        (SELECT reference, number FROM activities
         WHERE organisation = $1 AND owner = wanted.name LIMIT $3)
        ORDER BY number DESC LIMIT $3
    ) AS newest
) AS used
WHERE used.count > 0
ORDER BY wanted.name
""",
    "companies": """
SELECT wanted.name, used.count, '{}'::text[] AS examples
FROM unnest($2::text[]) AS wanted (name)
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (
        SELECT 1 FROM contacts WHERE organisation = $1 AND company = wanted.name LIMIT $3
    ) AS few
) AS used
WHERE used.count > 0 AND $4 > 0
ORDER BY wanted.name
""",
}

_OF_CATEGORY = """
SELECT wanted.process, wanted.category AS name, used.count, used.examples
FROM unnest($2::text[], $3::text[]) AS wanted (process, category)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, (array_agg(reference ORDER BY number DESC))[:$5] AS examples
    FROM (
        SELECT reference, number FROM activities
        WHERE organisation = $1 AND process = wanted.process AND category = wanted.category
          AND status <> 'closed'
        ORDER BY number DESC LIMIT $4
    ) AS newest
) AS used
WHERE used.count > 0
ORDER BY wanted.process, wanted.category
"""

# Without an option, whatever stands in the field. No index has these in order of numbers, so none is asked
# for: the planner would walk through all numbers. So it is with owners.
_OF_FIELD = """
SELECT wanted.process, wanted.field AS name, wanted.option, used.count, used.examples
FROM unnest($2::text[], $3::text[], $4::text[]) AS wanted (process, field, option)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, (array_agg(reference ORDER BY number DESC))[:$6] AS examples
    FROM (
        SELECT reference, number FROM activities
        WHERE organisation = $1 AND process = wanted.process
          AND fields ? wanted.field AND fields <> '{}' AND status <> 'closed'
          AND (wanted.option IS NULL OR fields ->> wanted.field = wanted.option)
        LIMIT $5
    ) AS newest
) AS used
WHERE used.count > 0
ORDER BY wanted.process, wanted.field, wanted.option
"""


# What waits in a process is read by an index of open ones; reasons have none of their own.
_OF_WAIT_REASON = """
SELECT wanted.process, wanted.reason AS name, used.count, used.examples
FROM unnest($2::text[], $3::text[]) AS wanted (process, reason)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, (array_agg(reference ORDER BY number DESC))[:$5] AS examples
    FROM (
        SELECT reference, number FROM activities
        WHERE organisation = $1 AND process = wanted.process AND wait_reason = wanted.reason
          AND status = 'wait'
        LIMIT $4
    ) AS newest
) AS used
WHERE used.count > 0
ORDER BY wanted.process, wanted.reason
"""


# Cases end on the flow that they began with: what it names has to be there for as long as one runs. Very many
# Cases have few flows between them, so an index of what flows hash to is leapt through from one to the next,
# and a flow is read once.
_OF_FLOW = """
WITH RECURSIVE hashes (hash) AS (
    (SELECT jsonb_hash_extended(flow, 0) FROM activities
     WHERE organisation = $1 AND kind = 'case' AND status <> 'closed'
     ORDER BY jsonb_hash_extended(flow, 0) LIMIT 1)
    UNION ALL
    SELECT (
        SELECT jsonb_hash_extended(flow, 0) FROM activities
        WHERE organisation = $1 AND kind = 'case' AND status <> 'closed'
          AND jsonb_hash_extended(flow, 0) > hashes.hash
        ORDER BY jsonb_hash_extended(flow, 0) LIMIT 1
    )
    FROM hashes WHERE hash IS NOT NULL
), flows AS MATERIALIZED (
    SELECT hash, one.actions FROM hashes CROSS JOIN LATERAL (
        SELECT flow -> 'actions' AS actions FROM activities
        WHERE organisation = $1 AND kind = 'case' AND status <> 'closed'
          AND jsonb_hash_extended(flow, 0) = hashes.hash
        LIMIT 1
    ) AS one
)
SELECT wanted.name, used.count, used.examples
FROM unnest($2::text[]) AS wanted (name)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, (array_agg(reference ORDER BY number DESC))[:$4] AS examples
    FROM (
        SELECT reference, number FROM flows CROSS JOIN LATERAL (
            SELECT reference, number FROM activities
            WHERE organisation = $1 AND kind = 'case' AND status <> 'closed'
              AND jsonb_hash_extended(flow, 0) = flows.hash
            LIMIT $3
        ) AS one
        WHERE actions @> jsonb_build_array(jsonb_build_object($5::text, wanted.name))
        LIMIT $3
    ) AS newest
) AS used
WHERE used.count > 0
ORDER BY wanted.name
"""
# So it is with whom its approvals ask.
_OF_APPROVERS = _OF_FLOW.replace(
    "actions @> jsonb_build_array(jsonb_build_object($5::text, wanted.name))",
    """actions @> jsonb_build_array(jsonb_build_object('approval',
              jsonb_build_array(jsonb_build_object('approvers', jsonb_build_array(wanted.name)))))""",
)
# Approvals that wait for some of $2, and for none of $3.
_LEFT_ALONE = """
SELECT id, reference, names
FROM activities CROSS JOIN LATERAL (
    SELECT array_agg(asked.name) AS names
    FROM jsonb_array_elements_text(task -> 'round' -> 'approvers') AS asked (name)
    WHERE NOT task -> 'round' -> 'verdicts' @> jsonb_build_array(
        jsonb_build_object('by', asked.name, 'level', task -> 'round' -> 'level'))
) AS unanswered
WHERE organisation = $1 AND kind = 'action' AND status = 'wait' AND wait = 'more_information'
  AND task -> 'round' -> 'approvers' ?| $2::text[] AND names && $2::text[] AND NOT names && $3::text[]
ORDER BY number DESC, id DESC
"""
_RUNNING = """
SELECT process, count(*) AS cases FROM activities
WHERE organisation = $1 AND kind = 'case' AND status <> 'closed' AND process = ANY ($2::text[])
GROUP BY process ORDER BY process
"""


async def of_flows(connection: Connection, organisation: str, what: str, names: Sequence[str]) -> list[Use]:
    """Cases that run through a flow with an Action that has one of these as its queue or the like, `what`."""
    if not names:
        return []
    rows = await connection.fetch(_OF_FLOW, organisation, list(names), MOST, SHOWN, what)
    return [_use(row) for row in rows]


async def of_approvers(connection: Connection, organisation: str, names: Sequence[str]) -> list[Use]:
    """Cases that run through a flow in which one of these users is asked for an approval (A25)."""
    if not names:
        return []
    rows = await connection.fetch(_OF_APPROVERS, organisation, list(names), MOST, SHOWN)
    return [_use(row) for row in rows]


async def left_alone(
    connection: Connection, organisation: str, gone: Sequence[str], there: Sequence[str]
) -> list[LeftAlone]:
    """Approvals that wait for the answer of some who are gone, and of nobody who is there (A25)."""
    rows = await connection.fetch(_LEFT_ALONE, organisation, gone, there) if gone else ()
    return [LeftAlone(row["id"], row["reference"], tuple(row["names"])) for row in rows]


async def running(connection: Connection, organisation: str, processes: Sequence[str]) -> dict[str, int]:
    """How many Cases of these processes are not closed, where there are any."""
    rows = await connection.fetch(_RUNNING, organisation, list(processes)) if processes else ()
    return {row["process"]: row["cases"] for row in rows}


async def of_named(connection: Connection, organisation: str, kind: str, names: Sequence[str]) -> list[Use]:
    """What stands on processes, mailboxes, queues, users or companies of these names."""
    if not names:
        return []
    rows = await connection.fetch(_OF_NAMED[kind], organisation, list(names), MOST, SHOWN)
    return [_use(row, "contacts" if kind == "companies" else "activities") for row in rows]


async def of_categories(
    connection: Connection, organisation: str, wanted: Sequence[tuple[str, str]]
) -> list[tuple[str, Use]]:
    """Open activities in categories, given as (process, path); each use with its process."""
    if not wanted:
        return []
    rows = await connection.fetch(_OF_CATEGORY, organisation, *columns(wanted, 2), MOST, SHOWN)
    return [(row["process"], _use(row)) for row in rows]


async def of_wait_reasons(
    connection: Connection, organisation: str, wanted: Sequence[tuple[str, str]]
) -> list[tuple[str, Use]]:
    """What waits for one of these reasons, given as (process, reason); each use with its process."""
    if not wanted:
        return []
    rows = await connection.fetch(_OF_WAIT_REASON, organisation, *columns(wanted, 2), MOST, SHOWN)
    return [(row["process"], _use(row)) for row in rows]


async def of_fields(
    connection: Connection, organisation: str, wanted: Sequence[tuple[str, str, str | None]]
) -> list[tuple[str, str | None, Use]]:
    """Open activities with something in custom fields, given as (process, field, option or None for any).

    Each use comes with its process and option.
    """
    if not wanted:
        return []
    rows = await connection.fetch(_OF_FIELD, organisation, *columns(wanted, 3), MOST, SHOWN)
    return [(row["process"], row["option"], _use(row)) for row in rows]


def _use(row: Any, users: str = "activities") -> Use:
    return Use(row["name"], users, row["count"], tuple(row["examples"]))
