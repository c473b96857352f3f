"""Families in Postgres: the roots that everybody locks before touching an activity (design §3)."""

from collections.abc import Collection

from services.activity.store_rows import Key, add_new
from shared.failure import FamilyMoved
from shared.postgres import Connection, columns

_FAMILIES_OF = """
SELECT organisation, id, family FROM activities
WHERE (organisation, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
"""
# Everybody takes families in this one order, so that no two wait for each other.
_LOCK = """
SELECT organisation, id FROM families
WHERE (organisation, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY organisation, id FOR UPDATE
"""
_LOCK_FREE = _LOCK + " SKIP LOCKED"


async def lock(connection: Connection, keys: Collection[Key]) -> None:
    """Lock the families of these activities until the transaction ends.

    Raises `FamilyMoved` when a merge moved one between looking it up and locking it.
    """
    if not keys:
        return
    before = await _families_of(connection, keys)
    await connection.execute(_LOCK, *columns(sorted(set(before.values())), 2))
    if await _families_of(connection, keys) != before:
        raise FamilyMoved("an activity changed its family")


async def lock_free(connection: Connection, keys: Collection[Key]) -> set[Key]:
    """Lock those of the activities whose family nobody else holds, and say which."""
    families = await _families_of(connection, keys)
    rows = await connection.fetch(_LOCK_FREE, *columns(sorted(set(families.values())), 2))
    free = {(row["organisation"], row["id"]) for row in rows}
    return {key for key, family in families.items() if family in free}


async def add(connection: Connection, roots: Collection[Key]) -> None:
    """New families. Raises `FamilyMoved` when one is there: somebody else opened it from the same cause."""
    await add_new(connection, "families", ("organisation", "id"), sorted(roots))


async def _families_of(connection: Connection, keys: Collection[Key]) -> dict[Key, Key]:
    rows = await connection.fetch(_FAMILIES_OF, *columns(keys, 2))
    return {(row["organisation"], row["id"]): (row["organisation"], row["family"]) for row in rows}
