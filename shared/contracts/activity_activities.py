"""What happened to activities (`activity.activities.v1`): enough to rebuild every one but for its texts.

Most of it can happen to a Ticket, a Case or an Action, and is said of each under a name of its own.

Who may see texts and people, which are personal data, asks activity by the reference (design §4).
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.activity_approvals import OfApprovals
from shared.contracts.activity_cases import ActionCallAnswered as ActionCallAnswered
from shared.contracts.activity_cases import ActionCalled as ActionCalled
from shared.contracts.activity_cases import ActionCaseNotStarted as ActionCaseNotStarted
from shared.contracts.activity_cases import ActionChecklistAnswered as ActionChecklistAnswered
from shared.contracts.activity_cases import ActionNoSubCase as ActionNoSubCase
from shared.contracts.activity_cases import ActionNotSent as ActionNotSent
from shared.contracts.activity_cases import ActionReviewAsked as ActionReviewAsked
from shared.contracts.activity_cases import CaseActionEnded as CaseActionEnded
from shared.contracts.activity_cases import CaseActionLaunched as CaseActionLaunched
from shared.contracts.activity_cases import CaseAttentionMarked as CaseAttentionMarked
from shared.contracts.activity_cases import CaseEvent
from shared.contracts.activity_cases import CaseReworked as CaseReworked
from shared.contracts.activity_cases import CaseStepEntered as CaseStepEntered
from shared.contracts.activity_cases import CaseSubCaseEnded as CaseSubCaseEnded
from shared.contracts.activity_cases import CaseSubCaseStarted as CaseSubCaseStarted
from shared.contracts.activity_cases import Flow as Flow
from shared.contracts.activity_cases import Task as Task
from shared.contracts.activity_due import DueDate
from shared.contracts.activity_families import ActivityTookOver as ActivityTookOver
from shared.contracts.activity_families import TicketConverted as TicketConverted
from shared.contracts.activity_families import TicketMerged as TicketMerged
from shared.contracts.activity_families import TicketSplitInto as TicketSplitInto
from shared.contracts.activity_files import ActivityFileAdded as ActivityFileAdded
from shared.contracts.activity_files import ActivityFileEdited as ActivityFileEdited
from shared.contracts.activity_files import ActivityFileRemoved as ActivityFileRemoved
from shared.contracts.activity_links import ActivityDepartureMarked as ActivityDepartureMarked
from shared.contracts.activity_links import ActivityLinked as ActivityLinked
from shared.contracts.activity_links import ActivityMailCopied as ActivityMailCopied
from shared.contracts.activity_links import ActivityMailShared as ActivityMailShared
from shared.contracts.activity_links import ActivityUnlinked as ActivityUnlinked
from shared.contracts.activity_record import ActivityRecord as ActivityRecord
from shared.contracts.activity_record import OtherActivity as OtherActivity
from shared.contracts.activity_work import ActivityDueChanged as ActivityDueChanged
from shared.contracts.activity_work import ActivityFeedbackGiven as ActivityFeedbackGiven
from shared.contracts.activity_work import ActivityHandedAgain as ActivityHandedAgain
from shared.contracts.activity_work import ActivityInformationMarked as ActivityInformationMarked
from shared.contracts.activity_work import ActivityKeepingChanged as ActivityKeepingChanged
from shared.contracts.activity_work import ActivityMarkedForPerson as ActivityMarkedForPerson
from shared.contracts.activity_work import ActivityNoted as ActivityNoted
from shared.contracts.mail import RecipientResult
from shared.contracts.record import Instant, Name, Part, Reference

Status = Literal["draft", "to_do", "in_progress", "wait", "resolved", "closed"]
WaitType = Literal["more_information", "until", "split", "case_launched", "pause"]


class Holders(Part):
    """Who has it (ST-19): the one who works on it, the one responsible, and the queue it stands in."""

    assignee: Name | None = None
    owner: Name | None = None
    queue: Name | None = None


Tag = Literal["primary_contact", "original_requester", "requester", "subject", "cc"]


class TaggedContact(Part):
    """A contact with one of its tags (CT-3)."""

    contact: UUID
    tag: Tag


class ActivityOpened(ActivityRecord):
    """An activity came into being (T1, T2, T3, C1, C2, A1), with its first contacts; or was split off (T27).

    `family` locks it with others (itself when left out). `automated_mail` allows mail that no person wrote.
    `parent` is the Ticket that it was split off, or the Case of an Action or Sub-Case. `flow` is the process
    that a Case runs through, `task` what an Action is to do. Of Sub-Cases and what is under them, `bearer` is
    the Case at the top, which has their contacts, custom fields, links and files (CA-7).
    """

    type: Literal["ticket.opened", "case.opened", "action.opened"] = "ticket.opened"
    family: UUID | None = None
    process: Name
    mailbox: Name | None = None
    conversation: str
    category: str | None = None
    started_by: str
    status: Status
    reason: str = "newly_created"
    holders: Holders
    contacts: tuple[TaggedContact, ...] = ()
    mail: UUID | None = None
    automated_mail: bool = True
    due: DueDate | None = None
    custom_fields: tuple[Name, ...] = ()
    parent: OtherActivity | None = None
    started_at: Instant | None = None
    flow: Flow | None = None
    task: Task | None = None
    bearer: UUID | None = None
    configuration: int


class ActivityEdited(ActivityRecord):
    """What is written on it changed; `fields` and `custom_fields` name what, the values stay in activity.

    `due` is there where another category made its due date another one (T37).
    """

    type: Literal["ticket.edited", "case.edited", "action.edited"] = "ticket.edited"
    fields: tuple[str, ...]
    category: str | None = None
    custom_fields: tuple[Name, ...] = ()
    due: DueDate | None = None


class ActivityStatusChanged(ActivityRecord):
    """A status change, as ST-16 wants it recorded.

    `due_at` is when the wait or feedback window that begins here ends, `closes` whether that closes it;
    `generation` counts waits and windows. `written` is the mail or note marked as the resolution. `due` is
    its due date from now on, left out where there is none and was none.
    """

    type: Literal["ticket.status_changed", "case.status_changed", "action.status_changed"] = (
        "ticket.status_changed"
    )
    was: Status
    status: Status
    reason: str
    wait: WaitType | None = None
    days: int | None = None
    close_if_no_response: bool = False
    wait_reason: Name | None = None
    until: Instant | None = None
    method: str | None = None
    written: UUID | None = None
    resolved_at: Instant | None = None
    generation: int = 0
    due_at: Instant | None = None
    closes: bool = False
    holders: Holders
    due: DueDate | None = None


class ActivityHeld(ActivityRecord):
    """It has other holders, in the same status."""

    type: Literal["ticket.held", "case.held", "action.held"] = "ticket.held"
    holders: Holders


class ActivityMailAppended(ActivityRecord):
    """A mail came in on it. `review` says why somebody should look at how it came here (AMB-11)."""

    type: Literal["ticket.mail_appended", "case.mail_appended", "action.mail_appended"] = (
        "ticket.mail_appended"
    )
    mail: UUID
    matched_by: str
    automatic: bool
    review: tuple[str, ...] = ()


class ActivityMailContinued(ActivityRecord):
    """A mail of another activity, which it continues (IN-14), is a part of (T27), or has taken over (T33)."""

    type: Literal["ticket.mail_continued", "case.mail_continued", "action.mail_continued"] = (
        "ticket.mail_continued"
    )
    mail: UUID
    from_activity: UUID
    from_reference: Reference


class ActivityContactTagged(ActivityRecord):
    """A contact got a tag after the beginning, or lost one (CT-3)."""

    type: Literal["ticket.contact_tagged", "case.contact_tagged"] = "ticket.contact_tagged"
    contact: UUID
    tag: Tag
    removed: bool = False


class ActivityMailRequested(ActivityRecord):
    """A mail was asked of notify; its fate follows as `ticket.mail_reported`."""

    type: Literal["ticket.mail_requested", "case.mail_requested", "action.mail_requested"] = (
        "ticket.mail_requested"
    )
    mail: UUID
    purpose: Literal[
        "acknowledgement", "no_response", "split", "case_launched", "action", "approval", "reply"
    ]


class ActivityMailReported(ActivityRecord):
    """What became of a mail that was asked for."""

    type: Literal["ticket.mail_reported", "case.mail_reported", "action.mail_reported"] = (
        "ticket.mail_reported"
    )
    mail: UUID
    outcome: Literal["sent", "deferred", "failed", "refused"]
    recipients: tuple[RecipientResult, ...] = ()


ActivityEvent = Annotated[
    ActivityOpened
    | ActivityEdited
    | ActivityStatusChanged
    | ActivityHeld
    | ActivityDueChanged
    | ActivityMailAppended
    | ActivityMailContinued
    | ActivityInformationMarked
    | ActivityNoted
    | ActivityContactTagged
    | ActivityLinked
    | ActivityUnlinked
    | ActivityMailCopied
    | ActivityMailShared
    | ActivityDepartureMarked
    | TicketSplitInto
    | TicketConverted
    | TicketMerged
    | ActivityTookOver
    | ActivityMailRequested
    | ActivityMailReported
    | ActivityKeepingChanged
    | ActivityMarkedForPerson
    | ActivityHandedAgain
    | ActivityFeedbackGiven
    | ActivityFileAdded
    | ActivityFileEdited
    | ActivityFileRemoved
    | CaseEvent
    | OfApprovals,
    Field(discriminator="type"),
]
