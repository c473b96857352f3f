"""From what happened to what is said: domain events as records of the contract, answers, mails for notify.

Everything said follows from a cause, the envelope of the record that led to it, and so do the ids of what
is said: a replay says the same again (design §2).
"""

from uuid import UUID

from services.activity.domain.activity import Activity
from services.activity.domain.refusals import Refusal
from shared.contracts import activity_activities as said
from shared.contracts.activity_answers import (
    AlsoChanged,
    AskedBy,
    ContactAccepted,
    RequestAccepted,
    RequestRefused,
)
from shared.contracts.activity_calls import CallMade
from shared.contracts.envelope import Envelope, source_of
from shared.contracts.ingest_requests import MailForget as ForgetReceived
from shared.contracts.ingest_requests import MailReinject, MailSetAside
from shared.contracts.notify_requests import MailCompose
from shared.contracts.notify_requests import MailForget as ForgetSent
from shared.contracts.record import Record
from shared.identity import derive
from shared.outbox import Outgoing
from shared.references import Reference
from shared.topics import (
    ACTIVITY_ACTIVITIES,
    ACTIVITY_ANSWERS,
    ACTIVITY_CALLS,
    INGEST_REQUESTS,
    NOTIFY_REQUESTS,
    Topic,
)

SOURCE = source_of("activity")
EFFECT = "effect"
"""The one thing that a request may make beside its step: a note, a mail, a file."""

Answer = RequestAccepted | ContactAccepted | RequestRefused


def event(cause: Envelope, ordinal: int, activity: Activity, happened: said.ActivityRecord) -> Outgoing:
    """The `ordinal`-th event of a cause, keyed by its activity."""
    return _outgoing(
        cause, f"event/{ordinal}", ACTIVITY_ACTIVITIES, str(activity.id), happened, str(activity.reference)
    )


def answer(cause: Envelope, record: Answer) -> Outgoing:
    """The answer to a request, keyed by the request's id; told again it is the same record."""
    return _outgoing(cause, "answer", ACTIVITY_ANSWERS, cause.id, record, getattr(record, "reference", None))


def mail_request(cause: Envelope, compose: MailCompose) -> Outgoing:
    """A mail asked of notify, keyed by its conversation."""
    return _outgoing(
        cause, f"mail/{compose.mail}", NOTIFY_REQUESTS, compose.conversation, compose, compose.reference
    )


def call_made(cause: Envelope, made: CallMade) -> Outgoing:
    """A call to an external system, keyed by its Action."""
    ordinal = f"call/{made.activity}/{made.attempt}"
    return _outgoing(cause, ordinal, ACTIVITY_CALLS, str(made.activity), made, made.reference)


def mail_set_aside(cause: Envelope, conversation: str, request: MailSetAside) -> Outgoing:
    """A mail given back to ingest, because nothing here could take it (UH-1)."""
    return _outgoing(cause, f"set aside/{request.mail}", INGEST_REQUESTS, conversation, request, None)


def mail_reinject(cause: Envelope, conversation: str, request: MailReinject) -> Outgoing:
    """A mail that is to begin a new activity (CE-3)."""
    ordinal = f"reinject/{request.activity}/{request.mail}"
    return _outgoing(cause, ordinal, INGEST_REQUESTS, conversation, request, None)


def mail_forget(
    cause: Envelope, mail: UUID, conversation: str, *, incoming: bool, erase: bool = False
) -> Outgoing:
    """A mail that nobody needs any more, or that has to go (CT-21), told to whoever has its bytes."""
    if incoming:
        request: Record = ForgetReceived(mail=mail, erase=erase)
        return _outgoing(cause, f"forget/{mail}", INGEST_REQUESTS, conversation, request, None)
    return _outgoing(cause, f"forget/{mail}", NOTIFY_REQUESTS, conversation, ForgetSent(mail=mail), None)


def accepted(
    cause: Envelope,
    activity: Activity,
    *others: Activity,
    opened: Reference | None = None,
    file: UUID | None = None,
) -> RequestAccepted:
    """The answer to a request that was done; `others` were opened or changed by it, too.

    `opened` is the new activity that came of it, also if it came earlier; `file` was put on it.
    """
    return RequestAccepted(
        request=asked_by(cause),
        activity=activity.id,
        reference=str(activity.reference),
        status=activity.status.value,
        version=activity.version,
        opened=str(opened) if opened else None,
        file=file,
        others=tuple(
            AlsoChanged(
                activity=other.id,
                reference=str(other.reference),
                status=other.status.value,
                version=other.version,
            )
            for other in others
        ),
    )


def refused(cause: Envelope, refusal: Refusal, reference: str | None) -> RequestRefused:
    """The answer to a request that the rules refuse."""
    return RequestRefused(
        request=asked_by(cause),
        code=refusal.code.value,
        detail=refusal.sentence,
        reference=reference,
        state=refusal.state.value,
        step=refusal.step,
        missing=tuple(map(str, refusal.missing)),
        version=refusal.version,
        holder=refusal.holder,
    )


def asked_by(cause: Envelope) -> AskedBy:
    return AskedBy(source=cause.source, id=cause.id, type=cause.type)


def _outgoing(
    cause: Envelope, ordinal: str, topic: Topic, key: str, record: Record, subject: str | None
) -> Outgoing:
    full_key = topic.key_for(cause.organisation, key)
    envelope = Envelope(
        id=str(effect_id(cause, ordinal)),
        source=SOURCE,
        type=record.type,
        time=getattr(record, "at", None) or getattr(record, "requested", None) or cause.time,
        organisation=cause.organisation,
        subject=subject,
        partitionkey=full_key,
        correlationid=cause.correlationid or cause.id,
        causationid=cause.id,
        traceparent=cause.traceparent,
    )
    return Outgoing(topic, full_key, envelope, record)


def effect_id(cause: Envelope, ordinal: str = EFFECT) -> UUID:
    """The id of an effect of `cause`; `ordinal` tells its effects apart."""
    return derive(cause.time, cause.source, f"{cause.organisation}/{cause.id}", ordinal)
