"""Processes of Cases, and steps on Cases and Actions, as chance makes them."""

from datetime import timedelta

from hypothesis import strategies as st

from services.activity.domain.action_steps import AnswerChecklist, CompleteAction, GiveUp
from services.activity.domain.approval_steps import Approve, Decline, Question
from services.activity.domain.approvals import ApprovalLevel, Needed
from services.activity.domain.call_steps import AnswerCall
from services.activity.domain.case_steps import Abandon, Complete, Pause, Rework, WaitForAnswer
from services.activity.domain.flow import ActionKind, ActionType, ActionUse, Flow, FlowField, FlowStep
from services.activity.domain.steps import (
    AddNote,
    Assign,
    Edit,
    MarkInformation,
    Opening,
    PickUp,
    Reopen,
    Resume,
    ResumeTo,
    SetToDo,
    Step,
    Submit,
    WaitUntil,
)
from services.activity.domain.task import Answer
from services.activity.domain.vocabulary import SYSTEM, Actor, CallOutcome
from services.activity.domain.work_steps import GiveFeedback, KeepWithMe, RejectWork, TakeNext
from shared.field_values import FieldValue
from tests.unit.activity.approvals import TEMPLATE
from tests.unit.activity.below import starting, waiting
from tests.unit.activity.cases import CASE_CREATED, CASE_ROUTED, CASE_STARTED
from tests.unit.activity.tickets import ALICE, BOB, ERP, NOW, ROBOT

FIELDS = (FlowField("go", "check_box"), FlowField("size", "whole_number"))
CONDITIONS = st.sampled_from([None, None, "go ?? false", "not (go ?? false)", "(size ?? 0) > 1"])
VALUES = st.one_of(
    st.builds(FieldValue, st.just("go"), st.sampled_from([True, False, None])),
    # What is no number stops a Case whose conditions want one.
    st.builds(FieldValue, st.just("size"), st.sampled_from([0, 5, None, "big"])),
).map(lambda value: (value,))
LEVELS = st.lists(
    st.builds(
        ApprovalLevel,
        st.lists(st.sampled_from(["alice", "bob", "carol"]), min_size=1, unique=True).map(tuple),
        st.sampled_from(Needed),
        CONDITIONS,
    ),
    min_size=1,
    max_size=3,
).map(tuple)
KINDS = {
    "kind": st.sampled_from((ActionKind.MANUAL, ActionKind.PEER_REVIEW, ActionKind.APPROVAL)),
    "template": st.sampled_from([TEMPLATE, TEMPLATE, TEMPLATE, "gone"]),
    "approval": LEVELS,
}
CALLS = {
    "kind": st.just(ActionKind.EXTERNAL_CALL),
    "call": st.just("order"),
    "answer_within_minutes": st.sampled_from([1, 60, 10_000]),
    "retry_after_minutes": st.sampled_from([(), (1,), (5, 30)]),
}
TYPES = st.tuples(
    *(
        st.builds(
            ActionType,
            name=st.just(name),
            title=st.just(name.upper()),
            queue=st.sampled_from([None, "papers"]),
            checklist=st.sampled_from([(), ("Is it good?",)]),
            launched_by_hand=st.just(name == "extra"),
            **kind,
        )
        for name, kind in (("one", KINDS), ("two", CALLS), ("three", KINDS), ("extra", CALLS))
    ),
    st.sampled_from(["equip", "parcel", "badge", "drafted"]).map(lambda process: starting("start", process)),
    st.sampled_from([None, "equip", "parcel"]).map(lambda process: waiting("await", process)),
)
NAMES = ("one", "two", "three", "start", "await")
USES = st.lists(
    st.builds(ActionUse, st.sampled_from(NAMES), CONDITIONS),
    min_size=1,
    max_size=3,
    unique_by=lambda use: use.action,
).map(tuple)
FLOWS = st.builds(
    Flow,
    actions=TYPES,
    steps=st.lists(
        st.builds(FlowStep, name=st.just("step"), title=st.just("Step"), when=CONDITIONS, actions=USES),
        min_size=1,
        max_size=4,
    ).map(tuple),
    fields=st.just(FIELDS),
)
PROGRAMS = (ERP, ROBOT)
ACTORS = st.sampled_from([ALICE, BOB, ROBOT, ERP])
ON_EITHER: tuple[st.SearchStrategy[Step], ...] = (
    st.builds(PickUp, st.booleans()),
    st.just(TakeNext()),
    st.builds(Assign, st.sampled_from([None, "alice", "bob", "r2"]), st.booleans()),
    st.just(SetToDo()),
    st.builds(WaitForAnswer, st.sampled_from([None, "supplier", "weather"])),
    st.builds(WaitUntil, st.integers(-2, 200).map(lambda hours: NOW + timedelta(hours=hours))),
    st.builds(Resume, st.sampled_from(ResumeTo)),
    st.builds(KeepWithMe, st.booleans()),
    st.builds(MarkInformation, st.booleans()),
    st.just(AddNote()),
)
ANSWERS = st.builds(
    AnswerCall, st.integers(1, 3), st.sampled_from(CallOutcome), st.booleans(), st.just(()) | VALUES
)
ROUNDS_OR_LEVELS = st.none() | st.integers(1, 3)
QUESTIONS = st.just(Question()) | st.builds(Question, ROUNDS_OR_LEVELS, ROUNDS_OR_LEVELS)
ON_CASES: st.SearchStrategy[Step] = st.one_of(
    *ON_EITHER,
    st.builds(Submit, st.booleans()),
    st.builds(Edit, title=st.sampled_from([None, "", "Another"]), fields=VALUES),
    st.just(Pause()),
    st.builds(
        Rework,
        st.integers(0, 5),
        st.sampled_from([None, "one", "start", "extra"]),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    st.just(Complete()),
    st.builds(Reopen, st.booleans()),
    st.builds(GiveFeedback, st.integers(1, 5)),
    st.just(Abandon()),
)
ON_ACTIONS: st.SearchStrategy[Step] = st.one_of(
    *ON_EITHER,
    st.just(RejectWork()),
    st.builds(
        AnswerChecklist,
        st.sampled_from(Answer).map(lambda answer: (("Is it good?", answer),)),
    ),
    st.just(CompleteAction()),
    st.builds(GiveUp, st.booleans()),
    ANSWERS,
    *[st.builds(Approve, st.booleans(), QUESTIONS)] * 3,
    st.builds(Decline, st.booleans(), QUESTIONS),
)
OPENINGS: tuple[tuple[Opening, Actor], ...] = (
    (CASE_STARTED, ALICE),
    (CASE_STARTED, ROBOT),
    (CASE_ROUTED, SYSTEM),
    (CASE_CREATED, ERP),
)
