"""Domain events as records of `activity.activities.v1`, one kind of record for each kind of event."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from services.activity.announce_cases import OF_CASES, flow_record, task_record
from services.activity.announce_files import OF_FILES
from services.activity.announce_links import OF_SEVERAL, Fields, other_record
from services.activity.domain.activity import Activity
from services.activity.domain.due_dates import first_due
from services.activity.domain.events import (
    ContactTagged,
    Converted,
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
    Merged,
    NoteAdded,
    Opened,
    StatusChanged,
    TookOver,
    WasSplit,
)
from services.activity.due_records import record_of as due_record
from shared.contracts import activity_activities as said
from shared.contracts.activity_due import DueDate
from shared.contracts.activity_requests import Actor, ActorKind
from shared.contracts.record import type_for
from shared.references import ReferenceKind


def record_of(activity: Activity, happened: Event, configuration: int) -> said.ActivityRecord:
    """An event as the contract says it; `activity` is what the event left behind."""
    model, fields = RECORDS[type(happened)]
    stamp = happened.stamp
    return model(
        type=_type_of(model, activity.reference.kind),
        activity=activity.id,
        reference=str(activity.reference),
        version=activity.version,
        at=stamp.at,
        actor=Actor(kind=ActorKind(stamp.by.kind.value), id=stamp.by.id),
        rule=stamp.rule,
        configuration=configuration,
        **fields(happened, configuration),
    )


@cache
def _type_of(model: type[said.ActivityRecord], kind: ReferenceKind) -> str:
    """The name that the record goes by for this kind of activity."""
    name = type_for(model, kind)
    if name is None:
        raise ValueError(f"{model.__name__} has no name for {kind.phrase}")
    return name


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
        "parent": happened.parent and other_record(happened.parent),
        "started_at": happened.started_at,
        "flow": happened.flow and flow_record(happened.flow),
        "task": happened.task and task_record(happened.task),
        "bearer": happened.bearer,
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
        "resolved_at": happened.resolved_at,
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
    **OF_FILES,
    **OF_CASES,
    Opened: (said.ActivityOpened, _opened),
    Edited: (said.ActivityEdited, _edited),
    StatusChanged: (said.ActivityStatusChanged, _status_changed),
    HoldersChanged: (said.ActivityHeld, lambda happened, _: {"holders": _holders(happened)}),
    DueChanged: (said.ActivityDueChanged, lambda happened, _: {"due": due_record(happened.due)}),
    MailAppended: (said.ActivityMailAppended, _mail_appended),
    InformationMarked: (said.ActivityInformationMarked, lambda happened, _: {"new": happened.new}),
    NoteAdded: (said.ActivityNoted, lambda happened, _: {"note": happened.note}),
    ContactTagged: (said.ActivityContactTagged, _contact_tagged),
    WasSplit: (
        said.TicketSplitInto,
        lambda happened, _: {"into": tuple(other_record(each) for each in happened.into)},
    ),
    Converted: (
        said.TicketConverted,
        lambda happened, _: {"into": other_record(happened.into), "process": happened.process},
    ),
    Merged: (said.TicketMerged, lambda happened, _: {"into": other_record(happened.into)}),
    TookOver: (said.ActivityTookOver, lambda happened, _: {"source": other_record(happened.source)}),
    MailRequested: (
        said.ActivityMailRequested,
        lambda happened, _: {"mail": happened.mail, "purpose": happened.purpose.value},
    ),
    DeliveryReported: (
        said.ActivityMailReported,
        lambda happened, _: {"mail": happened.mail, "outcome": happened.outcome.value},
    ),
    KeepingChanged: (said.ActivityKeepingChanged, lambda happened, _: {"user": happened.user}),
    MarkedForPerson: (
        said.ActivityMarkedForPerson,
        lambda happened, _: {"robot": happened.robot, "note": happened.note},
    ),
    HandedAgain: (said.ActivityHandedAgain, lambda happened, _: {"robot": happened.robot}),
    FeedbackGiven: (
        said.ActivityFeedbackGiven,
        lambda happened, _: {"rating": happened.rating, "note": happened.note},
    ),
}
