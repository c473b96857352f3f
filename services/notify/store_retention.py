"""SQL that removes what nobody needs any more. The rows of mails stay: they tell a repeated request."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from shared.postgres import Connection, columns

# Whatever activity says: what is not sent yet is needed.
_UNNEEDED = """
SELECT organisation, id FROM outgoing_mails
WHERE unneeded_at < $1 AND removed_at IS NULL AND due_at IS NULL
"""
_COUNT = f"SELECT count(*) FROM ({_UNNEEDED}) AS found"  # noqa: S608 - our own text
_REMOVE = f"""
WITH gone AS (
    {_UNNEEDED} ORDER BY unneeded_at LIMIT $2 FOR UPDATE SKIP LOCKED
), tried AS (
    UPDATE outgoing_attempts AS tried SET reason = ''
    FROM gone WHERE tried.organisation = gone.organisation AND tried.mail = gone.id
)
UPDATE outgoing_mails AS mail
SET removed_at = $3, mime = NULL, mime_blob = NULL, objects = '{{}}', subject = '',
    recipients = '[]', reason = ''
FROM gone, outgoing_mails AS before
WHERE mail.organisation = gone.organisation AND mail.id = gone.id
  AND before.organisation = gone.organisation AND before.id = gone.id
RETURNING coalesce(before.objects, ARRAY[before.mime_blob ->> 'object']) AS objects
"""  # noqa: S608 - our own query
_UNNEEDED_SINCE = """
UPDATE outgoing_mails AS mail SET unneeded_at = $3
FROM unnest($1::text[], $2::uuid[]) AS given (organisation, id)
WHERE mail.organisation = given.organisation AND mail.id = given.id AND mail.unneeded_at IS NULL
"""
_COUNT_AUTOMATIC = "SELECT count(*) FROM automatic_mails WHERE at < $1"
_REMOVE_AUTOMATIC = """
DELETE FROM automatic_mails
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM automatic_mails WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
))
"""
_OLDER_CODE = """
SELECT EXISTS (
    SELECT FROM outgoing_mails WHERE objects IS NULL AND removed_at IS NULL AND state <> 'refused'
)
"""
_REFERRED = """
SELECT asked.object FROM unnest($1::text[]) AS asked (object)
WHERE EXISTS (SELECT FROM outgoing_mails WHERE objects <> '{}' AND objects @> ARRAY[asked.object])
"""


async def unneeded_since(connection: Connection, mails: Collection[tuple[str, UUID]], now: datetime) -> None:
    """Activity needs these (organisation, mail) no more."""
    if mails:
        await connection.execute(_UNNEEDED_SINCE, *columns(sorted(mails), 2), now)


async def unneeded(connection: Connection, before: datetime) -> int:
    """How many mails are needed no more since before this time, and sent or given up."""
    number: int = await connection.fetchval(_COUNT, before)
    return number


async def remove_unneeded(
    connection: Connection, before: datetime, limit: int, now: datetime
) -> tuple[int, list[str]]:
    """Remove those; how many, and the objects that were theirs."""
    rows = await connection.fetch(_REMOVE, before, limit, now)
    return len(rows), [each for row in rows for each in row["objects"] if each]


async def automatic(connection: Connection, before: datetime) -> int:
    """How many notes of an automatic mail are older than this."""
    number: int = await connection.fetchval(_COUNT_AUTOMATIC, before)
    return number


async def remove_automatic(connection: Connection, before: datetime, limit: int) -> int:
    """Delete those; how many that were."""
    return int((await connection.execute(_REMOVE_AUTOMATIC, before, limit)).rpartition(" ")[2])


async def referred(connection: Connection, objects: Collection[str]) -> set[str]:
    """Those of the objects that a mail needs; all of them while mails of older code are here."""
    if await connection.fetchval(_OLDER_CODE):
        return set(objects)
    return {row["object"] for row in await connection.fetch(_REFERRED, list(objects))}
