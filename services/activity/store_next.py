"""SQL that finds what may be next for somebody: read by the indexes of work lists, locked by nobody yet."""

from collections.abc import Collection
from typing import Any, NamedTuple

from services.activity.store_rows import Key
from shared.postgres import Connection, columns


class WorkList(NamedTuple):
    """The work list of a user or queue, `name`, with what is of these `processes`, joined by commas.

    With `robot` what is marked for a person is left out (ST-8). An empty `kind` stands for all kinds.
    """

    organisation: str
    name: str
    processes: str
    robot: bool
    kind: str


# The orders are those of the indexes of store_worklists.py, which a page of each list is read from.
_CANDIDATES = """
SELECT DISTINCT ON (found.place, found.number, found.id, found.organisation) found.organisation, found.id
FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::text[])
    AS work_list (organisation, name, processes, robot, kind)
CROSS JOIN LATERAL (
    SELECT organisation, id, number, coalesce(due_at, '9999-12-31T00:00:00Z'::timestamptz) AS place
    FROM activities
    WHERE organisation = work_list.organisation AND HELD
      AND process = ANY (string_to_array(work_list.processes, ','))
      AND NOT (work_list.robot AND for_person)
      AND work_list.kind IN ('', kind)
    ORDER BY coalesce(due_at, '9999-12-31T00:00:00Z'::timestamptz), number, id LIMIT $6
) AS found
ORDER BY found.place, found.number, found.id, found.organisation
"""
_HIS = _CANDIDATES.replace("HELD", "assignee = work_list.name AND status = STATUS")
_IN_PROGRESS = _HIS.replace("STATUS", "'in_progress'")
_TO_DO = _HIS.replace("STATUS", "'to_do'")
_NOBODYS = _CANDIDATES.replace("HELD", "queue = work_list.name AND assignee IS NULL AND status = 'to_do'")


async def of_users(connection: Connection, users: Collection[WorkList], limit: int) -> list[Key]:
    """The soonest due of what these users have: one that each works on, and so many that he might."""
    lists = columns(sorted(users), 5)
    found: list[Any] = list(await connection.fetch(_IN_PROGRESS, *lists, 1))
    found += await connection.fetch(_TO_DO, *lists, limit)
    return [(row["organisation"], row["id"]) for row in found]


async def of_nobody(connection: Connection, queues: Collection[WorkList], limit: int) -> list[Key]:
    """The soonest due of what nobody has in these queues, in that order."""
    rows = await connection.fetch(_NOBODYS, *columns(sorted(queues), 5), limit)
    return [(row["organisation"], row["id"]) for row in rows]
