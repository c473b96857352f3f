"""Families in Postgres: the roots that everybody locks before touching an activity (design §3).

An activity stays in the family that it was opened in. A merge lets that family stand under the root of
another: so closed activities need no change, and who has the root's lock has that of everything under it.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from services.activity.store_rows import Key, add_new
from shared.failure import FamilyMoved
from shared.postgres import Connection, columns

Standing = tuple[str, UUID, UUID]
"""An organisation, a family of it, and the root that it stands under."""

_FAMILIES_OF = """
SELECT activities.organisation, activities.id, activities.family,
    coalesce(families.root, activities.family) AS root
FROM activities LEFT JOIN families
    ON families.organisation = activities.organisation AND families.id = activities.family
WHERE (activities.organisation, activities.id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
"""
# Everybody takes families in this one order, so that no two wait for each other. A row that somebody changed
# until it was free is read again by its lock: its root is the present one.
_LOCK = """
SELECT organisation, id, root FROM families
WHERE (organisation, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY organisation, id FOR UPDATE
"""
# Who skips what others hold waits for nobody, so here no order matters.
_LOCK_FREE = """
SELECT activities.organisation, activities.id, families.root
FROM activities JOIN families
    ON families.organisation = activities.organisation AND families.id = activities.family
WHERE (activities.organisation, activities.id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
FOR UPDATE OF families SKIP LOCKED
"""
_LOCK_FREE_ROOTS = _LOCK + " SKIP LOCKED"
# What splits, merges and Cases lead to, and come from: parents, parts and targets, and theirs. What has ended
# under a Case says nothing more there, and Sub-Cases hear of what is above them only when they end with it.
_RELATIVES = """
WITH RECURSIVE relatives (organisation, id, parent, merged_into, kind) AS (
    SELECT organisation, id, parent, merged_into, kind FROM activities
    WHERE (organisation, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
    UNION
    SELECT other.* FROM relatives AS one CROSS JOIN LATERAL (
        SELECT organisation, id, parent, merged_into, kind FROM activities
        WHERE organisation = one.organisation AND id IN (one.parent, one.merged_into)
        UNION ALL
        SELECT organisation, id, parent, merged_into, kind FROM activities
        WHERE organisation = one.organisation AND parent = one.id AND one.kind = 'ticket'
        UNION ALL
        SELECT organisation, id, parent, merged_into, kind FROM activities
        WHERE organisation = one.organisation AND parent = one.id AND one.kind = 'case'
            AND (kind = 'action' OR (kind = 'case' AND $3)) AND status <> 'closed'
    ) AS other
)
SELECT organisation, id FROM relatives
"""
_UNITE = """
WITH moved (organisation, id, root) AS (SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[]))
UPDATE families SET root = new.root
FROM (
    SELECT organisation, id, root FROM moved
    UNION ALL
    SELECT below.organisation, below.id, moved.root
    FROM moved JOIN families AS below ON below.organisation = moved.organisation AND below.root = moved.id
) AS new
WHERE families.organisation = new.organisation AND families.id = new.id
"""


async def lock(connection: Connection, keys: Collection[Key]) -> dict[Key, UUID]:
    """Lock the families of these activities until the transaction ends; returns each family's root.

    Raises `FamilyMoved` when a merge moved one between looking it up and locking it.
    """
    if not keys:
        return {}
    found = await connection.fetch(_FAMILIES_OF, *columns(keys, 2))
    roots = {(row["organisation"], row["family"]): row["root"] for row in found}
    expected = {(organisation, root): root for (organisation, _), root in roots.items()} | roots
    locked = await connection.fetch(_LOCK, *columns(sorted(expected), 2))
    if any(expected[key] != root for key, root in map(_standing, locked)):
        raise FamilyMoved("an activity changed its family")
    return roots


async def lock_free(connection: Connection, keys: Collection[Key]) -> set[Key]:
    """Lock those of the activities whose family nobody else holds, and say which."""
    rows = await connection.fetch(_LOCK_FREE, *columns(keys, 2))
    held = {(row["organisation"], row["id"]): row["root"] for row in rows}
    under = {(organisation, root) for (organisation, _), root in held.items() if root}
    if under:
        rows = await connection.fetch(_LOCK_FREE_ROOTS, *columns(sorted(under), 2))
        under -= {(row["organisation"], row["id"]) for row in rows}
    return {key for key, root in held.items() if (key[0], root) not in under}


async def relatives(connection: Connection, keys: Collection[Key], *, sub_cases: bool = False) -> set[Key]:
    """These activities, their parents, parts, running Actions and what they were merged into, and theirs.

    With `sub_cases` also the Cases that run under Cases. All of them stand under the same roots: whoever has
    locked the ones has locked the others.
    """
    if not keys:
        return set()
    rows = await connection.fetch(_RELATIVES, *columns(sorted(keys), 2), sub_cases)
    return {(row["organisation"], row["id"]) for row in rows}


async def add(connection: Connection, roots: Collection[Key]) -> None:
    """New families. Raises `FamilyMoved` when one is there: somebody else opened it from the same cause."""
    await add_new(connection, "families", ("organisation", "id"), sorted(roots))


async def unite(connection: Connection, unions: Sequence[Standing]) -> None:
    """Let families, which are locked, and all that stand under them stand under another root."""
    if unions:
        await connection.execute(_UNITE, *columns(unions, 3))


def _standing(row: Any) -> tuple[Key, UUID]:
    """A family, and the root that it stands under: its own where there is no other."""
    return (row["organisation"], row["id"]), row["root"] or row["id"]
