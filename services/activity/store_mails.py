"""Mails of activities in Postgres: what came in, what was asked of notify, on which activities they stand."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.activity.store_rows import Key, add_new, json
from shared.contracts.mail import Content, Mailbox, RecipientResult
from shared.contracts.record import Instant, Part
from shared.postgres import Connection, columns


class Recipients(Part):
    """To whom a mail went."""

    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()


NOBODY = Recipients()


class Delivery(Part):
    """What notify last said of an outgoing mail; `reason` is why it was deferred, failed or refused."""

    recipients: tuple[RecipientResult, ...] = ()
    reason: str | None = None
    attempts: int = 0
    next_attempt: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail, in (`purpose` is None) or out. `references` are Message-IDs, oldest first.

    An outgoing mail has no `message_id` until notify has composed it; `outcome` is `requested` before that
    and what notify last reported after it. From `removed_at` on, `content` is its subject and no more; from
    `erased_at` on there is nothing of whoever wrote or got it, and nothing comes back (CT-21).
    """

    organisation: str
    id: UUID
    conversation: str
    mailbox: str
    at: datetime
    content: Content
    message_id: str | None = None
    references: tuple[str, ...] = ()
    sender: Mailbox | None = None
    recipients: Recipients = NOBODY
    automatic: str | None = None
    purpose: str | None = None
    outcome: str | None = None
    delivery: Delivery | None = None
    doubts: tuple[str, ...] = ()
    removed_at: datetime | None = None
    erased_at: datetime | None = None

    @property
    def key(self) -> Key:
        return self.organisation, self.id

    @property
    def order(self) -> tuple[datetime, UUID]:
        """Mails are told older from newer by this."""
        return self.at, self.id

    @property
    def incoming(self) -> bool:
        return self.purpose is None


_MAILBOX: TypeAdapter[Mailbox | None] = TypeAdapter(Mailbox | None)
_DELIVERY: TypeAdapter[Delivery | None] = TypeAdapter(Delivery | None)

_COLUMNS: tuple[tuple[str, str, Any], ...] = (
    ("organisation", "text", lambda m: m.organisation),
    ("id", "uuid", lambda m: m.id),
    ("direction", "text", lambda m: "in" if m.incoming else "out"),
    ("message_id", "text", lambda m: m.message_id),
    ("references", "jsonb", lambda m: json(m.references)),
    ("conversation", "text", lambda m: m.conversation),
    ("mailbox", "text", lambda m: m.mailbox),
    ("at", "timestamptz", lambda m: m.at),
    ("sender", "jsonb", lambda m: json(m.sender)),
    ("recipients", "jsonb", lambda m: json(m.recipients)),
    ("content", "jsonb", lambda m: json(m.content)),
    ("automatic", "text", lambda m: m.automatic),
    ("purpose", "text", lambda m: m.purpose),
    ("outcome", "text", lambda m: m.outcome),
    ("delivery", "jsonb", lambda m: json(m.delivery)),
    ("doubts", "jsonb", lambda m: json(m.doubts)),
    ("removed_at", "timestamptz", lambda m: m.removed_at),
    ("erased_at", "timestamptz", lambda m: m.erased_at),
)
_COLUMN_NAMES = tuple(name for name, _, _ in _COLUMNS)

# A content that is as it was is not sent again: it may be long, and words are indexed.
_UPDATE = """
UPDATE mails AS old SET message_id = new.message_id, sender = new.sender, recipients = new.recipients,
    content = coalesce(new.content, old.content), outcome = new.outcome, delivery = new.delivery,
    removed_at = new.removed_at
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::jsonb[], $5::jsonb[], $6::jsonb[], $7::text[],
    $8::jsonb[], $9::timestamptz[])
    AS new (organisation, id, message_id, sender, recipients, content, outcome, delivery, removed_at)
WHERE old.organisation = new.organisation AND old.id = new.id
"""
_BY_ID = """
SELECT mails.* FROM mails
JOIN unnest($1::text[], $2::uuid[]) AS asked (organisation, id) USING (organisation, id)
"""
_BY_MESSAGE_ID = """
SELECT mails.* FROM mails
JOIN unnest($1::text[], $2::text[]) AS asked (organisation, message_id) USING (organisation, message_id)
"""
_NEWEST_INCOMING = """
SELECT asked.activity, newest.* FROM unnest($1::text[], $2::uuid[]) AS asked (organisation, activity)
CROSS JOIN LATERAL (
    SELECT mails.* FROM activity_mails AS stands
    JOIN mails ON mails.organisation = stands.organisation AND mails.id = stands.mail
    WHERE stands.organisation = asked.organisation AND stands.activity = asked.activity
      AND mails.direction = 'in' AND NOT stands.continued AND stands.takes_answers
    ORDER BY mails.at DESC, mails.id DESC LIMIT 1
) AS newest
"""


async def by_id(connection: Connection, keys: Collection[Key]) -> list[Mail]:
    """The mails of these ids that are known."""
    return await _mails(connection, _BY_ID, keys)


async def by_message_id(connection: Connection, keys: Collection[tuple[str, str]]) -> list[Mail]:
    """The mails with these Message-IDs, given as (organisation, Message-ID); more than one may share one."""
    return await _mails(connection, _BY_MESSAGE_ID, keys)


async def newest_incoming(connection: Connection, activities: Collection[Key]) -> dict[Key, Mail]:
    """Of each activity the newest mail that came in, for activities that have one."""
    if not activities:
        return {}
    rows = await connection.fetch(_NEWEST_INCOMING, *columns(activities, 2))
    return {(row["organisation"], row["activity"]): _mail(row) for row in rows}


async def add(connection: Connection, mails: Collection[Mail]) -> None:
    """Keep new mails. Raises `FamilyMoved` when another transaction kept one of them meanwhile."""
    rows = [_row(mail) for mail in sorted(mails, key=lambda mail: mail.key)]
    await add_new(connection, "mails", _COLUMN_NAMES, rows)


async def update(connection: Connection, before: Mapping[Key, Mail], mails: Collection[Mail]) -> None:
    """Write what notify reported of outgoing mails, and what came in again after it had been removed.

    `before` has them as they were read; their activities' families are locked.
    """
    rows = [
        (
            *(*mail.key, mail.message_id, json(mail.sender), json(mail.recipients)),
            json(mail.content) if mail.content != before[mail.key].content else None,
            *(mail.outcome, json(mail.delivery), mail.removed_at),
        )
        for mail in mails
    ]
    if rows:
        await connection.execute(_UPDATE, *columns(rows, 9))


async def _mails(connection: Connection, statement: str, keys: Collection[tuple[str, Any]]) -> list[Mail]:
    if not keys:
        return []
    return [_mail(row) for row in await connection.fetch(statement, *columns(keys, 2))]


def _row(mail: Mail) -> tuple[Any, ...]:
    return tuple(fill(mail) for _, _, fill in _COLUMNS)


def _mail(row: Any) -> Mail:
    return Mail(
        organisation=row["organisation"],
        id=row["id"],
        conversation=row["conversation"],
        mailbox=row["mailbox"],
        at=row["at"],
        content=Content.model_validate(row["content"]),
        message_id=row["message_id"],
        references=tuple(row["references"]),
        sender=_MAILBOX.validate_python(row["sender"]),
        recipients=Recipients.model_validate(row["recipients"]),
        automatic=row["automatic"],
        purpose=row["purpose"],
        outcome=row["outcome"],
        delivery=_DELIVERY.validate_python(row["delivery"]),
        doubts=tuple(row["doubts"]),
        removed_at=row["removed_at"],
        erased_at=row["erased_at"],
    )
