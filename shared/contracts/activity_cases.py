"""What happened to Cases and Actions alone: the course of a Case, and what an Action is to do."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.activity_record import ActivityRecord, OtherActivity
from shared.contracts.record import Name, Part

ActionKind = Name
"""`manual`, `peer_review`, `send_email`, `send_email_and_wait`, `approval`; there will be more."""
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


class CaseReworked(ActivityRecord):
    """A Case is done again from a step, or from one Action of it (C17); `ended` are Actions that ended by it.

    `keeper` gets what is launched at the beginning, without him those who did it before.
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
