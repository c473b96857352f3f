"""Outgoing mail in Postgres: what is asked for. `store_queue` is for sending, `store_list` for looking."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notify.domain.delivery import Recipient, State
from services.notify.domain.rate import WINDOW
from services.notify.queued import MailKey
from shared.contracts.blob import Blob
from shared.contracts.envelope import Envelope
from shared.postgres import Connection, Json, columns, copy_in

QUEUE_CHANNEL = "notify_queue"
"""Postgres tells its listeners here that there is mail to send."""


@dataclass(frozen=True, slots=True)
class NewMail:
    """A decided request: composed, or refused if `refusal` is set.

    `recipients` are addresses; `counted` are those, as they are compared, that it counts against the hourly
    limit of.
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
    recipients: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    """All of it that is in the blob store."""


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
JOIN automatic_mails AS counted USING (organisation, address)
WHERE counted.at > $3
GROUP BY asked.organisation, asked.address
"""

_MAILS = (
    "organisation",
    "id",
    "activity",
    "reference",
    "conversation",
    "mailbox",
    "automatic",
    "state",
    "cause",
    "requested_at",
    "decided_at",
    "message_id",
    "subject",
    "sender",
    "home",
    "needs_smtputf8",
    "mime",
    "mime_blob",
    "recipients",
    "refusal",
    "reason",
    "due_at",
    "ended_at",
    "objects",
)

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
    await copy_in(connection, "outgoing_mails", _MAILS, [_mail_row(mail, now) for mail in mails])
    counted = [(mail.organisation, address, now) for mail in mails for address in mail.counted]
    await copy_in(connection, "automatic_mails", ("organisation", "address", "at"), counted)
    await wake(connection)


async def wake(connection: Connection) -> None:
    """Tell the senders, when the transaction commits, that there is something to do."""
    await connection.execute(_WAKE)


def _mail_row(mail: NewMail, now: datetime) -> tuple[Any, ...]:
    refused = mail.refusal is not None
    return (
        mail.organisation,
        mail.id,
        mail.activity,
        mail.reference,
        mail.conversation,
        mail.mailbox,
        mail.automatic,
        (State.REFUSED if refused else State.QUEUED).value,
        Json(mail.cause.model_dump_json(exclude_none=True).encode()),
        mail.requested_at,
        now,
        mail.message_id,
        mail.subject,
        mail.sender,
        mail.home,
        mail.needs_smtputf8,
        mail.mime,
        mail.mime_blob and Json.of(mail.mime_blob),
        Json.of([Recipient(address) for address in mail.recipients]),
        mail.refusal,
        mail.reason,
        None if refused else now,
        now if refused else None,
        mail.objects,
    )
