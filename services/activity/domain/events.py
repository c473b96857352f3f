"""Events: what happened to an activity, and what it is after that. Its history replays to its state.

Each event becomes one record of the history and one of `activity.activities.v1`, so that an activity's
version counts both.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from services.activity.domain.activity import (
    Activity,
    Holders,
    Reopening,
    Resolution,
    Timer,
    Wait,
    Written,
)
from services.activity.domain.contacts import Tagged
from services.activity.domain.links import Earlier, Link
from services.activity.domain.states import Status
from services.activity.domain.steps import Review
from services.activity.domain.vocabulary import (
    Actor,
    MatchedBy,
    Method,
    Outcome,
    Purpose,
    Reason,
    StartedBy,
)
from shared.references import Reference


@dataclass(frozen=True, slots=True)
class Stamp:
    """When it happened, by whom, and the row of the transition table that led here."""

    at: datetime
    by: Actor
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """It came into being, with its first contacts; the reason is always Newly Created (ST-16, ST-17)."""

    stamp: Stamp
    activity: UUID
    organisation: str
    family: UUID
    reference: Reference
    process: str
    title: str
    description: str
    category: str | None
    started_by: StartedBy
    conversation: str
    mailbox: str | None
    mail: UUID | None
    automated_mail: bool
    status: Status
    holders: Holders
    contacts: tuple[Tagged, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What is written on it changed; None stands for what did not."""

    stamp: Stamp
    title: str | None = None
    description: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """Status, wait or both changed, with all that ST-16 wants recorded and the holders of ST-19.

    `timer` is the timer from now on, None where nothing is due; `generation` is the latest timer's.
    `method` is set where this resolved it, and `written` then names the mail or note that is marked as the
    resolution.
    """

    stamp: Stamp
    was: Status
    status: Status
    reason: Reason
    holders: Holders
    generation: int
    wait: Wait | None = None
    timer: Timer | None = None
    method: Method | None = None
    written: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldersChanged:
    """It has other holders in the same status (ST-19)."""

    stamp: Stamp
    holders: Holders


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAppended:
    """A mail came in on it."""

    stamp: Stamp
    mail: UUID
    matched_by: MatchedBy
    automatic: bool
    review: frozenset[Review] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailContinued:
    """A mail that stood on a closed activity stands on this one too, which continues it (IN-14)."""

    stamp: Stamp
    earlier: Earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationMarked:
    """Its new-information flag was set, or taken away (ST-25)."""

    stamp: Stamp
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    """Somebody wrote an internal note."""

    stamp: Stamp
    note: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactTagged:
    """A contact got a tag, or lost it (CT-3)."""

    stamp: Stamp
    tagged: Tagged
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """It is linked with another activity (LK-2)."""

    stamp: Stamp
    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRequested:
    """notify is asked to send a mail.

    `to` and `cc` are contacts; both are empty for a reply, whose recipients its request names (NT-10).
    """

    stamp: Stamp
    mail: UUID
    purpose: Purpose
    to: tuple[UUID, ...] = ()
    cc: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReported:
    """What became of a mail that was asked for."""

    stamp: Stamp
    mail: UUID
    outcome: Outcome


Event = (
    Opened
    | Edited
    | StatusChanged
    | HoldersChanged
    | MailAppended
    | MailContinued
    | InformationMarked
    | NoteAdded
    | ContactTagged
    | Linked
    | MailRequested
    | DeliveryReported
)


def evolve(activity: Activity | None, event: Event) -> Activity:
    """The activity after `event`. Raises `ValueError` where the two cannot follow each other."""
    if activity is None:
        if isinstance(event, Opened):
            return _opened(event)
        raise ValueError(f"{type(event).__name__} cannot be the first event of an activity")
    version = activity.version + 1
    changed = activity.changed if isinstance(event, DeliveryReported) else version
    return replace(activity, version=version, changed=changed, **_changes(activity, event))


def _changes(activity: Activity, event: Event) -> dict[str, Any]:
    """The fields that an event changes. One copy per event: it is what a mail costs most here."""
    match event:
        case StatusChanged():
            return _in_status(activity, event)
        case Edited(title=title, description=description, category=category):
            written = {"title": title, "description": description, "category": category}
            return {field: text for field, text in written.items() if text is not None}
        case HoldersChanged(holders=holders):
            # Who takes over work in progress begins a session of his own (ST-23, AMB-43).
            taken_over = activity.status is Status.IN_PROGRESS and holders.person != activity.holders.person
            return {"holders": holders} | ({"written": ()} if taken_over else {})
        case InformationMarked(new=new):
            return {"new_information": new}
        case ContactTagged(tagged=tagged, removed=True):
            return {"contacts": activity.contacts - {tagged}}
        case ContactTagged(tagged=tagged):
            return {"contacts": activity.contacts | {tagged}}
        case Linked(link=link):
            return {"links": activity.links | {link.activity}}
        case NoteAdded(note=id) | MailRequested(mail=id, purpose=Purpose.REPLY):
            author = event.stamp.by
            others = (earlier for earlier in activity.written if earlier.by != author)
            return {"written": (*others, Written(author, id))}
        case MailAppended() | MailContinued() | MailRequested() | DeliveryReported():
            return {}
        case Opened():
            raise ValueError(f"{activity.reference} cannot be opened a second time")
    assert_never(event)


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
        mailbox=event.mailbox,
        opening_mail=event.mail,
        automated_mail=event.automated_mail,
        holders=event.holders,
        contacts=frozenset(event.contacts),
        version=1,
        changed=1,
    )


def _in_status(activity: Activity, event: StatusChanged) -> dict[str, Any]:
    at, by = event.stamp.at, event.stamp.by
    changes: dict[str, Any] = {
        "status": event.status,
        "wait": event.wait,
        "timer": event.timer,
        "generation": event.generation,
        "holders": event.holders,
    }
    if event.method:
        resolution = Resolution(event.method, by, at, event.written)
        # The first resolution is kept for ever, reopening data beside it (ST-15).
        changes |= {
            "resolution": resolution,
            "first_resolution": activity.first_resolution or resolution,
        }
    if event.was is Status.RESOLVED and event.status is not Status.CLOSED:
        changes["reopening"] = Reopening(by, at)
    if event.status is Status.IN_PROGRESS:
        # In Progress begins a session: what was written before it is no resolution of it (AMB-43).
        changes["written"] = ()
    return changes
