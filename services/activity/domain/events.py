"""Events: what happened to an activity. `evolving.py` says what it is after that.

Each event becomes one record of the history and one of `activity.activities.v1`, so that an activity's
version counts both.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from services.activity.domain.activity import Holders, Timer, Wait
from services.activity.domain.approval_events import OfApprovals as OfApprovals
from services.activity.domain.case_events import ActionEnded as ActionEnded
from services.activity.domain.case_events import ActionLaunched as ActionLaunched
from services.activity.domain.case_events import AttentionMarked as AttentionMarked
from services.activity.domain.case_events import CaseEvent
from services.activity.domain.case_events import CaseNotStarted as CaseNotStarted
from services.activity.domain.case_events import ChecklistAnswered as ChecklistAnswered
from services.activity.domain.case_events import NoSubCase as NoSubCase
from services.activity.domain.case_events import NotSent as NotSent
from services.activity.domain.case_events import ReviewAsked as ReviewAsked
from services.activity.domain.case_events import Reworked as Reworked
from services.activity.domain.case_events import StepEntered as StepEntered
from services.activity.domain.case_events import SubCaseEnded as SubCaseEnded
from services.activity.domain.case_events import SubCaseStarted as SubCaseStarted
from services.activity.domain.contacts import Tagged
from services.activity.domain.due_dates import NO_DUE, Due
from services.activity.domain.family_events import Converted as Converted
from services.activity.domain.family_events import Merged as Merged
from services.activity.domain.family_events import Stamp as Stamp
from services.activity.domain.family_events import TookOver as TookOver
from services.activity.domain.family_events import WasSplit as WasSplit
from services.activity.domain.file_events import FileAdded as FileAdded
from services.activity.domain.file_events import FileEdited as FileEdited
from services.activity.domain.file_events import FileRemoved as FileRemoved
from services.activity.domain.flow import Flow
from services.activity.domain.links import Departure, Earlier, Link, Other
from services.activity.domain.states import Status
from services.activity.domain.task import Task
from services.activity.domain.vocabulary import (
    MatchedBy,
    Method,
    Outcome,
    Purpose,
    Reason,
    Review,
    StartedBy,
)
from services.activity.domain.work_events import FeedbackGiven as FeedbackGiven
from services.activity.domain.work_events import HandedAgain as HandedAgain
from services.activity.domain.work_events import KeepingChanged as KeepingChanged
from services.activity.domain.work_events import MarkedForPerson as MarkedForPerson
from shared.field_values import FieldValue
from shared.references import Reference


class Opened(Struct, frozen=True, kw_only=True):
    """It came into being, with its first contacts; the reason is always Newly Created (ST-16, ST-17).

    `parent` is the Ticket that it was split off, whose work began at `started_at` (T27, SL-6), or the Case of
    an Action or Sub-Case. A Case has the `flow` that it runs through, an Action its `task`. `bearer` is the
    Case at the top of Sub-Cases, whose contacts, fields, links and files it has (CA-7).
    """

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
    due: Due = NO_DUE
    fields: tuple[FieldValue, ...] = ()
    parent: Other | None = None
    started_at: datetime | None = None
    flow: Flow | None = None
    task: Task | None = None
    bearer: UUID | None = None


class Edited(Struct, frozen=True, kw_only=True):
    """What is written on it changed; None stands for what did not."""

    stamp: Stamp
    title: str | None = None
    description: str | None = None
    category: str | None = None
    fields: tuple[FieldValue, ...] = ()
    due: Due | None = None


class StatusChanged(Struct, frozen=True, kw_only=True):
    """Status, wait or both changed, with all that ST-16 wants recorded and the holders of ST-19.

    `timer` is the timer from now on, None where nothing is due; `generation` is the latest timer's.
    `method` is set where this resolved it, and `written` then names the mail or note that is marked as the
    resolution; `resolved_at` is when that was, if not now (T28). `due` is the due date from now on, None
    where this leaves it as it is.
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
    due: Due | None = None
    resolved_at: datetime | None = None


class HoldersChanged(Struct, frozen=True, kw_only=True):
    """It has other holders in the same status (ST-19)."""

    stamp: Stamp
    holders: Holders


class DueChanged(Struct, frozen=True, kw_only=True):
    """Somebody set its due date by hand, or left it to the rule again (SL-1)."""

    stamp: Stamp
    due: Due


class MailAppended(Struct, frozen=True, kw_only=True):
    """A mail came in on it."""

    stamp: Stamp
    mail: UUID
    matched_by: MatchedBy
    automatic: bool
    review: frozenset[Review] = frozenset()


class MailContinued(Struct, frozen=True, kw_only=True):
    """A mail of another activity stands on this one, too.

    This one continues that one (IN-14), was split off it (T27), or that one was merged into this one (T33).
    """

    stamp: Stamp
    earlier: Earlier


class InformationMarked(Struct, frozen=True, kw_only=True):
    """Its new-information flag was set, or taken away (ST-25)."""

    stamp: Stamp
    new: bool


class NoteAdded(Struct, frozen=True, kw_only=True):
    """Somebody wrote an internal note."""

    stamp: Stamp
    note: UUID


class ContactTagged(Struct, frozen=True, kw_only=True):
    """A contact got a tag, or lost it (CT-3)."""

    stamp: Stamp
    tagged: Tagged
    removed: bool = False


class Linked(Struct, frozen=True, kw_only=True):
    """It is linked with another activity (LK-2)."""

    stamp: Stamp
    link: Link


class Unlinked(Struct, frozen=True, kw_only=True):
    """It is linked with another activity no longer (LK-3)."""

    stamp: Stamp
    link: Link


class MailCopied(Struct, frozen=True, kw_only=True):
    """A mail of the activity that it was opened from stands on it too; answers go there still (LK-5)."""

    stamp: Stamp
    earlier: Earlier


class MailShared(Struct, frozen=True, kw_only=True):
    """A mail of it stands on the linked one, too, or one of the linked one here: `received` (SH-1)."""

    stamp: Stamp
    mail: UUID
    link: Link
    received: bool


class DepartureMarked(Struct, frozen=True, kw_only=True):
    """A mail of it is on its way to a new activity, there, or not to be had there (CE-7)."""

    stamp: Stamp
    departure: Departure


class MailRequested(Struct, frozen=True, kw_only=True):
    """notify is asked to send a mail.

    `to` and `cc` are contacts; both are empty for a reply, whose recipients its request names (NT-10).
    """

    stamp: Stamp
    mail: UUID
    purpose: Purpose
    to: tuple[UUID, ...] = ()
    cc: tuple[UUID, ...] = ()


class DeliveryReported(Struct, frozen=True, kw_only=True):
    """What became of a mail that was asked for."""

    stamp: Stamp
    mail: UUID
    outcome: Outcome


Event = (
    Opened
    | Edited
    | StatusChanged
    | HoldersChanged
    | DueChanged
    | MailAppended
    | MailContinued
    | InformationMarked
    | NoteAdded
    | ContactTagged
    | Linked
    | Unlinked
    | MailCopied
    | MailShared
    | DepartureMarked
    | WasSplit
    | Converted
    | Merged
    | TookOver
    | MailRequested
    | DeliveryReported
    | KeepingChanged
    | MarkedForPerson
    | HandedAgain
    | FeedbackGiven
    | FileAdded
    | FileEdited
    | FileRemoved
    | CaseEvent
    | OfApprovals
)
