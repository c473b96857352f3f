"""What happened to Cases and Actions alone: the course of a Case, and what an Action is to do."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.activity_record import ActivityRecord, OtherActivity
from shared.contracts.record import Instant, Name, Part

ActionKind = Name
"""`manual`, `peer_review`, `send_email`, `start_case` and others; there will be more."""
CallOutcome = Literal["succeeded", "failed", "unreachable"]
"""What an external system made of a call, or that it could not be reached."""
StepNumber = Annotated[int, Field(ge=1)]
"""Steps are counted from 1."""


class FlowLevel(Part):
    """Users who are asked together for their approval, and the condition to ask them (A25)."""

    approvers: tuple[Name, ...]
    needed: Literal["all", "one"] = "all"
    when: str | None = None


class FlowAction(Part):
    """An Action that the process of a Case knows."""

    name: Name
    title: str
    kind: ActionKind = "manual"
    queue: Name | None = None
    due_date: Name | None = None
    checklist: tuple[str, ...] = ()
    instructions: str = ""
    launched_by_hand: bool = False
    template: Name | None = None
    process: Name | None = None
    call: Name | None = None
    answer_within_minutes: int | None = None
    retry_after_minutes: tuple[int, ...] = ()
    approval: tuple[FlowLevel, ...] = ()


class FlowUse(Part):
    """An Action in a step, and the condition to launch it."""

    action: Name
    when: str | None = None


class FlowStep(Part):
    """A step of a process, and the condition to enter it."""

    name: Name
    title: str
    when: str | None = None
    actions: tuple[FlowUse, ...]


class FlowField(Part):
    """A custom field that conditions may speak of, and its type."""

    name: Name
    type: str


class Flow(Part):
    """The process that a Case runs through, as it was when the Case began."""

    actions: tuple[FlowAction, ...]
    steps: tuple[FlowStep, ...]
    fields: tuple[FlowField, ...] = ()


class Task(Part):
    """What an Action is to do: its type, as its Case launched it in one of its steps, or a person by hand."""

    action: Name
    kind: ActionKind = "manual"
    step: StepNumber
    by_hand: bool = False
    queue: Name | None = None
    due_date: Name | None = None
    checklist: tuple[str, ...] = ()
    template: Name | None = None
    process: Name | None = None
    call: Name | None = None
    answer_within_minutes: int | None = None
    retry_after_minutes: tuple[int, ...] = ()
    approval: tuple[FlowLevel, ...] = ()


class CaseStepEntered(ActivityRecord):
    """A Case entered a step; those between it and the one before were passed over."""

    type: Literal["case.step_entered"] = "case.step_entered"
    step: StepNumber


class CaseActionLaunched(ActivityRecord):
    """A Case launched an Action (A1), which says the same in its `action.opened`."""

    type: Literal["case.action_launched"] = "case.action_launched"
    launched: OtherActivity
    action: Name
    step: StepNumber
    by_hand: bool = False


class CaseActionEnded(ActivityRecord):
    """An Action of a Case ended, in the hands of `person`; what runs still, the Case waits for."""

    type: Literal["case.action_ended"] = "case.action_ended"
    ended: OtherActivity
    person: Name | None = None


class CaseAttentionMarked(ActivityRecord):
    """A Case needs the attention of its owner, or no longer (C6, AMB-15).

    `because` is the reference of the Action that could not be done, or a sentence (CA-5).
    """

    type: Literal["case.attention_marked"] = "case.attention_marked"
    needed: bool
    because: str | None = None


class CaseSubCaseStarted(ActivityRecord):
    """Another Case began under a Case (CA-7), which says the same in its `case.opened`.

    `by` is the Action that started it, null for a person.
    """

    type: Literal["case.sub_case_started"] = "case.sub_case_started"
    started: OtherActivity
    process: Name
    by: OtherActivity | None = None


class CaseSubCaseEnded(ActivityRecord):
    """A Sub-Case of a Case is closed; for those that run still, the Case waits (CA-4)."""

    type: Literal["case.sub_case_ended"] = "case.sub_case_ended"
    ended: OtherActivity


class CaseReworked(ActivityRecord):
    """A Case is done again from a step, or from one Action of it (C17).

    `ended` are the Actions and Sub-Cases that ended by it. `keeper` gets what is launched at the beginning,
    without him those who did it before.
    """

    type: Literal["case.reworked"] = "case.reworked"
    step: StepNumber
    action: Name | None = None
    keeper: Name | None = None
    ended: tuple[OtherActivity, ...] = ()


class PointAnswered(Part):
    """A point of a checklist with its answer (A10)."""

    point: str
    answer: Literal["yes", "no", "not_applicable"]


class ActionChecklistAnswered(ActivityRecord):
    """Points of an Action's checklist were answered, or answered otherwise."""

    type: Literal["action.checklist_answered"] = "action.checklist_answered"
    answers: tuple[PointAnswered, ...]


class ActionNotSent(ActivityRecord):
    """An Action could not write by itself: there is nobody to write to, or nowhere to write from (A20).

    Or nobody can be asked for an approval (A25).
    """

    type: Literal["action.not_sent"] = "action.not_sent"


class ActionReviewAsked(ActivityRecord):
    """An Action is done, by `done_by`, and somebody else has to look at it (A24)."""

    type: Literal["action.review_asked"] = "action.review_asked"
    done_by: Name | None = None


class ActionCaseNotStarted(ActivityRecord):
    """An Action could not start the Case that it is for, and `why`, in a sentence: people have to look."""

    type: Literal["action.case_not_started"] = "action.case_not_started"
    why: str


class ActionNoSubCase(ActivityRecord):
    """There is no Sub-Case that an Action would wait for (A22): people decide how it goes on.

    `reason` is `sub_case_not_yet_started`, `sub_case_completed` or `sub_case_cancelled`.
    """

    type: Literal["action.no_sub_case"] = "action.no_sub_case"
    reason: Name


class ActionCalled(ActivityRecord):
    """An Action called an external system for the `attempt`-th time, and waits until `answer_by` (A23).

    `retry` counts the tries before it that could not reach the system, since it was called anew. What the
    system is given stands in `call.made` on `activity.calls.v1`.
    """

    type: Literal["action.called"] = "action.called"
    call: Name
    attempt: Annotated[int, Field(ge=1)]
    retry: Annotated[int, Field(ge=0)] = 0
    answer_by: Instant


class ActionCallAnswered(ActivityRecord):
    """A connector said what became of a try (A23); the system is called again at `again_at`, if it is."""

    type: Literal["action.call_answered"] = "action.call_answered"
    attempt: Annotated[int, Field(ge=1)]
    outcome: CallOutcome
    again_at: Instant | None = None


CaseEvent = (
    CaseStepEntered
    | CaseActionLaunched
    | CaseActionEnded
    | CaseAttentionMarked
    | CaseReworked
    | ActionChecklistAnswered
    | ActionReviewAsked
    | ActionNotSent
    | CaseSubCaseStarted
    | CaseSubCaseEnded
    | ActionCaseNotStarted
    | ActionNoSubCase
    | ActionCalled
    | ActionCallAnswered
)
