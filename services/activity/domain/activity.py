"""An activity as the rules see it: everything here follows from its history.

It is a `Struct`, as events and occasions are: each step copies some, and theirs are made in C.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from services.activity.domain.contacts import Tagged, holder_of
from services.activity.domain.course import Course
from services.activity.domain.due_dates import NO_DUE, Due
from services.activity.domain.flow import Flow
from services.activity.domain.links import Departure, DepartureState
from services.activity.domain.states import State, Status, WaitType, state_of
from services.activity.domain.task import Task
from services.activity.domain.vocabulary import Actor, Method, StartedBy, Tag
from shared.field_values import FieldValue
from shared.references import Reference


@dataclass(frozen=True, slots=True)
class Wait:
    """What an activity waits for, and until when (ST-9). `days` is set for MORE_INFO only (AMB-7).

    `reason` is one of the process's wait reasons, where one was given.
    `until` is None for a wait that ends when other activities do (T28), when an answer comes, or somebody
    lets it go on.
    """

    type: WaitType
    until: datetime | None = None
    days: int | None = None
    close_if_no_response: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Timer:
    """When the present wait or feedback window ends.

    `generation` tells it from every earlier timer of the activity, so that a stale one is dropped (AMB-44).
    `closes` is true when it closes the activity: such a timer fires only after the mailboxes have been read
    past `due_at` (design §5).
    """

    due_at: datetime
    generation: int
    closes: bool


@dataclass(frozen=True, slots=True)
class Holders:
    """Who works on it, who is responsible for it, and the queue it stands in (ST-19)."""

    assignee: str | None = None
    owner: str | None = None
    queue: str | None = None

    @property
    def person(self) -> str | None:
        """The one who has it: never both an assignee and an owner (ST-19)."""
        return self.assignee or self.owner


@dataclass(frozen=True, slots=True)
class Resolution:
    """How, when and by whom it was resolved; `written` is the mail or note marked as the resolution."""

    method: Method
    by: Actor
    at: datetime
    written: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reopening:
    """By whom and when it was last reopened; by the system when a mail did it (ST-15)."""

    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """A note or an outgoing mail that `by` wrote since the last In Progress (AMB-43)."""

    by: Actor
    id: UUID


class Activity(Struct, frozen=True, kw_only=True):
    """One Ticket, Case or Action (GL-1).

    `version` is the number of events behind it, `changed` the latest one's that was more than word of a
    delivery: whoever has seen the activity since then has seen how it stands (ST-23). `title` and
    `description` are empty where there is none. `family` is the one it was opened in: with those that
    merges united it with, its lock (design §3). `parent` is the Ticket that was split into it and others
    (T27), or the Case of an Action or Sub-Case; `borne_by` the Case at the top of those, where it is, or is
    part of, a Sub-Case (CA-7); `merged_into` the one that it was merged into (T33). `started_at` is when the
    work began that it is about: for a part of a split Ticket when that one's began (SL-6). `mailbox` is the
    mailbox that the customer wrote to, `automated_mail` whether mail that no person wrote may go out.
    `generation` is the latest timer's, also after that timer is gone. `due` is when it is due (SL-1).
    `written` holds the newest thing each actor wrote in the session of AMB-43. `fields` are the custom fields
    that something stands in, in the order of their names (BK-14). `returned` is true once it is back from a
    wait or a resolution, until somebody takes it or marks it as read (ST-10). `keep_with_me` is who said that
    it stays with him, `last_updater` the user or robot who last changed it, `previous` who had it before,
    newest first: those whom ST-20 asks when nobody has it any more. `for_person` says that no robot gets it
    (ST-8), `handed_again` how often a robot that had it was given it again (ST-24). `flow` and `course` are
    a Case's: what it runs through, and how far it has come. `task` is an Action's.
    """

    id: UUID
    organisation: str
    family: UUID
    reference: Reference
    process: str
    title: str
    description: str
    category: str | None
    status: Status
    started_by: StartedBy
    conversation: str
    created_at: datetime
    started_at: datetime
    parent: UUID | None = None
    borne_by: UUID | None = None
    merged_into: UUID | None = None
    mailbox: str | None = None
    opening_mail: UUID | None = None
    automated_mail: bool = True
    wait: Wait | None = None
    due: Due = NO_DUE
    timer: Timer | None = None
    generation: int = 0
    holders: Holders = Holders()
    new_information: bool = False
    contacts: frozenset[Tagged] = frozenset()
    links: frozenset[UUID] = frozenset()
    first_resolution: Resolution | None = None
    resolution: Resolution | None = None
    reopening: Reopening | None = None
    written: tuple[Written, ...] = ()
    fields: tuple[FieldValue, ...] = ()
    departures: tuple[Departure, ...] = ()
    returned: bool = False
    keep_with_me: str | None = None
    last_updater: str | None = None
    previous: tuple[str, ...] = ()
    for_person: bool = False
    handed_again: int = 0
    flow: Flow | None = None
    course: Course | None = None
    task: Task | None = None
    version: int
    changed: int

    @property
    def state(self) -> State:
        """Status and wait type as one, as the transition table speaks of them."""
        return state_of(self.status, self.wait.type if self.wait else None)

    @property
    def bearer(self) -> UUID:
        """Who has its contacts, links, files and custom fields (LK-1): itself, or of an Action its Case.

        Of a Sub-Case and all under it, that is the Case at the top (CA-7).
        """
        return self.borne_by or (self.parent if self.task and self.parent else self.id)

    @property
    def is_sub_case(self) -> bool:
        """Whether it is a Case that runs under another one (CA-7)."""
        return self.task is None and self.borne_by is not None

    @property
    def feedback_until(self) -> datetime | None:
        """The end of the feedback window, while it is open (ST-14)."""
        return self.timer.due_at if self.timer and self.status is Status.RESOLVED else None

    @property
    def primary_contact(self) -> UUID | None:
        return holder_of(self.contacts, Tag.PRIMARY_CONTACT)

    def still_as_in(self, version: int) -> bool:
        """Whether nothing but word of deliveries has come since `version` (ST-23)."""
        return self.changed <= version <= self.version

    def written_by(self, actor: Actor) -> UUID | None:
        """The mail or note of `actor` that would count as the resolution (T18, AMB-43)."""
        return next((written.id for written in self.written if written.by == actor), None)

    def departure(self, mail: UUID) -> Departure | None:
        """How far a mail of it is on its way to a new activity, if somebody sent it there (CE-7)."""
        return next((each for each in self.departures if each.mail == mail), None)

    def departures_with(self, mails: Collection[UUID]) -> tuple[Departure, ...]:
        """What another one that gets these mails has to know: which left, or are about to (CE-4, CE-7)."""
        return tuple(
            replace(each, asked_on=each.asked_on or self.id)
            for each in self.departures
            if each.mail in mails and each.state is not DepartureState.FAILED
        )
