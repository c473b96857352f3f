"""SQL that removes what nobody needs any more. The rows of mails stay: they tell a mail that is known."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from shared.postgres import Connection, columns

# What activity gave up, unless a copy came in since that its topic may still tell of.
_UNNEEDED = """
SELECT mails.organisation, mails.id FROM mails
WHERE mails.unneeded_at IS NOT NULL AND mails.removed_at IS NULL AND mails.state = 'received'
  AND NOT EXISTS (
      SELECT FROM mail_copies
      WHERE mail_copies.organisation = mails.organisation AND mail_copies.mail = mails.id
        AND mail_copies.received_at >= $1
  )
"""
_OF_NOBODY = """
SELECT mails.organisation, mails.id FROM mails
WHERE mails.state <> 'received' AND mails.removed_at IS NULL AND mails.received_at < $1
"""
_COUNT = "SELECT count(*) FROM ({found}) AS found"
_TAKE = "{found} ORDER BY {order} LIMIT $2 FOR UPDATE OF mails SKIP LOCKED"
# Message-IDs and dates stay, people and what they wrote do not.
_REMOVE = """
UPDATE mails
SET removed_at = $3, decision = '{}', detail = NULL,
    headers = mails.headers - ARRAY['subject', 'from', 'reply_to', 'to', 'cc']
FROM unnest($1::text[], $2::uuid[]) AS gone (organisation, id)
WHERE mails.organisation = gone.organisation AND mails.id = gone.id
"""
_KNOWN = """
SELECT mails.organisation, mails.id FROM mails
JOIN unnest($1::text[], $2::uuid[]) AS gone (organisation, id) USING (organisation, id)
ORDER BY organisation, id FOR UPDATE OF mails
"""
_REMOVE_BYTES = """
DELETE FROM raw_mails
USING unnest($1::text[], $2::uuid[]) AS gone (organisation, id)
WHERE raw_mails.organisation = gone.organisation AND raw_mails.mail = gone.id
RETURNING coalesce(raw_mails.objects, ARRAY[raw_mails.object]) AS objects
"""
_UNNEEDED_SINCE = """
UPDATE mails SET unneeded_at = $3
FROM unnest($1::text[], $2::uuid[]) AS given (organisation, id)
WHERE mails.organisation = given.organisation AND mails.id = given.id AND mails.unneeded_at IS NULL
"""
_OLDER_CODE = "SELECT EXISTS (SELECT FROM raw_mails WHERE objects IS NULL)"
_REFERRED = """
SELECT asked.object FROM unnest($1::text[]) AS asked (object)
WHERE EXISTS (SELECT FROM raw_mails WHERE objects <> '{}' AND objects @> ARRAY[asked.object])
"""

_UNNEEDED_PAGE = _TAKE.format(found=_UNNEEDED, order="mails.unneeded_at")
_OF_NOBODY_PAGE = _TAKE.format(found=_OF_NOBODY, order="mails.received_at")


async def unneeded_since(connection: Connection, mails: Collection[tuple[str, UUID]], now: datetime) -> None:
    """Activity needs these (organisation, mail) no more."""
    if mails:
        await connection.execute(_UNNEEDED_SINCE, *columns(sorted(mails), 2), now)


async def erase(connection: Connection, mails: Collection[tuple[str, UUID]], now: datetime) -> list[str]:
    """Remove what these mails (organisation, id) said, whatever may still tell of it; their objects."""
    if not mails:
        return []
    known = await connection.fetch(_KNOWN, *columns(sorted(mails), 2))
    return await _removed(connection, [tuple(row) for row in known], now)


async def unneeded(connection: Connection, before: datetime) -> int:
    """How many mails are needed no more, without a copy that came in after `before`."""
    number: int = await connection.fetchval(_COUNT.format(found=_UNNEEDED), before)
    return number


async def remove_unneeded(
    connection: Connection, before: datetime, limit: int, now: datetime
) -> tuple[int, list[str]]:
    """Remove those; how many, and the objects that were theirs."""
    return await _remove(connection, _UNNEEDED_PAGE, before, limit, now)


async def of_nobody(connection: Connection, before: datetime) -> int:
    """How many unhandled and own mails came in before this time."""
    number: int = await connection.fetchval(_COUNT.format(found=_OF_NOBODY), before)
    return number


async def remove_of_nobody(
    connection: Connection, before: datetime, limit: int, now: datetime
) -> tuple[int, list[str]]:
    """Remove those; how many, and the objects that were theirs."""
    return await _remove(connection, _OF_NOBODY_PAGE, before, limit, now)


async def referred(connection: Connection, objects: Collection[str]) -> set[str]:
    """Those of the objects that a mail needs; all of them while mails of older code are here."""
    if await connection.fetchval(_OLDER_CODE):
        return set(objects)
    return {row["object"] for row in await connection.fetch(_REFERRED, list(objects))}


async def _remove(
    connection: Connection, page: str, before: datetime, limit: int, now: datetime
) -> tuple[int, list[str]]:
    mails = [tuple(row) for row in await connection.fetch(page, before, limit)]
    return len(mails), await _removed(connection, mails, now)


async def _removed(connection: Connection, mails: Collection[tuple[str, UUID]], now: datetime) -> list[str]:
    gone = columns(mails, 2)
    await connection.execute(_REMOVE, *gone, now)
    rows = await connection.fetch(_REMOVE_BYTES, *gone)
    return [each for row in rows for each in row["objects"] if each]
