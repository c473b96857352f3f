"""What notify says of outgoing mail on `notify.mails.v1`, keyed by conversation.

Ids follow from the request and what is said of it, so a replay says the same again (design §2).
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from services.notify.domain.delivery import Recipient, Result, State
from services.notify.domain.mail import ComposedMail, Person, Refusal
from services.notify.queued import QueuedMail, Settled
from shared.contracts.activity_answers import AskedBy
from shared.contracts.envelope import Envelope, source_of
from shared.contracts.mail import Content, Delivery, Mailbox, RecipientResult
from shared.contracts.notify_mails import (
    MailComposed,
    MailDeferred,
    MailFailed,
    MailRefused,
    MailSent,
    OutgoingMail,
    RequestRefused,
)
from shared.contracts.notify_requests import MailCompose
from shared.contracts.record import Record
from shared.identity import derive
from shared.outbox import Outgoing
from shared.topics import NOTIFY_MAILS

SOURCE = source_of("notify")

_DELIVERIES = {
    Result.ACCEPTED: Delivery.ACCEPTED,
    Result.PENDING: Delivery.DEFERRED,
    Result.DEFERRED: Delivery.DEFERRED,
    Result.REFUSED: Delivery.REFUSED,
}


def composed(cause: Envelope, request: MailCompose, mail: ComposedMail, content: Content) -> Outgoing:
    """It is in the queue, and this is what it says."""
    record = MailComposed(
        mail=request.mail,
        activity=request.activity,
        reference=request.reference,
        conversation=request.conversation,
        at=mail.composed_at,
        mailbox=request.mailbox,
        message_id=mail.message_id,
        sender=_mailbox(mail.sender),
        to=tuple(_mailbox(person) for person in mail.to),
        cc=tuple(_mailbox(person) for person in mail.cc),
        content=content,
    )
    return _outgoing(cause, "composed", record)


def refused(cause: Envelope, request: MailCompose, refusal: Refusal, at: datetime) -> Outgoing:
    """A rule forbids it: it was never tried."""
    record = MailRefused(
        mail=request.mail,
        activity=request.activity,
        reference=request.reference,
        conversation=request.conversation,
        at=at,
        code=refusal.code,
        detail=refusal.detail,
    )
    return _outgoing(cause, "refused", record)


def settled(result: Settled) -> Outgoing:
    """What an attempt led to, or that a person gave the mail up: one report each."""
    mail, about = result.mail, _about(result.mail, result.ended)
    record: OutgoingMail
    if result.due is not None:
        record = MailDeferred(**about, reason=result.reason, attempts=mail.attempts, next_attempt=result.due)
    elif result.state is State.SENT:
        record = MailSent(
            **about,
            message_id=mail.message_id,
            recipients=_results(result.recipients),
            attempts=mail.attempts,
        )
    else:
        record = MailFailed(
            **about, reason=result.reason, recipients=_results(result.recipients), attempts=mail.attempts
        )
    return _outgoing(mail.cause, f"{result.outcome}/{mail.attempts}", record)


def not_understood(cause: Envelope, detail: str) -> Outgoing:
    """A request that this version cannot read."""
    asked_by = AskedBy(source=cause.source, id=cause.id, type=cause.type)
    record = RequestRefused(request=asked_by, code="request_not_understood", detail=detail)
    return _outgoing(cause, "refused", record, key=cause.id)


def _about(mail: QueuedMail, at: datetime) -> dict[str, UUID | str | datetime]:
    return {
        "mail": mail.id,
        "activity": mail.activity,
        "reference": mail.reference,
        "conversation": mail.conversation,
        "at": at,
    }


def _outgoing(cause: Envelope, ordinal: str, record: Record, key: str | None = None) -> Outgoing:
    about = record if isinstance(record, OutgoingMail) else None
    full_key = NOTIFY_MAILS.key_for(cause.organisation, key or (about.conversation if about else cause.id))
    envelope = Envelope(
        id=str(derive(cause.time, cause.source, f"{cause.organisation}/{cause.id}", ordinal)),
        source=SOURCE,
        type=record.type,
        time=about.at if about else cause.time,
        organisation=cause.organisation,
        subject=about.reference if about else None,
        partitionkey=full_key,
        correlationid=cause.correlationid or cause.id,
        causationid=cause.id,
        traceparent=cause.traceparent,
    )
    return Outgoing(NOTIFY_MAILS, full_key, envelope, record)


def _mailbox(person: Person) -> Mailbox:
    return Mailbox(address=person.address, name=person.name)


def _results(recipients: Iterable[Recipient]) -> tuple[RecipientResult, ...]:
    return tuple(
        RecipientResult(
            address=each.address, delivery=_DELIVERIES[each.result], code=each.code, answer=each.answer
        )
        for each in recipients
    )
