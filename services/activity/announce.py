"""From what happened to what is said: domain events as records of the contract, answers, mails for notify.

Everything said follows from a cause, the envelope of the record that led to it, and so do the ids of what
is said: a replay says the same again (design §2).
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.activity.announce_links import OF_SEVERAL, Fields
from services.activity.domain.activity import Activity
from services.activity.domain.due_dates import first_due
from services.activity.domain.events import (
    ContactTagged,
    DeliveryReported,
    DueChanged,
    Edited,
    Event,
    FeedbackGiven,
    HandedAgain,
    HoldersChanged,
    InformationMarked,
    KeepingChanged,
    MailAppended,
    MailRequested,
    MarkedForPerson,
    NoteAdded,
    Opened,
    StatusChanged,
)
from services.activity.domain.refusals import Refusal
from services.activity.due_records import record_of as due_record
from shared.contracts import activity_activities as said
from shared.contracts.activity_answers import AskedBy, ContactAccepted, RequestAccepted, RequestRefused
from shared.contracts.activity_due import DueDate
from shared.contracts.activity_requests import Actor, ActorKind
from shared.contracts.envelope import Envelope, source_of
from shared.contracts.ingest_requests import MailForget as ForgetReceived
from shared.contracts.ingest_requests import MailReinject, MailSetAside
from shared.contracts.notify_requests import MailCompose
from shared.contracts.notify_requests import MailForget as ForgetSent
from shared.contracts.record import Record
from shared.identity import derive
from shared.outbox import Outgoing
from shared.references import Reference
from shared.topics import ACTIVITY_ACTIVITIES, ACTIVITY_ANSWERS, INGEST_REQUESTS, NOTIFY_REQUESTS, Topic

SOURCE = source_of("activity")

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


def mail_set_aside(cause: Envelope, conversation: str, request: MailSetAside) -> Outgoing:
    """A mail given back to ingest, because nothing here could take it (UH-1)."""
    return _outgoing(cause, f"set aside/{request.mail}", INGEST_REQUESTS, conversation, request, None)


def mail_reinject(cause: Envelope, conversation: str, request: MailReinject) -> Outgoing:
    """A mail that is to begin a new activity (CE-3)."""
    ordinal = f"reinject/{request.activity}/{request.mail}"
    return _outgoing(cause, ordinal, INGEST_REQUESTS, conversation, request, None)


def mail_forget(cause: Envelope, mail: UUID, conversation: str, *, incoming: bool) -> Outgoing:
    """A mail that nobody needs any more, told to whoever has its bytes."""
    if incoming:
        request: Record = ForgetReceived(mail=mail)
        return _outgoing(cause, f"forget/{mail}", INGEST_REQUESTS, conversation, request, None)
    return _outgoing(cause, f"forget/{mail}", NOTIFY_REQUESTS, conversation, ForgetSent(mail=mail), None)


def accepted(cause: Envelope, activity: Activity, opened: Reference | None = None) -> RequestAccepted:
    """The answer to a request that was done; `opened` is the new activity that came of it."""
    return RequestAccepted(
        request=asked_by(cause),
        activity=activity.id,
        reference=str(activity.reference),
        status=activity.status.value,
        version=activity.version,
        opened=str(opened) if opened else None,
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
        missing=tuple(refusal.missing),
        version=refusal.version,
        holder=refusal.holder,
    )


def asked_by(cause: Envelope) -> AskedBy:
    return AskedBy(source=cause.source, id=cause.id, type=cause.type)


def record_of(activity: Activity, happened: Event, configuration: int) -> said.ActivityRecord:
    """An event as the contract says it; `activity` is what the event left behind."""
    model, fields = RECORDS[type(happened)]
    stamp = happened.stamp
    return model(
        activity=activity.id,
        reference=str(activity.reference),
        version=activity.version,
        at=stamp.at,
        actor=Actor(kind=ActorKind(stamp.by.kind.value), id=stamp.by.id),
        rule=stamp.rule,
        configuration=configuration,
        **fields(happened, configuration),
    )


def _opened(happened: Opened, _: int) -> dict[str, Any]:
    return {
        "family": happened.family,
        "process": happened.process,
        "mailbox": happened.mailbox,
        "conversation": happened.conversation,
        "category": happened.category,
        "started_by": happened.started_by.value,
        "status": happened.status.value,
        "holders": _holders(happened),
        "contacts": tuple(
            said.TaggedContact(contact=each.contact, tag=each.tag.value) for each in happened.contacts
        ),
        "mail": happened.mail,
        "automated_mail": happened.automated_mail,
        "custom_fields": tuple(each.name for each in happened.fields),
        "due": _first_due(happened),
    }


def _first_due(happened: Opened) -> DueDate | None:
    usual = happened.due == first_due(happened.status, happened.stamp.at)
    return None if usual else due_record(happened.due)


def _status_changed(happened: StatusChanged, _: int) -> dict[str, Any]:
    wait, timer = happened.wait, happened.timer
    return {
        "was": happened.was.value,
        "status": happened.status.value,
        "reason": happened.reason.value,
        "wait": wait and wait.type.value,
        "days": wait and wait.days,
        "close_if_no_response": bool(wait and wait.close_if_no_response),
        "wait_reason": wait and wait.reason,
        "until": wait and wait.until,
        "method": happened.method and happened.method.value,
        "written": happened.written,
        "generation": happened.generation,
        "due_at": timer and timer.due_at,
        "closes": bool(timer and timer.closes),
        "holders": _holders(happened),
        "due": due_record(happened.due),
    }


def _holders(happened: Opened | StatusChanged | HoldersChanged) -> said.Holders:
    holders = happened.holders
    return said.Holders(assignee=holders.assignee, owner=holders.owner, queue=holders.queue)


def _edited(happened: Edited, _: int) -> dict[str, Any]:
    written = ("title", "description", "category")
    return {
        "fields": tuple(name for name in written if getattr(happened, name) is not None),
        "category": happened.category,
        "custom_fields": tuple(each.name for each in happened.fields),
        "due": due_record(happened.due),
    }


def _mail_appended(happened: MailAppended, _: int) -> dict[str, Any]:
    return {
        "mail": happened.mail,
        "matched_by": happened.matched_by.value,
        "automatic": happened.automatic,
        "review": tuple(sorted(review.value for review in happened.review)),
    }


def _contact_tagged(happened: ContactTagged, _: int) -> dict[str, Any]:
    tagged = happened.tagged
    return {"contact": tagged.contact, "tag": tagged.tag.value, "removed": happened.removed}


RECORDS: Mapping[type[Event], tuple[type[said.ActivityRecord], Fields]] = {
    **OF_SEVERAL,
    Opened: (said.TicketOpened, _opened),
    Edited: (said.TicketEdited, _edited),
    StatusChanged: (said.TicketStatusChanged, _status_changed),
    HoldersChanged: (said.TicketHeld, lambda happened, _: {"holders": _holders(happened)}),
    DueChanged: (said.TicketDueChanged, lambda happened, _: {"due": due_record(happened.due)}),
    MailAppended: (said.TicketMailAppended, _mail_appended),
    InformationMarked: (said.TicketInformationMarked, lambda happened, _: {"new": happened.new}),
    NoteAdded: (said.TicketNoted, lambda happened, _: {"note": happened.note}),
    ContactTagged: (said.TicketContactTagged, _contact_tagged),
    MailRequested: (
        said.TicketMailRequested,
        lambda happened, _: {"mail": happened.mail, "purpose": happened.purpose.value},
    ),
    DeliveryReported: (
        said.TicketMailReported,
        lambda happened, _: {"mail": happened.mail, "outcome": happened.outcome.value},
    ),
    KeepingChanged: (said.TicketKeepingChanged, lambda happened, _: {"user": happened.user}),
    MarkedForPerson: (
        said.TicketMarkedForPerson,
        lambda happened, _: {"robot": happened.robot, "note": happened.note},
    ),
    HandedAgain: (said.TicketHandedAgain, lambda happened, _: {"robot": happened.robot}),
    FeedbackGiven: (
        said.TicketFeedbackGiven,
        lambda happened, _: {"rating": happened.rating, "note": happened.note},
    ),
}


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


def effect_id(cause: Envelope, ordinal: str) -> UUID:
    """The id of an effect of `cause`; `ordinal` tells its effects apart."""
    return derive(cause.time, cause.source, f"{cause.organisation}/{cause.id}", ordinal)
