"""What an activity is after an event: its history replays to its state."""

from typing import Any, assert_never

from msgspec.structs import replace

from services.activity.domain import custom_fields
from services.activity.domain.activity import Activity, Reopening, Resolution, Written
from services.activity.domain.approval_events import ApprovalAsked, ApprovalGiven
from services.activity.domain.call_events import CallAnswered, Called
from services.activity.domain.course import Course
from services.activity.domain.events import (
    ActionEnded,
    ActionLaunched,
    AttentionMarked,
    CaseNotStarted,
    ChecklistAnswered,
    ContactTagged,
    Converted,
    DeliveryReported,
    DepartureMarked,
    DueChanged,
    Edited,
    Event,
    FeedbackGiven,
    FileAdded,
    FileEdited,
    FileRemoved,
    HandedAgain,
    HoldersChanged,
    InformationMarked,
    KeepingChanged,
    Linked,
    MailAppended,
    MailContinued,
    MailCopied,
    MailRequested,
    MailShared,
    MarkedForPerson,
    Merged,
    NoSubCase,
    NoteAdded,
    NotSent,
    Opened,
    ReviewAsked,
    Reworked,
    StatusChanged,
    StepEntered,
    SubCaseEnded,
    SubCaseStarted,
    TookOver,
    Unlinked,
    WasSplit,
)
from services.activity.domain.evolving_cases import course_after, task_after
from services.activity.domain.states import Status
from services.activity.domain.task import Task
from services.activity.domain.vocabulary import Purpose
from shared.references import ReferenceKind

OF_CONTACTS = frozenset({"CT-20", "CT-21"})
"""Rows whose steps come of what is done to a contact, on whichever activities it stands."""
PREVIOUS_KEPT = 10
"""How many of those who had an activity before are remembered (ST-20)."""


def evolve(activity: Activity | None, event: Event) -> Activity:
    """The activity after `event`. Raises `ValueError` where the two cannot follow each other."""
    if activity is None:
        if isinstance(event, Opened):
            return _opened(event)
        raise ValueError(f"{type(event).__name__} cannot be the first event of an activity")
    version = activity.version + 1
    changed = activity.changed if isinstance(event, DeliveryReported | FeedbackGiven) else version
    return replace(activity, version=version, changed=changed, **_changes(activity, event))


def _changes(activity: Activity, event: Event) -> dict[str, Any]:
    """The fields that an event changes, so that there is one copy for all of them."""
    match event:
        case StatusChanged():
            return _in_status(activity, event)
        case Edited(title=title, description=description, category=category, fields=fields):
            written = {"title": title, "description": description, "category": category, "due": event.due}
            edited: dict[str, Any] = {name: text for name, text in written.items() if text is not None}
            return edited | {"fields": custom_fields.after(activity.fields, fields)} | _updated(event)
        case HoldersChanged(holders=holders):
            # Who takes over work in progress begins a session of his own (ST-23, AMB-43).
            taken_over = activity.status is Status.IN_PROGRESS and holders.person != activity.holders.person
            return _held(activity, event) | ({"written": ()} if taken_over else {})
        case DueChanged(due=due):
            return {"due": due}
        case InformationMarked(new=new):
            return {"new_information": new} | ({} if new else {"returned": False})
        case ContactTagged(tagged=tagged, removed=True):
            return {"contacts": activity.contacts - {tagged}} | _updated(event)
        case ContactTagged(tagged=tagged):
            return {"contacts": activity.contacts | {tagged}} | _updated(event)
        case Linked(link=link):
            return {"links": activity.links | {link.activity}}
        case Unlinked(link=link):
            return {"links": activity.links - {link.activity}}
        case DepartureMarked(departure=departure):
            others = tuple(each for each in activity.departures if each.mail != departure.mail)
            return {"departures": (*others, departure)}
        case NoteAdded(note=id) | MailRequested(mail=id, purpose=Purpose.REPLY):
            author = event.stamp.by
            earlier_by_others = (earlier for earlier in activity.written if earlier.by != author)
            return {"written": (*earlier_by_others, Written(author, id))}
        case MailRequested(mail=mail, purpose=Purpose.ACTION):
            return {"task": replace(task_of(activity), mail=mail)}
        case MailRequested(purpose=Purpose.APPROVAL) | ApprovalAsked() | ApprovalGiven():
            return {"task": task_after(task_of(activity), event)}
        case KeepingChanged(user=user):
            return {"keep_with_me": user}
        case MarkedForPerson():
            return {"for_person": True}
        case HandedAgain():
            return {"handed_again": activity.handed_again + 1}
        case Merged(into=into) | Converted(into=into):
            return {"merged_into": into.activity}
        case (
            MailAppended()
            | MailContinued()
            | MailCopied()
            | MailShared()
            | MailRequested()
            | DeliveryReported()
            | FeedbackGiven()
        ):
            return {}
        case NotSent() | CaseNotStarted() | NoSubCase():
            return {}
        case WasSplit() | TookOver() | FileAdded() | FileEdited() | FileRemoved():
            return {}
        case StepEntered() | ActionLaunched() | ActionEnded() | AttentionMarked() | Reworked():
            return {"course": course_after(course_of(activity), event)}
        case SubCaseStarted() | SubCaseEnded():
            return {"course": course_after(course_of(activity), event)}
        case ChecklistAnswered():
            return {"task": task_after(task_of(activity), event)} | _updated(event)
        case ReviewAsked(done_by=done_by):
            return {"task": replace(task_of(activity), done_by=done_by), "for_person": True}
        case Called() | CallAnswered():
            return {"task": task_after(task_of(activity), event)}
        case Opened():
            raise ValueError(f"{activity.reference} cannot be opened a second time")
    assert_never(event)


def course_of(activity: Activity) -> Course:
    """How far a Case has come. Raises `ValueError` for what is none."""
    if activity.course is None:
        raise ValueError(f"{activity.reference} is no Case")
    return activity.course


def task_of(activity: Activity) -> Task:
    """What an Action is to do. Raises `ValueError` for what is none."""
    if activity.task is None:
        raise ValueError(f"{activity.reference} is no Action")
    return activity.task


def _opened(event: Opened) -> Activity:
    return Activity(
        id=event.activity,
        organisation=event.organisation,
        family=event.family,
        reference=event.reference,
        process=event.process,
        title=event.title,
        description=event.description,
        category=event.category,
        status=event.status,
        started_by=event.started_by,
        conversation=event.conversation,
        created_at=event.stamp.at,
        started_at=event.started_at or event.stamp.at,
        parent=event.parent.activity if event.parent else None,
        borne_by=event.bearer,
        mailbox=event.mailbox,
        opening_mail=event.mail,
        automated_mail=event.automated_mail,
        holders=event.holders,
        contacts=frozenset(event.contacts),
        due=event.due,
        fields=event.fields,
        for_person=event.reference.kind is ReferenceKind.CASE,
        flow=event.flow,
        course=Course() if event.flow else None,
        task=event.task,
        version=1,
        changed=1,
    )


def _updated(event: Event) -> dict[str, Any]:
    """Users and robots update; what the system or an integration does is nobody's claim (ST-20).

    Nor is it a claim on each of a contact's activities to have merged or erased the contact.
    """
    by = event.stamp.by
    return {"last_updater": by.id} if by.is_resource and event.stamp.rule not in OF_CONTACTS else {}


def _held(activity: Activity, event: StatusChanged | HoldersChanged) -> dict[str, Any]:
    """Who has it now, and what that leaves of earlier claims.

    Back in its queue it is for anybody: who had it before has no claim any more.
    """
    person, before = event.holders.person, activity.holders.person
    changes: dict[str, Any] = {"holders": event.holders, "handed_again": 0}
    if isinstance(event, StatusChanged) and event.status is Status.CLOSED:
        return changes
    if person is None:
        return changes | {"keep_with_me": None, "last_updater": None, "previous": ()}
    changes |= {"for_person": _never_a_robots(activity)} | _updated(event)
    if person != before:
        others = (each for each in activity.previous if each not in (person, before))
        changes["previous"] = ((before,) if before else ()) + tuple(others)
        changes["previous"] = changes["previous"][:PREVIOUS_KEPT]
        changes["keep_with_me"] = person if activity.keep_with_me == person else None
    return changes


def _never_a_robots(activity: Activity) -> bool:
    """Robots are never given Cases, nor what others did to look at (ST-24)."""
    return activity.reference.kind is ReferenceKind.CASE or bool(activity.task and activity.task.done_by)


def _in_status(activity: Activity, event: StatusChanged) -> dict[str, Any]:
    at, by = event.stamp.at, event.stamp.by
    changes: dict[str, Any] = {
        "status": event.status,
        "wait": event.wait,
        "timer": event.timer,
        "generation": event.generation,
        **_held(activity, event),
        # Back in the Inbox, highlighted (ST-10); whoever picks it up has seen it.
        "returned": event.was in (Status.WAIT, Status.RESOLVED) and event.status is Status.TO_DO,
    }
    if event.due is not None:
        changes["due"] = event.due
    if event.method:
        resolution = Resolution(event.method, by, event.resolved_at or at, event.written)
        # The first resolution is kept for ever, reopening data beside it (ST-15).
        changes |= {
            "resolution": resolution,
            "first_resolution": activity.first_resolution or resolution,
        }
    if event.was is Status.RESOLVED and event.status is not Status.CLOSED:
        changes["reopening"] = Reopening(by, at)
    if event.status is Status.RESOLVED and activity.course:
        changes["course"] = replace(activity.course, over=True)
    if event.status is Status.CLOSED and activity.course:
        # What runs still ends with it (A13, AMB-51).
        changes["course"] = replace(activity.course, running=(), sub_cases=())
    if event.status is Status.IN_PROGRESS:
        # In Progress begins a session: what was written before it is no resolution of it (AMB-43).
        changes["written"] = ()
    return changes
