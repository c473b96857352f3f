"""SQL about done folders that are read again, after the database was put back (`recover.py`)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.ingest.store_mailboxes import Folder, Lease
from shared.postgres import Connection, columns

_SEE = """
INSERT INTO mailboxes (organisation, mailbox)
SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT (organisation, mailbox) DO NOTHING
"""
_MARK_ALL = "UPDATE mailboxes SET reread = true"
_FORGET_SINCE = "DELETE FROM kept_uids WHERE since >= $1"
_MARKED = "SELECT reread FROM mailboxes WHERE organisation = $1 AND mailbox = $2"
_UNMARK = "UPDATE mailboxes SET reread = false WHERE organisation = $1 AND mailbox = $2"
_KNOWN = """
SELECT uid FROM kept_uids WHERE organisation = $1 AND mailbox = $2 AND folder = $3 AND uidvalidity = $4
UNION
SELECT uid FROM taken_uids WHERE organisation = $1 AND mailbox = $2 AND folder = $3 AND uidvalidity = $4
"""
_MAY_TURN_UP = """
SELECT EXISTS (
    SELECT FROM unnest($1::text[], $2::uuid[]) AS asked (organisation, id)
    WHERE NOT EXISTS (
        SELECT FROM mails WHERE mails.organisation = asked.organisation AND mails.id = asked.id
    ) AND EXISTS (
        SELECT FROM mailboxes WHERE mailboxes.organisation = asked.organisation AND mailboxes.reread
    )
)
"""


async def mark_all(connection: Connection, seen: Sequence[tuple[str, str]], since: datetime) -> None:
    """Let every done folder be read again: what has come there `since` then may be unknown here.

    `seen` are mailboxes, as (organisation, mailbox), that may be unknown themselves.
    """
    await connection.execute(_SEE, *columns(seen, 2))
    await connection.execute(_MARK_ALL)
    await connection.execute(_FORGET_SINCE, since)


async def marked(connection: Connection, lease: Lease) -> bool:
    """Whether the mailbox's done folder is to be read again."""
    return bool(await connection.fetchval(_MARKED, lease.organisation, lease.mailbox))


async def unmark(connection: Connection, lease: Lease) -> None:
    """The done folder has been read again; the lease is fenced."""
    await connection.execute(_UNMARK, lease.organisation, lease.mailbox)


async def known(connection: Connection, folder: Folder) -> set[int]:
    """UIDs of a done folder whose mails are known here."""
    key = (folder.organisation, folder.mailbox, folder.folder, folder.uidvalidity)
    return {row["uid"] for row in await connection.fetch(_KNOWN, *key)}


async def may_turn_up(connection: Connection, mails: Sequence[tuple[str, UUID]]) -> bool:
    """Whether one of these (organisation, id) is unknown and may lie in a folder that is still marked."""
    return bool(await connection.fetchval(_MAY_TURN_UP, *columns(mails, 2)))
