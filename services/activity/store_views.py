"""What HTTP shows: lists of activities, one of them, its timeline (design §6)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.activity.store_rows import Key
from shared.postgres import Connection
from shared.references import ReferenceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which activities are listed; None asks for all. `processes` are those that the caller may look into.

    What only they may see (`new_information`, `contact`) hides those of other processes.
    """

    processes: tuple[str, ...]
    status: str | None = None
    queue: str | None = None
    assignee: str | None = None
    process: str | None = None
    new_information: bool | None = None
    contact: str | None = None


# The kind stands in the text, so that an index for the kind is one for the statement.
_LIST = """
SELECT activities.* FROM activities
WHERE organisation = $1
  AND kind = KIND
  AND ($2::bigint IS NULL OR (number, id) < ($2, $11::uuid))
  AND ($3::text IS NULL OR status = $3)
  AND ($4::text IS NULL OR queue = $4)
  AND ($5::text IS NULL OR assignee = $5)
  AND ($6::text IS NULL OR process = $6)
  AND ($7::boolean IS NULL OR (new_information = $7 AND process = ANY ($9::text[])))
  AND ($8::text IS NULL OR (process = ANY ($9::text[]) AND EXISTS (
      SELECT FROM activity_contacts AS tagged
      JOIN contacts ON contacts.organisation = tagged.organisation AND contacts.id = tagged.contact
      JOIN contacts AS asked ON asked.organisation = contacts.organisation
        AND coalesce(asked.merged_into, asked.id) = coalesce(contacts.merged_into, contacts.id)
      WHERE tagged.organisation = activities.organisation AND tagged.activity = activities.id
        AND asked.address = $8)))
ORDER BY number DESC, id DESC LIMIT $10
"""
_ROW = "SELECT * FROM activities WHERE organisation = $1 AND id = $2"
# In the order of their launch. There may be a thousand of them, so only what a course shows is read.
_UNDER = r"""
SELECT kind, reference, process, title, status, assignee, owner, queue, due_at, created_at,
    task ->> 'type' AS action, coalesce((task ->> 'step')::int, 0) AS step,
    coalesce((task ->> 'by_hand')::boolean, false) AS by_hand, resolution
FROM activities WHERE organisation = $1 AND parent = $2 AND kind <> 'ticket'
ORDER BY created_at, step, substring(reference FROM '\d+$')::int, number
"""
_REFERENCE = "SELECT reference FROM activities WHERE organisation = $1 AND id = $2"
_CONTACTS = """
SELECT DISTINCT tagged.tag, contacts.id, contacts.first_name, contacts.last_name, contacts.auto_created,
    CASE WHEN contacts.erased_at IS NULL THEN contacts.address ELSE '' END AS address,
    contacts.erased_at IS NOT NULL AS erased
FROM activity_contacts AS tagged
JOIN contacts AS held ON held.organisation = tagged.organisation AND held.id = tagged.contact
JOIN contacts ON contacts.organisation = held.organisation
    AND contacts.id = coalesce(held.merged_into, held.id)
WHERE tagged.organisation = $1 AND tagged.activity = $2
ORDER BY tagged.tag, address, contacts.id
"""
_LINKED = """
SELECT activities.*, links.reason AS link_reason FROM links
JOIN activities ON activities.organisation = links.organisation AND activities.id = links.linked
WHERE links.organisation = $1 AND links.activity = $2 AND activities.number > $3
ORDER BY activities.number LIMIT $4
"""
# There may be a hundred Sub-Cases, each with a flow: only what a header shows is read.
_FAMILY = """
SELECT id, parent, merged_into, number, kind, reference, title, status, process, category, assignee, queue,
    due, due_at, created_at, resolution
FROM activities AS relative
WHERE relative.organisation = $1 AND relative.id IN (
    SELECT parent FROM activities WHERE organisation = $1 AND id = $2
    UNION ALL SELECT merged_into FROM activities WHERE organisation = $1 AND id = $2
    UNION ALL SELECT id FROM activities WHERE organisation = $1 AND parent = $2 AND kind = 'ticket'
    UNION ALL SELECT id FROM activities WHERE organisation = $1 AND parent = $2 AND kind = 'case'
        AND borne_by IS NOT NULL
    UNION ALL SELECT id FROM activities WHERE organisation = $1 AND merged_into = $2)
ORDER BY relative.number
"""
_TIMELINE = """
SELECT history.*, notes.text AS note_text FROM history
LEFT JOIN notes ON notes.organisation = history.organisation AND notes.id = history.note
WHERE history.organisation = $1 AND history.activity = $2 AND ($3::bigint IS NULL OR history.version < $3)
ORDER BY history.version DESC LIMIT $4
"""
# What was merged into one that was merged came with it.
_BROUGHT = """
WITH RECURSIVE sources (id, came_with) AS (
    SELECT id, id FROM activities WHERE organisation = $1 AND id = ANY ($2::uuid[])
    UNION ALL
    SELECT activities.id, sources.came_with FROM sources
    JOIN activities ON activities.organisation = $1 AND activities.merged_into = sources.id
)
SELECT sources.came_with, activities.reference, history.*, notes.text AS note_text FROM sources
JOIN activities ON activities.organisation = $1 AND activities.id = sources.id
JOIN history ON history.organisation = $1 AND history.activity = sources.id
LEFT JOIN notes ON notes.organisation = history.organisation AND notes.id = history.note
WHERE history.type IN ('ticket.noted', 'ticket.feedback_given')
   OR (history.method IS NOT NULL AND history.method <> 'merged')
ORDER BY history.at DESC, history.activity DESC, history.version DESC
"""
_STANDS = "SELECT true FROM activity_mails WHERE organisation = $1 AND activity = $2 AND mail = $3"


async def listed(
    connection: Connection,
    organisation: str,
    kind: ReferenceKind,
    asked: Filter,
    before: tuple[Any, ...] | None,
    limit: int,
) -> list[Any]:
    """Rows of `activities` of a kind, newest first, behind `before`, a number and an id."""
    return list(
        await connection.fetch(
            _LIST.replace("KIND", f"'{kind.value}'"),
            organisation,
            before[0] if before else None,
            asked.status,
            asked.queue,
            asked.assignee,
            asked.process,
            asked.new_information,
            asked.contact,
            list(asked.processes),
            limit,
            before[1] if before else None,
        )
    )


async def row(connection: Connection, activity: Key) -> Any:
    """The row of one activity that exists."""
    return await connection.fetchrow(_ROW, *activity)


@dataclass(frozen=True, slots=True)
class Under:
    """Rows of the Actions and Sub-Cases under a Case, in the order of their launch.

    `parent` is the reference of the Case that it is a Sub-Case of.
    """

    actions: tuple[Any, ...]
    sub_cases: tuple[Any, ...]
    parent: str | None = None


async def under(connection: Connection, case: Key, parent: UUID | None) -> Under:
    """What runs or ran under a Case; `parent` is what it is a Sub-Case of."""
    rows = await connection.fetch(_UNDER, *case)
    return Under(
        tuple(row for row in rows if row["kind"] == "action"),
        tuple(row for row in rows if row["kind"] == "case"),
        await connection.fetchval(_REFERENCE, case[0], parent) if parent else None,
    )


async def contacts(connection: Connection, activity: Key) -> list[Any]:
    """Tag by tag who is who on an activity; of a contact that was merged, who it is now (CT-20)."""
    return list(await connection.fetch(_CONTACTS, *activity))


async def linked(connection: Connection, activity: Key, after: int, limit: int) -> list[Any]:
    """The activities that it is linked with and have numbers above `after`, each with `link_reason`."""
    return list(await connection.fetch(_LINKED, *activity, after, limit))


async def family(connection: Connection, activity: Key) -> list[Any]:
    """Of the activities that it is tied to directly, what their headers show."""
    return list(await connection.fetch(_FAMILY, *activity))


async def timeline(connection: Connection, activity: Key, before: int | None, limit: int) -> list[Any]:
    """Rows of `history` with `note_text`, newest first, with versions below `before`."""
    return list(await connection.fetch(_TIMELINE, *activity, before, limit))


async def brought(connection: Connection, organisation: str, sources: Collection[UUID]) -> list[Any]:
    """Notes, ratings and resolutions of what was merged in, newest first.

    Rows of `history` with `note_text`, `reference`, and in `came_with` the one of the sources.
    """
    return list(await connection.fetch(_BROUGHT, organisation, list(sources))) if sources else []


async def stands_on(connection: Connection, activity: Key, mail: UUID) -> bool:
    """Whether a mail stands on an activity."""
    return bool(await connection.fetchval(_STANDS, *activity, mail))
