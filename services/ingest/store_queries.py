"""SQL behind the HTTP API: what people are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class ShownMail:
    """A mail as people are shown it. `mailboxes` are all that it came to; `removed_at` is its end."""

    id: UUID
    key: str
    mailbox: str
    mailboxes: tuple[str, ...]
    state: str
    reason: str | None
    detail: str | None
    conversation: str | None
    configuration: int
    size: int
    received_at: datetime
    headers: dict[str, Any]
    decision: dict[str, Any]
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ShownMailbox:
    """How a mailbox stands."""

    mailbox: str
    state: str
    error: str | None
    state_since: datetime
    fetched_at: datetime | None
    polled_until: datetime | None
    waiting: int
    oldest_waiting: datetime | None


_BY_REASON = """
SELECT reason, count(*) AS mails FROM mails WHERE state = 'unhandled' AND removed_at IS NULL GROUP BY reason
"""
_SHOWN = """
SELECT mails.id, mails.key, mails.mailbox,
       ARRAY(
           SELECT mailbox FROM mail_copies
           WHERE mail_copies.organisation = mails.organisation AND mail_copies.mail = mails.id
           ORDER BY received_at, mailbox
       ) AS mailboxes,
       state, reason, detail, conversation, configuration, size, received_at, headers, decision,
       removed_at
FROM mails
"""
_MAIL = _SHOWN + "WHERE organisation = $1 AND id = $2"
_LOCK = "SELECT state FROM mails WHERE organisation = $1 AND id = $2 FOR UPDATE"
# $4 and $5 are the key of the last row seen; NULL on the first page.
_UNHANDLED = (
    _SHOWN
    + """
WHERE organisation = $1 AND state = 'unhandled' AND removed_at IS NULL AND mailbox = ANY($2::text[])
  AND ($4::timestamptz IS NULL OR (received_at, id) > ($4, $5::uuid))
ORDER BY received_at, id
LIMIT $3
"""
)
_MAILBOXES = """
SELECT mailbox, state, error, state_since, fetched_at, polled_until, waiting, oldest_waiting
FROM mailboxes
WHERE organisation = $1 AND mailbox = ANY($2::text[])
ORDER BY mailbox
"""


async def mail(connection: Connection, organisation: str, id_: UUID) -> ShownMail | None:
    """One mail."""
    row = await connection.fetchrow(_MAIL, organisation, id_)
    return None if row is None else _shown(row)


async def lock(connection: Connection, organisation: str, id_: UUID) -> str | None:
    """Lock a mail until the commit; its state."""
    state: str | None = await connection.fetchval(_LOCK, organisation, id_)
    return state


async def unhandled(
    connection: Connection,
    organisation: str,
    mailboxes: Sequence[str],
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[ShownMail]:
    """Unhandled mails of these mailboxes, oldest first, behind `after`."""
    received_at, id_ = after or (None, None)
    rows = await connection.fetch(_UNHANDLED, organisation, mailboxes, limit, received_at, id_)
    return [_shown(row) for row in rows]


async def mailboxes(connection: Connection, organisation: str, names: Sequence[str]) -> list[ShownMailbox]:
    """How these mailboxes stand; one that was never read is missing."""
    return [ShownMailbox(**row) for row in await connection.fetch(_MAILBOXES, organisation, names)]


def _shown(row: Any) -> ShownMail:
    return ShownMail(**{**row, "mailboxes": tuple(row["mailboxes"])})


async def unhandled_by_reason(connection: Connection) -> dict[str, int]:
    """How many mails of all organisations are unhandled, by reason."""
    return {row["reason"]: row["mails"] for row in await connection.fetch(_BY_REASON)}
