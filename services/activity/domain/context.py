"""What a rule may look at: the activity, who acts, the configuration, and the time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from msgspec import Struct

from services.activity.domain.activity import Activity
from services.activity.domain.due_dates import DueRule
from services.activity.domain.events import Stamp
from services.activity.domain.states import State
from services.activity.domain.steps import Step
from services.activity.domain.vocabulary import Actor, Purpose
from shared.field_values import FieldRule

S_co = TypeVar("S_co", bound=Step, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRules:
    """What the configuration says about a process, and the organisation's rules beside it.

    `feedback_window` None or zero means none (ST-14). `resolution_guard` is "Email or Note Required on
    Ticket in Order to Resolve" (T18). `startable` is true for a process that is live and may be started
    (GL-5). `templates` are the automatic mails that the process has a template for (NT-1). A process
    without `categories` asks for none. `fields` are the custom fields that its activities have (BK-14).
    `workers` are the users and robots who may have its work now: neither retired nor suspended, and with
    permission (ST-20); `robots` are those of them that are no persons. `wait_reasons` are those that a wait
    may name.
    `due_dates` are the rules of categories that have one of their own, `due_date` is everybody else's (SL-1).
    """

    name: str
    queue: str
    categories: frozenset[str] = frozenset()
    feedback_window: timedelta | None = None
    resolution_guard: bool = False
    contacts_mandatory: bool = True
    startable: bool = True
    templates: frozenset[Purpose] = frozenset()
    autoreply_wakes: bool = True
    fields: tuple[FieldRule, ...] = ()
    workers: frozenset[str] = frozenset()
    robots: frozenset[str] = frozenset()
    wait_reasons: frozenset[str] = frozenset()
    due_date: DueRule | None = None
    due_dates: Mapping[str, DueRule] = field(default_factory=dict)

    def due_rule(self, category: str | None) -> DueRule | None:
        """The rule for due dates of a category: its own, or else the process's."""
        return self.due_dates.get(category or "", self.due_date)


class Context(Struct, frozen=True, kw_only=True):
    """What surrounds a step.

    `effect` is the id of the one thing that the step may make, a note or an outgoing mail; it follows from
    the step's cause (design §2). `expected_version` is the version that the actor has seen (ST-23).
    """

    organisation: str
    actor: Actor
    process: ProcessRules
    effect: UUID
    expected_version: int | None = None


class Situation(Struct, frozen=True, kw_only=True):
    """Where an activity stands, whatever the step. `present` is None before it exists."""

    present: Activity | None
    context: Context
    now: datetime

    @property
    def activity(self) -> Activity:
        """The activity; rows from NEW have none before their first effect."""
        if self.present is None:
            raise LookupError("the activity does not exist yet")
        return self.present

    @property
    def state(self) -> State:
        return self.present.state if self.present else State.NEW

    @property
    def actor(self) -> Actor:
        return self.context.actor

    @property
    def process(self) -> ProcessRules:
        return self.context.process


class Occasion(Situation, Generic[S_co], frozen=True, kw_only=True):
    """A step meeting an activity. An effect sees the activity as the effects before it left it.

    `rule` and `to` are the row's id and target, `person` is who has the activity from now on.
    """

    step: S_co
    rule: str = ""
    to: State | None = None
    person: str | None = None

    @property
    def stamp(self) -> Stamp:
        """What every event of this occasion bears."""
        return Stamp(self.now, self.actor, self.rule)
