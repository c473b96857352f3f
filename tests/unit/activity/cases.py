"""A Case with its Actions, for tests: made by the rules themselves, never put together by hand.

What they do to each other is carried out by the very code that does so in the service (`running_cases.py`).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any, ClassVar, cast
from uuid import UUID

from services.activity.approval_links import ApprovalLinks
from services.activity.domain.action_steps import AnswerChecklist, CompleteAction, LaunchAction
from services.activity.domain.activity import Activity
from services.activity.domain.case_steps import LaunchByHand, WaitForAnswer
from services.activity.domain.contacts import Tagged, all_four
from services.activity.domain.context import ProcessRules
from services.activity.domain.course import Course, SubCase
from services.activity.domain.decide import decide
from services.activity.domain.events import Event
from services.activity.domain.evolving import course_of, evolve, task_of
from services.activity.domain.family_steps import ConvertedFrom
from services.activity.domain.flow import ActionKind, ActionType, ActionUse, Flow, FlowField, FlowStep
from services.activity.domain.links import Other
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import Status
from services.activity.domain.steps import (
    CreatedByIntegration,
    MailRouted,
    Opening,
    PickUp,
    StartManually,
    Step,
    TimerDue,
)
from services.activity.domain.sub_case_steps import OpenSubCase, StartSubCase
from services.activity.domain.task import Answer
from services.activity.domain.vocabulary import SYSTEM, Actor, StartedBy, Tag
from services.activity.rules import task_in
from services.activity.running_cases import asking_of, launched_of, opening_of, react
from services.activity.running_sub_cases import opening_of_sub_case, process_of_sub_case
from services.activity.workspace import Workspace
from shared.contracts.envelope import Envelope
from shared.field_values import FieldValue
from shared.organisation import Organisation
from shared.references import OF_NUMBER, Reference, ReferenceKind, case, ticket
from tests.unit.activity.approvals import CONSENT, LINKS
from tests.unit.activity.below import ORGANISATION
from tests.unit.activity.tickets import ALICE, BOB, CUSTOMER, ID, NOW, WINDOW, context, opening

CAUSE = Envelope(id="1", source="test", type="test", time=NOW, organisation="acme")
PASSPORT, DIPLOMA = "Is the passport valid?", "Is there a diploma?"

FLOW = Flow(
    actions=(
        ActionType(name="papers", title="Look at the papers", queue="papers", checklist=(PASSPORT, DIPLOMA)),
        ActionType(name="call", title="Call the new colleague", instructions="Say when to come."),
        ActionType(name="translate", title="Translate the papers"),
        ActionType(name="contract", title="Write the contract", kind=ActionKind.PEER_REVIEW),
        ActionType(name="desk", title="Find a desk"),
        ActionType(name="visit", title="Show the house", launched_by_hand=True),
        ActionType(
            name="order",
            title="Order a laptop",
            kind=ActionKind.EXTERNAL_CALL,
            launched_by_hand=True,
            call="order-laptop",
            answer_within_minutes=60,
            retry_after_minutes=(1, 5),
        ),
        CONSENT,
    ),
    steps=(
        FlowStep(
            name="prepare",
            title="Prepare",
            actions=(ActionUse("papers"), ActionUse("call"), ActionUse("translate", when="foreign ?? false")),
        ),
        FlowStep(name="sign", title="Sign", when="(salary ?? 0) > 0", actions=(ActionUse("contract"),)),
        FlowStep(name="start", title="Start", actions=(ActionUse("desk"),)),
    ),
    fields=(FlowField("foreign", "check_box"), FlowField("salary", "whole_number")),
)
"""Somebody begins to work here: two or three Actions, a contract if there is a salary, and a desk."""
SALARY = (FieldValue("salary", 100),)


def opening_case(**more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"reference": case(10040), "flow": FLOW, "fields": SALARY}
    return opening() | given | more


CASE_STARTED = StartManually(**opening_case(), contacts=(Tagged(Tag.PRIMARY_CONTACT, CUSTOMER),))
CASE_CREATED = CreatedByIntegration(
    **opening_case(), started_by=StartedBy.BULK_UPLOAD, contacts=(Tagged(Tag.PRIMARY_CONTACT, CUSTOMER),)
)
CASE_ROUTED = MailRouted(
    **opening_case(), mail=UUID(int=0xA1), sender=CUSTOMER, acknowledge=True, automatic=False
)
CASE_CONVERTED = ConvertedFrom(
    **opening_case(), parent=Other(UUID(int=0x7), ticket(10040)), contacts=all_four(CUSTOMER)
)


class Family:
    """One Case's life with all its Actions: steps go in, histories grow, refusals are handed back."""

    organisations: ClassVar[Mapping[str, Organisation]] = {"acme": ORGANISATION}

    def __init__(self, process: ProcessRules = WINDOW) -> None:
        self.process = process
        self.now = NOW
        self.numbers = count(20_001)
        self.activities: dict[tuple[str, UUID], Activity] = {}
        self.history: dict[UUID, list[Event]] = defaultdict(list)
        self.links: ApprovalLinks | None = LINKS
        self._causes = 0

    @property
    def case(self) -> Activity:
        return self.activities["acme", ID]

    @property
    def course(self) -> Course:
        return course_of(self.case)

    @property
    def actions(self) -> list[Activity]:
        """All Actions, in the order of their launch."""
        return [each for each in self.activities.values() if each.task]

    @property
    def running(self) -> list[Activity]:
        """Those that are not closed."""
        return [each for each in self.actions if each.status is not Status.CLOSED]

    def action(self, type_: str) -> Activity:
        """The latest Action of a type."""
        return [each for each in self.actions if task_of(each).type == type_][-1]

    @property
    def sub_cases(self) -> list[Activity]:
        """All Cases under the Case and under these, in the order of their start."""
        return [each for each in self.activities.values() if each.is_sub_case]

    @property
    def cases(self) -> list[Activity]:
        """The Case at the top, and all under it."""
        return [each for each in self.activities.values() if each.course]

    def bearer(self, activity: Activity) -> Activity:
        """As in the workspace."""
        return self.activities[activity.organisation, activity.bearer]

    def next_reference(self, organisation: str, kind: ReferenceKind) -> Reference:
        """As in the workspace."""
        return OF_NUMBER[kind](next(self.numbers))

    def start(
        self, process: str, actor: Actor = ALICE, *, under: Activity | None = None
    ) -> tuple[Event, ...] | Refusal:
        """Somebody starts a Sub-Case by hand (`work_sub_cases.py`)."""
        workspace, id_, parent = (
            cast(Workspace, self),
            UUID(int=0x5000 + len(self.activities)),
            under or self.case,
        )
        of_process = process_of_sub_case(workspace, ORGANISATION, parent, process, by_hand=True)
        off = Other(id_, self.next_reference("acme", ReferenceKind.CASE))
        opening = opening_of_sub_case(workspace, ORGANISATION, parent, of_process, off, by_hand=True)
        started = StartSubCase(SubCase(off, process))
        for activity, step in ((parent, started), (None, opening)):
            outcome = decide(activity, step, context(actor, self.rules(activity, step)), self.now)
            if isinstance(outcome, Refusal):
                return outcome
        done(self.take(parent, started, actor))
        return self.take(None, opening, actor)

    def names(self) -> list[str]:
        """The types of the Actions that run."""
        return [task_of(each).type for each in self.running]

    def do(self, step: Step, actor: Actor = ALICE, **more: Any) -> tuple[Event, ...] | Refusal:
        """A step on the Case, or one that opens it."""
        return self.take(self.activities.get(("acme", ID)), step, actor, **more)

    def on(self, type_: str, step: Step, actor: Actor = ALICE, **more: Any) -> tuple[Event, ...] | Refusal:
        """A step on the latest Action of a type."""
        return self.take(self.action(type_), step, actor, **more)

    def take(
        self,
        activity: Activity | None,
        step: Step,
        actor: Actor = ALICE,
        *,
        effect: int = 0xE,
        version: int | None = None,
    ) -> tuple[Event, ...] | Refusal:
        """The events of the step itself; what follows from them between Case and Actions is done, too."""
        cause = self.next_cause()
        if isinstance(step, WaitForAnswer) and activity and step.asking is None:
            step = replace(step, asking=asking_of(cast(Workspace, self), cause, activity))
        surroundings = context(actor, self.rules(activity, step), effect=effect, version=version)
        outcome = decide(activity, step, surroundings, self.now)
        if isinstance(outcome, Refusal) or not outcome:
            return outcome
        after = activity
        for event in outcome:
            after = evolve(after, event)
            self.activities[after.organisation, after.id] = after
            self.history[after.id].append(event)
        assert after is not None
        react(cast(Workspace, self), cause, step, activity, after, Follower(self))
        return outcome

    def next_cause(self) -> Envelope:
        """Another one for everything that is taken, as ids of effects follow from it."""
        self._causes += 1
        return CAUSE.model_copy(update={"id": str(self._causes)})

    def rules(self, activity: Activity | None, step: Step) -> ProcessRules:
        """Those of the process; an Action may have a queue of its own (`rules.py`)."""
        rules = self.process
        if activity and activity.process != rules.name:
            rules = replace(rules, name=activity.process)
        if isinstance(step, OpenSubCase):
            rules = replace(rules, name=step.process, contacts_mandatory=step.process == "badge")
        elif isinstance(step, LaunchAction):
            rules = replace(rules, name=self.activities["acme", step.parent.activity].process)
        task = task_in(activity, step)
        return replace(rules, queue=task.queue) if task and task.queue else rules

    def launch(
        self, type_: str, actor: Actor = ALICE, *, copies: int = 1, due: datetime | None = None
    ) -> tuple[Event, ...] | Refusal:
        """Somebody launches Actions by hand (`work_cases.py`)."""
        assert self.case.flow is not None
        wanted = self.case.flow.action(type_)
        assert wanted is not None
        number = max(self.course.step, 1)
        launched = launched_of(self.next_cause(), self.case, number, [wanted] * copies, by_hand=True)
        outcome = self.do(LaunchByHand(launched), actor)
        if not isinstance(outcome, Refusal):
            for each in launched:
                done(self.take(None, opening_of(self.case, each, wanted, due=due), actor))
        return outcome

    def ring(self, activity: Activity) -> tuple[Event, ...] | Refusal:
        """Let the present timer of an activity ring at its own time."""
        timer = activity.timer
        assert timer is not None
        self.now = max(self.now, timer.due_at)
        return self.take(activity, TimerDue(timer.generation), SYSTEM)

    def complete(self, *types: str, by: Actor = BOB) -> None:
        """Somebody does these Actions, with whatever they want: another one looks at what he did."""
        for type_ in types:
            self.take_up_and_complete(type_, by)
            if self.action(type_).status is not Status.CLOSED:
                self.take_up_and_complete(type_, ALICE if by != ALICE else BOB)

    def take_up_and_complete(self, type_: str, by: Actor) -> None:
        done(self.on(type_, PickUp(take_over=True), by))
        unanswered = task_of(self.action(type_)).unanswered
        if unanswered:
            done(self.on(type_, answering(*unanswered), by))
        done(self.on(type_, CompleteAction(), by))


@dataclass(frozen=True)
class Follower:
    """What follows from a step is the system's, and nothing refuses it (`taking_steps.py`)."""

    family: Family

    def __call__(self, activity: Activity | None, step: Step) -> Activity:
        done(self.family.take(activity, step, SYSTEM))
        id_ = activity.id if activity else cast(Opening, step).activity
        return self.family.activities["acme", id_]

    def judge(self, activity: Activity | None, step: Step) -> Refusal | None:
        surroundings = context(SYSTEM, self.family.rules(activity, step))
        outcome = decide(activity, step, surroundings, self.family.now)
        return outcome if isinstance(outcome, Refusal) else None


def answering(*points: str) -> AnswerChecklist:
    """Yes to all of them."""
    return AnswerChecklist(tuple((point, Answer.YES) for point in points))


def done(outcome: tuple[Event, ...] | Refusal) -> tuple[Event, ...]:
    """What was done, where nothing may refuse it."""
    assert not isinstance(outcome, Refusal), outcome
    return outcome
