"""Loose links in Postgres: a row for each direction, so that both sides show them (LK-4, LK-8)."""

from collections.abc import Collection
from uuid import UUID

from services.activity.store_rows import Key
from shared.postgres import Connection, columns

# An Action has the links of its Case, and all under Sub-Cases those of the Case at the top (LK-1, CA-7).
_OF = """
SELECT links.organisation, links.linked FROM links
JOIN (
    SELECT organisation, coalesce(borne_by, CASE kind WHEN 'action' THEN parent ELSE id END) AS bearer
    FROM activities WHERE (organisation, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
) AS named ON named.organisation = links.organisation AND named.bearer = links.activity
"""
_LINK = """
INSERT INTO links (organisation, activity, linked, reason)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[])
ON CONFLICT (organisation, activity, linked) DO UPDATE SET reason = excluded.reason
"""
_UNLINK = """
DELETE FROM links
WHERE (organisation, activity, linked) IN (SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[]))
"""


async def of(connection: Connection, activities: Collection[Key]) -> set[Key]:
    """The activities that these are linked with, wherever the links stand."""
    if not activities:
        return set()
    rows = await connection.fetch(_OF, *columns(activities, 2))
    return {(row["organisation"], row["linked"]) for row in rows}


async def link(connection: Connection, links: Collection[tuple[str, UUID, UUID, str]]) -> None:
    """Add links, given as organisation, activity, linked activity, reason."""
    if links:
        await connection.execute(_LINK, *columns(sorted(links), 4))


async def unlink(connection: Connection, links: Collection[tuple[str, UUID, UUID]]) -> None:
    """Take links away, given as organisation, activity, linked activity."""
    if links:
        await connection.execute(_UNLINK, *columns(sorted(links), 3))
