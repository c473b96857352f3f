"""Cases and Actions in every state, and one well-formed step of each type that they may meet."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from services.activity.domain.action_steps import (
    CloseBecause,
    CloseWithCase,
    CompleteAction,
    GiveUp,
    LaunchAction,
    SendItself,
)
from services.activity.domain.activity import Activity
from services.activity.domain.approval_steps import Approve, AskApprovers, Decline, EndApproved
from services.activity.domain.approvals import AskedPerson, Asking
from services.activity.domain.call_steps import AnswerCall, CallOut, TakeFields
from services.activity.domain.case_steps import (
    Abandon,
    AnswerAction,
    Complete,
    EndAction,
    EnterStep,
    Finish,
    LaunchByHand,
    LoseWay,
    Pause,
    Rework,
    WaitForAnswer,
)
from services.activity.domain.contacts import all_four
from services.activity.domain.context import ProcessRules
from services.activity.domain.course import Launched, SubCase
from services.activity.domain.links import Other
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import State, Status
from services.activity.domain.steps import Assign, PickUp, Reopen, Resume, ResumeTo, Step, WaitUntil
from services.activity.domain.sub_case_steps import (
    AwaitSubCases,
    EditShared,
    EndSubCase,
    OpenSubCase,
    StartCase,
    StartSubCase,
    SubCasesEnded,
)
from services.activity.domain.vocabulary import SYSTEM, Actor, CallOutcome
from services.activity.domain.work_steps import KeepWithMe, RejectWork, TakeNext
from services.activity.running_cases import opening_of
from shared.field_values import FieldValue
from shared.references import action, case
from tests.unit.activity import tickets
from tests.unit.activity.cases import (
    CASE_CONVERTED,
    CASE_CREATED,
    CASE_ROUTED,
    CASE_STARTED,
    DIPLOMA,
    FLOW,
    PASSPORT,
    Family,
    answering,
    done,
    opening_case,
)
from tests.unit.activity.tickets import ALICE, DAY, ERP, NOW, ROBOT, WINDOW

EQUIPPING = SubCase(Other(UUID(int=0xB1), case(20001)), "equip")
CASE_UNDER = OpenSubCase(
    **opening_case(reference=case(20001)),
    parent=Other(UUID(int=0x7), case(10040)),
    process="equip",
    bearer=UUID(int=0x7),
    shared=all_four(tickets.CUSTOMER),
)

Examples = dict[type[Step], tuple[Step, Actor]]
Leading = Callable[[Family], Any]


def _in(*steps: Leading) -> Callable[[ProcessRules], Family]:
    def live(process: ProcessRules) -> Family:
        family = Family(process)
        for step in steps:
            refused = step(family)
            assert not isinstance(refused, Refusal), refused
        return family

    return live


def _do(step: Step, actor: Actor = ALICE) -> Leading:
    return lambda family: family.do(step, actor)


def _on(type_: str, step: Step, actor: Actor = ALICE) -> Leading:
    return lambda family: family.on(type_, step, actor)


def _completed(*types: str) -> Leading:
    return lambda family: family.complete(*types)


_CREATED = _do(CASE_CREATED, ERP)
_TAKEN = _do(PickUp())
_THROUGH = _completed("papers", "call", "contract", "desk")

CASES: dict[str, Callable[[ProcessRules], Family]] = {
    "NEW": _in(),
    "DRAFT": _in(_do(CASE_STARTED)),
    "TO_DO": _in(_CREATED),
    "ATTENTION": _in(_CREATED, _completed("call"), _on("papers", GiveUp(reason=True))),
    "IN_PROGRESS": _in(_CREATED, _TAKEN),
    "MORE_INFO": _in(_CREATED, _TAKEN, _do(WaitForAnswer("supplier"))),
    "UNTIL": _in(_CREATED, _TAKEN, _do(WaitUntil(NOW + DAY))),
    "PAUSE": _in(_CREATED, _TAKEN, _do(Pause())),
    "RESOLVED": _in(_CREATED, _TAKEN, _THROUGH),
    "CLOSED": _in(_CREATED, _TAKEN, _do(Abandon())),
}
"""A Case in every state, and one in To Do that needs attention (C6)."""
CASE_STATES = {
    name: State.TO_DO if name == "ATTENTION" else State.__members__.get(f"WAIT_{name}") or State[name]
    for name in CASES
}
# Nothing runs in these any more, so that somebody can resolve them (AMB-46).
_AT_REST = {
    "TO_DO": _in(_CREATED, _THROUGH, _do(Reopen())),
    "IN_PROGRESS": _in(_CREATED, _THROUGH, _do(Reopen()), _TAKEN),
}


def case_for(step: type[Step], state: str, process: ProcessRules = WINDOW) -> Family:
    """A Case that was led to a state, as the step wants it."""
    lives = CASES | (_AT_REST if step is Complete else {})
    family = lives[state](process)
    if step is KeepWithMe and state not in ("NEW", "CLOSED", "IN_PROGRESS"):
        done(family.do(Assign("alice")))
    assert (family.case.state if family.activities else State.NEW) is CASE_STATES[state]
    return family


def case_examples(family: Family) -> Examples:
    """One well-formed step of each type that Cases know, and who takes it."""
    running = family.course.running if family.activities else ()
    visit = Launched(Other(UUID(int=0xAC), action(10040, 1, 9)), "visit", 1, by_hand=True)
    contract = Launched(Other(UUID(int=0xAD), action(10040, 2, 1)), "contract", 2)
    ended = running[0].action if running else visit.action
    return _shared(family, family.case if family.activities else None) | _by_type(
        (TakeNext(), ALICE),
        (CASE_STARTED, ALICE),
        (CASE_ROUTED, SYSTEM),
        (CASE_CONVERTED, ALICE),
        (CASE_CREATED, ERP),
        (WaitForAnswer("supplier"), ALICE),
        (Complete(), ALICE),
        (Pause(), ALICE),
        (LaunchByHand((visit,)), ALICE),
        (Rework(1), ALICE),
        (Abandon(), ALICE),
        (EnterStep(2, (contract,)), SYSTEM),
        (EndAction(ended, "bob"), SYSTEM),
        (AnswerAction(), SYSTEM),
        (LoseWay("Nobody knows."), SYSTEM),
        (CASE_UNDER, SYSTEM),
        (StartSubCase(EQUIPPING), ALICE),
        (EndSubCase(EQUIPPING.case), SYSTEM),
        (EditShared(fields=(FieldValue("salary", 200),)), ALICE),
        (CloseWithCase(CloseBecause.CANCELLED), SYSTEM),
        (Finish(), SYSTEM),
        (TakeFields(fields=(FieldValue("salary", 200),)), SYSTEM),
    )


ACTIONS: dict[State, Callable[[str], tuple[Leading, ...]]] = {
    State.NEW: lambda type_: (),
    State.TO_DO: lambda type_: (),
    State.IN_PROGRESS: lambda type_: (_on(type_, PickUp()),),
    State.WAIT_MORE_INFO: lambda type_: (_on(type_, PickUp()), _on(type_, WaitForAnswer())),
    State.WAIT_UNTIL: lambda type_: (_on(type_, PickUp()), _on(type_, WaitUntil(NOW + DAY))),
    State.CLOSED: lambda type_: (_completed(type_),),
}
"""What leads an Action that was launched to every state."""

_RESUMED = _on("order", Resume(ResumeTo.IN_PROGRESS))
ORDERS: dict[State, tuple[Leading, ...]] = {
    State.NEW: (),
    State.TO_DO: (_on("order", Resume(ResumeTo.TO_DO)),),
    State.IN_PROGRESS: (_RESUMED,),
    State.WAIT_MORE_INFO: (),
    State.WAIT_UNTIL: (_RESUMED, _on("order", WaitUntil(NOW + DAY))),
    State.CLOSED: (_on("order", CompleteAction()),),
}
"""The same of one that waits for an external system from its launch on (A23)."""
_OF_CALLS = (CallOut, AnswerCall)

# These steps want an Action that is in certain hands.
_HANDS: dict[type[Step], str] = {KeepWithMe: "alice", RejectWork: "r2", TakeNext: "r2"}


def _launched_by_hand(family: Family) -> Any:
    return family.launch("consent")


_BACK = _on("consent", Resume(ResumeTo.TO_DO))
APPROVALS: dict[State, tuple[Leading, ...]] = {
    State.NEW: (),
    State.TO_DO: (_launched_by_hand, _BACK),
    State.IN_PROGRESS: (_launched_by_hand, _BACK, _on("consent", PickUp())),
    State.WAIT_MORE_INFO: (_launched_by_hand,),
    State.WAIT_UNTIL: (_launched_by_hand, _on("consent", WaitUntil(NOW + DAY))),
    State.CLOSED: (_launched_by_hand, _on("consent", CompleteAction())),
}
"""What leads an approval to every state: it asks as soon as it is launched."""
OF_APPROVALS = (AskApprovers, Approve, Decline, EndApproved)


def action_for(step: type[Step], state: State, type_: str = "papers") -> tuple[Family, Activity | None]:
    """A Case with an Action of this type that was led to a state, as the step wants it."""
    if step in _OF_CALLS:
        launched = () if state is State.NEW else (lambda family: family.launch("order"),)
        family = _in(_CREATED, *launched, *ORDERS[state])(WINDOW)
        found = None if state is State.NEW else family.action("order")
        assert (found.state if found else State.NEW) is state
        return family, found
    if step in OF_APPROVALS:
        family = _in(_CREATED, *APPROVALS[state])(WINDOW)
        return family, None if state is State.NEW else family.action("consent")
    family = _in(_CREATED, *ACTIONS[state](type_))(WINDOW)
    if step is CompleteAction and state is not State.CLOSED:
        # Answers are given before, or the pick-up that they are would be the first step.
        family = _in(_CREATED, *_answered(type_, state))(WINDOW)
    hands = _HANDS.get(step)
    if hands and state not in (State.NEW, State.CLOSED) and family.action(type_).holders.person != hands:
        taken = state is State.IN_PROGRESS
        robot = ROBOT if hands == ROBOT.id else ALICE
        done(family.on(type_, PickUp(take_over=True), robot) if taken else family.on(type_, Assign(hands)))
    found = None if state is State.NEW else family.action(type_)
    assert (found.state if found else State.NEW) is state
    return family, found


def _answered(type_: str, state: State) -> tuple[Leading, ...]:
    answers = _on(type_, answering(PASSPORT, DIPLOMA))
    back = (_on(type_, Assign(None)),)
    return {
        State.NEW: (),
        State.TO_DO: (answers, *back),
        State.IN_PROGRESS: (answers,),
        State.WAIT_MORE_INFO: (answers, _on(type_, WaitForAnswer())),
        State.WAIT_UNTIL: (answers, _on(type_, WaitUntil(NOW + DAY))),
    }[state]


def action_examples(family: Family, found: Activity | None) -> Examples:
    """One well-formed step of each type that Actions know, and who takes it."""
    one_more = Launched(Other(UUID(int=0xAC), action(10040, 1, 9)), "papers", 1)
    launch: LaunchAction = opening_of(family.case, one_more, FLOW.actions[0], person="bob")
    return _shared(family, found) | _by_type(
        (launch, SYSTEM),
        (WaitForAnswer(), ALICE),
        (answering(PASSPORT), ALICE),
        (CompleteAction(), ALICE),
        (GiveUp(reason=True), ALICE),
        (CloseWithCase(CloseBecause.REWORKED), SYSTEM),
        (SendItself((tickets.CUSTOMER,)), SYSTEM),
        (StartCase(), SYSTEM),
        (AwaitSubCases(), SYSTEM),
        (SubCasesEnded(), SYSTEM),
        (CallOut(), SYSTEM),
        (AnswerCall(1, CallOutcome.SUCCEEDED, detail=True), ERP),
        (AskApprovers(Asking(1, (AskedPerson("alice", UUID(int=0xA5)),))), SYSTEM),
        (Approve(), ALICE),
        (Decline(comment=True), ALICE),
        (EndApproved(), SYSTEM),
    )


def _shared(family: Family, activity: Activity | None) -> Examples:
    """The steps of Tickets, some of which Cases and Actions know, too."""
    life = tickets.Life(family.process)
    life.ticket, life.now = activity, family.now
    if activity and activity.timer and activity.status is not Status.CLOSED:
        life.now = family.now = max(family.now, activity.timer.due_at)
    return tickets.examples(life)


def _by_type(*examples: tuple[Step, Actor]) -> Examples:
    return {type(step): (step, actor) for step, actor in examples}
