"""Outgoing mail in Postgres as people look at it: lists, one mail, how long the queue is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.notify.store_queue import Box
from shared.postgres import Connection, columns


@dataclass(frozen=True, slots=True)
class QueueLength:
    """How many mails wait, for how long the oldest one that is due has waited, and how many no one sends."""

    by_state: dict[str, int]
    oldest_due: datetime | None
    held: int


_SUMMARY = """
SELECT mail.id, mail.activity, mail.reference, mail.conversation, mail.mailbox, mail.automatic, mail.state,
       mail.subject, mail.sender, mail.message_id, mail.requested_at, mail.attempts, mail.refusal,
       mail.reason, mail.due_at, mail.ended_at, mail.recipients
FROM outgoing_mails AS mail
"""

# Ids are in the order of time (version 7), so they are the sort key by themselves.
_PAGE = (
    _SUMMARY
    + """
WHERE mail.organisation = $1
  AND ($2::text[] IS NULL OR mail.state = ANY ($2))
  AND ($3::uuid IS NULL OR mail.activity = $3)
  AND ($4::uuid IS NULL OR mail.id < $4)
ORDER BY mail.id DESC
LIMIT $5
"""
)

_ONE = _SUMMARY + "WHERE mail.organisation = $1 AND mail.id = $2"

_ATTEMPTS = """
SELECT number, began_at, ended_at, outcome, reason
FROM outgoing_attempts
WHERE organisation = $1 AND mail = $2
ORDER BY number
"""

_QUEUE = """
SELECT mail.state, count(*) AS mails,
       min(mail.due_at) FILTER (WHERE mail.state <> 'sending' AND box.mailbox IS NOT NULL) AS oldest_due,
       count(*) FILTER (WHERE box.mailbox IS NULL) AS held
FROM outgoing_mails AS mail
LEFT JOIN unnest($1::text[], $2::text[]) AS box (organisation, mailbox)
  ON box.organisation = mail.organisation AND box.mailbox = mail.mailbox
WHERE mail.due_at IS NOT NULL
GROUP BY mail.state
"""


async def page(
    connection: Connection,
    organisation: str,
    *,
    states: Sequence[str] | None,
    activity: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Mails of an organisation, the newest first, from the one before `before` on."""
    return await connection.fetch(_PAGE, organisation, states, activity, before, limit)


async def one(
    connection: Connection, organisation: str, mail: UUID
) -> tuple[asyncpg.Record, list[asyncpg.Record]] | None:
    """One mail and its attempts; None if the organisation has none such."""
    found = await connection.fetchrow(_ONE, organisation, mail)
    if found is None:
        return None
    return found, await connection.fetch(_ATTEMPTS, organisation, mail)


async def queue_length(connection: Connection, boxes: Sequence[Box]) -> QueueLength:
    """What waits. Mails of mailboxes that are not among `boxes` are held: nobody sends them."""
    rows = await connection.fetch(_QUEUE, *columns(boxes, 2))
    return QueueLength(
        by_state={row["state"]: row["mails"] for row in rows},
        oldest_due=min((row["oldest_due"] for row in rows if row["oldest_due"]), default=None),
        held=sum(row["held"] for row in rows),
    )
