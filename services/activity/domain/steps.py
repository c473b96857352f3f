"""Steps: what somebody or something wants done to an activity. The left-hand side of every transition.

A step says what is wanted; who wants it, and what the configuration says, stand in its `Context`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from services.activity.domain.contacts import Tagged, changes, going_on
from services.activity.domain.files import Brought
from services.activity.domain.flow import Flow
from services.activity.domain.links import Departure, Earlier, Link
from services.activity.domain.states import State
from services.activity.domain.vocabulary import MatchedBy, Method, Outcome, Review, StartedBy
from shared.field_values import FieldValue
from shared.references import Reference


class Step:
    """Something wanted. `name` is what requests and answers call it, `participle` how a sentence does."""

    name: ClassVar[str]
    participle: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening(Step):
    """What every step that opens an activity says. The caller found the ids; the number is given once.

    `automated_mail=False` keeps every mail that no person wrote from going out about it, for ever.
    `contacts` are those that it starts with, `extra` the default tags of those that have one (CT-17),
    `copied` are mails of the one that it is opened from (LK-5), `files` those of another that it begins with.
    `due` is its due date where somebody set one; a rule reckons one from `counts_since`, None for now: what
    is split off has the original's start (SL-6). `flow` is what a Case runs through.
    """

    activity: UUID
    family: UUID
    reference: Reference
    conversation: str
    mailbox: str | None = None
    title: str = ""
    description: str = ""
    category: str | None = None
    automated_mail: bool = True
    links: tuple[Link, ...] = ()
    copied: tuple[Earlier, ...] = ()
    files: tuple[Brought, ...] = ()
    contacts: tuple[Tagged, ...] = ()
    due: datetime | None = None
    counts_since: datetime | None = None
    fields: tuple[FieldValue, ...] = ()
    extra: tuple[Tagged, ...] = ()
    flow: Flow | None = None

    @property
    def tags(self) -> tuple[Tagged, ...]:
        """Who is who on it from the beginning (CT-6, CT-7)."""
        found = changes(frozenset(), given=self.contacts, extra=self.extra)
        return tuple(change.tagged for change in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartManually(Opening):
    """A user starts a Draft, from the menu or a contact's page (T1); tags as in CT-6, CT-7."""

    name = "open"
    participle = "started"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRouted(Opening):
    """A mail that matched nothing running found a route (T2).

    `sender` is the sender's contact, None where CT-12 wants none. `acknowledge` is the route's setting
    (NT-2); `automatic` mail nobody wrote, and nothing answers (IN-17). `contacts`, `thread` and `departures`
    are what closed ones that it continues leave to it (IN-14). `rejected` mail is spam at once (BL-1).
    """

    name = "open_from_mail"
    participle = "opened from a mail"
    mail: UUID
    sender: UUID | None
    acknowledge: bool
    automatic: bool
    thread: tuple[Earlier, ...] = ()
    departures: tuple[Departure, ...] = ()
    rejected: bool = False

    @property
    def tags(self) -> tuple[Tagged, ...]:
        """The sender gets all four (CT-5); earlier contacts come along (IN-14)."""
        return going_on(self.sender, self.contacts, self.extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedByIntegration(Opening):
    """A validated submission by something other than a person: an integration, a schedule (T3, C2)."""

    name = "create"
    participle = "created"
    started_by: StartedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(Step):
    """Change what is written on it, or who is who; what is None stays (T7, T37, CT-3). `extra` as above."""

    name = "edit"
    participle = "edited"
    title: str | None = None
    description: str | None = None
    category: str | None = None
    tag: tuple[Tagged, ...] = ()
    untag: tuple[Tagged, ...] = ()
    fields: tuple[FieldValue, ...] = ()
    extra: tuple[Tagged, ...] = ()


@dataclass(frozen=True, slots=True)
class Submit(Step):
    """Hand a Draft in (T5)."""

    name = "submit"
    participle = "submitted"
    keep_with_me: bool = False


@dataclass(frozen=True, slots=True)
class PickUp(Step):
    """Take it (T7). `take_over` confirms taking it from somebody who works on it (ST-23)."""

    name = "pick_up"
    participle = "picked up"
    take_over: bool = False


@dataclass(frozen=True, slots=True)
class Assign(Step):
    """Give it to somebody, or with None back to its queue (T8, ST-21, AMB-18).

    `note` tells that something is written to who gets it; the note's id is the context's `effect`.
    """

    name = "assign"
    participle = "assigned"
    assignee: str | None = None
    note: bool = False


@dataclass(frozen=True, slots=True)
class SetToDo(Step):
    """Undo a pick-up (T9)."""

    name = "set_to_do"
    participle = "set to To Do"


@dataclass(frozen=True, slots=True)
class WaitForMoreInformation(Step):
    """Wait for an answer for some days of 24 hours (T11, AMB-7).

    `reason` is one of the process's wait reasons; `category` changes the category with it (ST-20).
    """

    name = "wait"
    participle = "set to wait for more information"
    days: int
    close_if_no_response: bool = False
    reason: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class WaitUntil(Step):
    """Wait until a time (T12); `reason` and `category` as above."""

    name = "wait_until"
    participle = "set to wait until a date"
    until: datetime
    reason: str | None = None
    category: str | None = None


class ResumeTo(StrEnum):
    """Where a wait can be left to by hand (T17b)."""

    TO_DO = State.TO_DO.value
    IN_PROGRESS = State.IN_PROGRESS.value


@dataclass(frozen=True, slots=True)
class Resume(Step):
    """End a wait by hand (T17b)."""

    name = "resume"
    participle = "resumed"
    to: ResumeTo = ResumeTo.IN_PROGRESS


@dataclass(frozen=True, slots=True)
class Resolving(Step):
    """What every step that resolves by a chosen method says; `category` changes the category with it."""

    method: Method
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Resolve(Resolving):
    """Resolve it (T6, T18, T19)."""

    name = "resolve"
    participle = "resolved"


@dataclass(frozen=True, slots=True)
class RejectAsSpam(Step):
    """Resolve it as spam, which closes it at once (T21)."""

    name = "reject_as_spam"
    participle = "rejected as spam"


@dataclass(frozen=True, slots=True)
class Reopen(Step):
    """Take it up again inside its feedback window (T25)."""

    name = "reopen"
    participle = "reopened"
    keep_with_me: bool = False


@dataclass(frozen=True, slots=True)
class AddNote(Step):
    """Write an internal note (ST-22); its id is the context's `effect`."""

    name = "note"
    participle = "annotated"


@dataclass(frozen=True, slots=True)
class SendMail(Step):
    """Send a mail that a person wrote (ST-22, NT-17); its id is the context's `effect`.

    `subject` and `text` become title and description of a Draft that has neither (T4).
    """

    name = "reply"
    participle = "replied from"
    subject: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class MarkInformation(Step):
    """Mark its new information as read, or as new again (ST-25)."""

    name = "mark_information"
    participle = "marked"
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MailArrived(Step):
    """A mail that matched it came in (T13, T17, T23, T36)."""

    name = "mail"
    participle = "given a mail"
    mail: UUID
    matched_by: MatchedBy
    automatic: bool = False
    review: frozenset[Review] = frozenset()


@dataclass(frozen=True, slots=True)
class TimerDue(Step):
    """The timer of this generation is due (T14, T15, T16, T26); a stale one is dropped (AMB-44)."""

    name = "timer"
    participle = "woken by its timer"
    generation: int


@dataclass(frozen=True, slots=True)
class MailReported(Step):
    """notify says what became of a mail that was asked of it (NT-14)."""

    name = "mail_report"
    participle = "given a delivery report"
    mail: UUID
    outcome: Outcome
