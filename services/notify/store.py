"""Outgoing mail in Postgres: what is asked for. `store_queue` is for sending, `store_list` for looking."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notify.domain.delivery import State
from services.notify.domain.rate import WINDOW
from services.notify.queued import MailKey
from shared.contracts.blob import Blob
from shared.contracts.envelope import Envelope
from shared.postgres import Connection, columns

QUEUE_CHANNEL = "notify_queue"
"""Postgres tells its listeners here that there is mail to send."""


@dataclass(frozen=True, slots=True)
class NewMail:
    """A decided request: composed, or refused if `refusal` is set.

    `recipients` are pairs of the address and, where it counts against the hourly limit, its counted spelling.
    """

    organisation: str
    id: UUID
    activity: UUID
    reference: str
    conversation: str
    mailbox: str
    automatic: bool
    cause: Envelope
    requested_at: datetime
    refusal: str | None = None
    reason: str = ""
    message_id: str | None = None
    subject: str = ""
    sender: str | None = None
    home: str | None = None
    needs_smtputf8: bool = False
    mime: bytes | None = None
    mime_blob: Blob | None = None
    recipients: tuple[tuple[str, str | None], ...] = ()


_KNOWN = """
SELECT mail.organisation, mail.id
FROM unnest($1::text[], $2::uuid[]) AS asked (organisation, id)
JOIN outgoing_mails AS mail USING (organisation, id)
"""

# In one order for everybody, so that two batches that name the same addresses wait instead of deadlocking.
_LOCK_ADDRESSES = """
SELECT pg_advisory_xact_lock(asked.key)
FROM (
    SELECT DISTINCT hashtextextended('notify.rate ' || organisation || ' ' || address, 0) AS key
    FROM unnest($1::text[], $2::text[]) AS asked (organisation, address)
    ORDER BY key
) AS asked
"""

_COUNT_ADDRESSES = """
SELECT asked.organisation, asked.address, count(*) AS mails
FROM unnest($1::text[], $2::text[]) AS asked (organisation, address)
JOIN outgoing_recipients AS counted
  ON counted.organisation = asked.organisation AND counted.counted_as = asked.address
 AND counted.counted_at > $3
GROUP BY asked.organisation, asked.address
"""

_ADD_MAILS = """
INSERT INTO outgoing_mails (
    organisation, id, activity, reference, conversation, mailbox, automatic, state, cause, requested_at,
    decided_at, message_id, subject, sender, home, needs_smtputf8, mime, mime_blob, refusal,
    reason, due_at, ended_at
)
SELECT
    new.organisation, new.id, new.activity, new.reference, new.conversation, new.mailbox, new.automatic,
    new.state, new.cause, new.requested_at, $1, new.message_id, new.subject, new.sender,
    new.home, new.needs_smtputf8, new.mime, new.mime_blob, new.refusal, new.reason,
    CASE WHEN new.refusal IS NULL THEN $1::timestamptz END,
    CASE WHEN new.refusal IS NOT NULL THEN $1::timestamptz END
FROM unnest(
    $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[],
    $10::jsonb[], $11::timestamptz[], $12::text[], $13::text[], $14::text[], $15::text[], $16::boolean[],
    $17::bytea[], $18::jsonb[], $19::text[], $20::text[]
) AS new (
    organisation, id, activity, reference, conversation, mailbox, automatic, state, cause,
    requested_at, message_id, subject, sender, home, needs_smtputf8, mime,
    mime_blob, refusal, reason
)
"""

_ADD_RECIPIENTS = """
INSERT INTO outgoing_recipients (organisation, mail, position, address, counted_as, counted_at)
SELECT new.organisation, new.mail, new.position, new.address, new.counted_as,
       CASE WHEN new.counted_as IS NOT NULL THEN $1::timestamptz END
FROM unnest($2::text[], $3::uuid[], $4::int[], $5::text[], $6::text[])
    AS new (organisation, mail, position, address, counted_as)
"""

_WAKE = f"SELECT pg_notify('{QUEUE_CHANNEL}', '')"


async def known(connection: Connection, mails: Collection[MailKey]) -> set[MailKey]:
    """Which of these mails have been decided already."""
    rows = await connection.fetch(_KNOWN, *columns(list(mails), 2))
    return {(row["organisation"], row["id"]) for row in rows}


async def automatic_mails(
    connection: Connection, addresses: Collection[tuple[str, str]], now: datetime
) -> Counter[tuple[str, str]]:
    """How many automatic mails each (organisation, counted address) had in the window that ends now.

    The addresses stay locked until the transaction ends: nobody else counts or adds to them meanwhile.
    """
    if not addresses:
        return Counter()
    asked = columns(sorted(addresses), 2)
    await connection.execute(_LOCK_ADDRESSES, *asked)
    rows = await connection.fetch(_COUNT_ADDRESSES, *asked, now - WINDOW)
    return Counter({(row["organisation"], row["address"]): row["mails"] for row in rows})


async def add(connection: Connection, mails: Sequence[NewMail], now: datetime) -> None:
    """Keep decided mails, and wake the sender when the transaction commits."""
    if not mails:
        return
    await connection.execute(_ADD_MAILS, now, *columns([_mail_row(mail) for mail in mails], 19))
    recipients = [
        (mail.organisation, mail.id, position, address, counted_as)
        for mail in mails
        for position, (address, counted_as) in enumerate(mail.recipients)
    ]
    await connection.execute(_ADD_RECIPIENTS, now, *columns(recipients, 5))
    await wake(connection)


async def wake(connection: Connection) -> None:
    """Tell the senders, when the transaction commits, that there is something to do."""
    await connection.execute(_WAKE)


def _mail_row(mail: NewMail) -> tuple[Any, ...]:
    state = State.QUEUED if mail.refusal is None else State.REFUSED
    return (
        mail.organisation,
        mail.id,
        mail.activity,
        mail.reference,
        mail.conversation,
        mail.mailbox,
        mail.automatic,
        state.value,
        mail.cause.model_dump(mode="json", exclude_none=True),
        mail.requested_at,
        mail.message_id,
        mail.subject,
        mail.sender,
        mail.home,
        mail.needs_smtputf8,
        mail.mime,
        mail.mime_blob and mail.mime_blob.model_dump(mode="json"),
        mail.refusal,
        mail.reason,
    )
