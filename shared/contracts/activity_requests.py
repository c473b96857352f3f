"""What others ask of activity (`activity.requests.v1`).

Whoever may write the topic is trusted to name the actor: Kafka's ACLs are that border (design §1).
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.activity_cases import PointAnswered as PointAnswered
from shared.contracts.activity_requests_approvals import Approving as Approving
from shared.contracts.activity_requests_cases import ActionAnswerCall as ActionAnswerCall
from shared.contracts.activity_requests_cases import ActionAnswerChecklist as ActionAnswerChecklist
from shared.contracts.activity_requests_cases import ActionComplete as ActionComplete
from shared.contracts.activity_requests_cases import ActionGiveUp as ActionGiveUp
from shared.contracts.activity_requests_cases import CaseAbandon as CaseAbandon
from shared.contracts.activity_requests_cases import CaseLaunch as CaseLaunch
from shared.contracts.activity_requests_cases import CasePause as CasePause
from shared.contracts.activity_requests_cases import CaseResolve as CaseResolve
from shared.contracts.activity_requests_cases import CaseRework as CaseRework
from shared.contracts.activity_requests_cases import CaseStartSubCase as CaseStartSubCase
from shared.contracts.activity_requests_cases import CaseWait as CaseWait
from shared.contracts.activity_requests_contacts import (
    ContactCreate,
    ContactEdit,
    ContactErase,
    ContactMerge,
)
from shared.contracts.activity_requests_families import ActivityMerge as ActivityMerge
from shared.contracts.activity_requests_families import SplitPart as SplitPart
from shared.contracts.activity_requests_families import TicketConvert as TicketConvert
from shared.contracts.activity_requests_families import TicketMergeInto as TicketMergeInto
from shared.contracts.activity_requests_families import TicketSplit as TicketSplit
from shared.contracts.activity_requests_files import ActivityEditFile as ActivityEditFile
from shared.contracts.activity_requests_files import ActivityRemoveFile as ActivityRemoveFile
from shared.contracts.activity_requests_links import ActivityLink as ActivityLink
from shared.contracts.activity_requests_links import ActivityNewFromMail as ActivityNewFromMail
from shared.contracts.activity_requests_links import ActivityShareMail as ActivityShareMail
from shared.contracts.activity_requests_links import ActivityUnlink as ActivityUnlink
from shared.contracts.activity_requests_next import ActivityNext as ActivityNext
from shared.contracts.activity_requests_next import ActivityRejectWork as ActivityRejectWork
from shared.contracts.activity_requests_next import WorkTakeNext as WorkTakeNext
from shared.contracts.activity_requests_tickets import ResolutionMethod as ResolutionMethod
from shared.contracts.activity_requests_tickets import TicketResolve as TicketResolve
from shared.contracts.activity_requests_tickets import TicketWait as TicketWait
from shared.contracts.asking import Actor as Actor
from shared.contracts.asking import ActorKind as ActorKind
from shared.contracts.asking import CustomFields as CustomFields
from shared.contracts.asking import OnActivity as OnActivity
from shared.contracts.asking import Person as Person
from shared.contracts.asking import Request as Request
from shared.contracts.asking import Said, TagName
from shared.contracts.asking import Text as Text
from shared.contracts.asking import Title as Title
from shared.contracts.mail import Mailbox
from shared.contracts.record import EmailAddress, Instant, Name, Part, Reference


class ActivityOpen(Request):
    """Start a Ticket: a Draft for a user (T1), submitted at once for an integration (T3).

    With `linked_to` it begins linked with that one, and with what `copies` and `copy_files` name of it as it
    is now (LK-5).
    """

    type: Literal["ticket.open", "case.open"] = "ticket.open"
    process: Name
    title: Title | None = None
    description: Text | None = None
    category: str | None = None
    primary_contact: Person | None = None
    requester: Person | None = None
    original_requester: Person | None = None
    subject: Person | None = None
    cc: Annotated[tuple[Person, ...], Field(max_length=100)] = ()
    mailbox: Name | None = None
    draft: bool = False
    due: Instant | None = None
    fields: CustomFields = Field(default_factory=dict)
    linked_to: Reference | None = None
    copies: tuple[Literal["links", "fields", "communications"], ...] = ()
    copy_files: bool = False


class Untag(Part):
    """A tag to be taken away (AMB-19): from the contact of `address`, without one from whoever has it.

    Several may have `cc`, so there `address` has to be said: null takes it from all of them.
    """

    tag: TagName
    address: EmailAddress | None = None


class ActivityEdit(OnActivity):
    """Change what is written on a Ticket, or who is who on it; a field left out stays (CT-3, AMB-19).

    Those in `cc` come beside those who are in copy already.
    """

    type: Literal["ticket.edit", "case.edit"] = "ticket.edit"
    title: Title | None = None
    description: Text | None = None
    category: str | None = None
    primary_contact: Person | None = None
    requester: Person | None = None
    fields: CustomFields = Field(default_factory=dict)
    original_requester: Person | None = None
    subject: Person | None = None
    cc: Annotated[tuple[Person, ...], Field(max_length=100)] = ()
    untag: Annotated[tuple[Untag, ...], Field(max_length=100)] = ()


class ActivitySubmit(OnActivity):
    """Hand a Draft in (T5). It goes to its queue, or stays with whoever submits it."""

    type: Literal["ticket.submit", "case.submit"] = "ticket.submit"
    keep_with_me: bool = False


class ActivityPickUp(OnActivity):
    """Take a Ticket (T7). `take_over` confirms taking it from somebody who works on it (ST-23)."""

    type: Literal["ticket.pick_up", "case.pick_up", "action.pick_up"] = "ticket.pick_up"
    take_over: bool = False


class ActivityAssign(OnActivity):
    """Give it to another user, or with null back to its queue (T8, ST-21), with a note to him."""

    type: Literal["ticket.assign", "case.assign", "action.assign"] = "ticket.assign"
    assignee: Annotated[Name | None, Said("gives it back to its queue")] = None
    note: Text | None = None


class ActivityKeepWithMe(OnActivity):
    """Say that it stays with you, or no longer: what re-evaluates who has it asks this first (ST-20)."""

    type: Literal["ticket.keep_with_me", "case.keep_with_me", "action.keep_with_me"] = "ticket.keep_with_me"
    keep: bool = True


class ActivitySetToDo(OnActivity):
    """Undo a pick-up (T9, ST-7)."""

    type: Literal["ticket.set_to_do", "case.set_to_do", "action.set_to_do"] = "ticket.set_to_do"


class ActivityWaitUntil(OnActivity):
    """Wait until a time in the future (T12); `reason` and `category` as for `ticket.wait`."""

    type: Literal["ticket.wait_until", "case.wait_until", "action.wait_until"] = "ticket.wait_until"
    until: Instant
    reason: Name | None = None
    category: str | None = None


class ActivityResume(OnActivity):
    """End a wait by hand (T17b)."""

    type: Literal["ticket.resume", "case.resume", "action.resume"] = "ticket.resume"
    to: Literal["to_do", "in_progress"] = "in_progress"


class ActivityReopen(OnActivity):
    """Take up a resolved Ticket again, inside its feedback window (T25, AMB-5)."""

    type: Literal["ticket.reopen", "case.reopen"] = "ticket.reopen"
    keep_with_me: bool = False


class ActivitySetDueDate(OnActivity):
    """Set by hand by when it is to be done; null leaves that to its rule again (SL-1)."""

    type: Literal["ticket.set_due_date", "case.set_due_date", "action.set_due_date"] = "ticket.set_due_date"
    due: Annotated[Instant | None, Said("leaves the due date to its rule again")] = None


class ActivityNote(OnActivity):
    """Write an internal note."""

    type: Literal["ticket.note", "case.note", "action.note"] = "ticket.note"
    text: Text


class ActivityReply(OnActivity):
    """Send a mail from the Ticket. Without `to` it goes to the primary contact (NT-10)."""

    type: Literal["ticket.reply", "case.reply", "action.reply"] = "ticket.reply"
    text: Text
    subject: Title | None = None
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    answers: UUID | None = None
    """The mail that is answered; without it the newest one the customer sent."""
    files: Annotated[tuple[UUID, ...], Field(max_length=100)] = ()
    """Files of the Ticket that go with it, within the organisation's largest mail (NT-15)."""


class TicketSendAndResolve(ActivityReply):
    """Send a mail from the Ticket that resolves it: both happen, or neither does (T20)."""

    type: Literal["ticket.send_and_resolve"] = "ticket.send_and_resolve"  # type: ignore[assignment]
    method: Literal["with_customer_response", "no_customer_response", "rejected"] = "with_customer_response"
    category: str | None = None


class ActivityFeedback(OnActivity):
    """A customer rates it; inside its feedback window that reopens it (T24, FB-2, FB-3)."""

    type: Literal["ticket.feedback", "case.feedback"] = "ticket.feedback"
    rating: Annotated[int, Field(ge=1, le=5)]
    comment: Text | None = None


class ActivityMarkInformation(OnActivity):
    """Mark the new information as read, or as new again (ST-25)."""

    type: Literal["ticket.mark_information", "case.mark_information", "action.mark_information"] = (
        "ticket.mark_information"
    )
    new: bool


ActivityRequest = Annotated[
    ActivityOpen
    | ActivityEdit
    | ActivitySubmit
    | ActivityPickUp
    | ActivityAssign
    | ActivitySetToDo
    | TicketWait
    | ActivityWaitUntil
    | ActivityResume
    | TicketResolve
    | ActivityReopen
    | ActivitySetDueDate
    | ActivityNote
    | ActivityReply
    | ActivityMarkInformation
    | TicketSplit
    | TicketConvert
    | TicketMergeInto
    | ActivityMerge
    | ActivityLink
    | ActivityUnlink
    | ActivityShareMail
    | ContactCreate
    | ContactEdit
    | ActivityKeepWithMe
    | ActivityRejectWork
    | ActivityNext
    | TicketSendAndResolve
    | ActivityFeedback
    | ActivityNewFromMail
    | ContactMerge
    | ContactErase
    | ActivityEditFile
    | ActivityRemoveFile
    | WorkTakeNext
    | CaseWait
    | CasePause
    | CaseResolve
    | CaseLaunch
    | CaseStartSubCase
    | CaseRework
    | CaseAbandon
    | ActionAnswerChecklist
    | ActionComplete
    | ActionGiveUp
    | ActionAnswerCall
    | Approving,
    Field(discriminator="type"),
]
