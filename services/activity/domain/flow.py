"""The process of a Case: steps in order, and the Actions that run in parallel inside each.

A Case keeps the flow that it began with, whatever the configuration says later. Whether a step is entered
and an Action launched may hang on a condition over the Case's custom fields.
"""

from enum import StrEnum

from msgspec import Struct

from services.activity.domain.approvals import ApprovalLevel


class ActionKind(StrEnum):
    """What kind of work an Action is (A24)."""

    MANUAL = "manual"
    PEER_REVIEW = "peer_review"
    """Somebody else looks at what was done before it counts (A24)."""
    SEND_EMAIL = "send_email"
    """It writes to the customer by itself, and is done when that mail has left (A20)."""
    SEND_EMAIL_AND_WAIT = "send_email_and_wait"
    """It writes to the customer by itself, and waits for the answer (A21)."""
    START_CASE = "start_case"
    """It starts a Sub-Case by itself, and is done with that (C2)."""
    WAIT_FOR_SUB_CASES = "wait_for_sub_cases"
    """It waits until Sub-Cases are closed (A22)."""
    EXTERNAL_CALL = "external_call"
    """It calls an external system by itself, which a connector answers for (A23)."""
    APPROVAL = "approval"
    """It asks people for their approval by mail, level by level (A25)."""


class ActionType(Struct, frozen=True, kw_only=True):
    """An Action that the process knows. `queue` and `due_date` None are those of the process.

    `launched_by_hand` ones can be launched by people whenever the Case runs (CA-6). `template` is that of the
    mail of those that write by themselves. `process` is that of the Sub-Case that is started, or of those
    that are waited for, None for all.
    mail of those that write by themselves. `call` is what an external system is asked to do, with how long
    each answer is waited for, and the pauses before further tries (A23).
    mail of those that write by themselves. `approval` are the levels of an approval.
    """

    name: str
    title: str
    kind: ActionKind = ActionKind.MANUAL
    queue: str | None = None
    due_date: str | None = None
    checklist: tuple[str, ...] = ()
    instructions: str = ""
    launched_by_hand: bool = False
    template: str | None = None
    process: str | None = None
    call: str | None = None
    answer_within_minutes: int | None = None
    retry_after_minutes: tuple[int, ...] = ()
    approval: tuple[ApprovalLevel, ...] = ()


class ActionUse(Struct, frozen=True):
    """An Action in a step, by its name; `when` is the condition to launch it."""

    action: str
    when: str | None = None


class FlowStep(Struct, frozen=True, kw_only=True):
    """A step: its Actions run in parallel. Where `when` does not hold, it is passed over."""

    name: str
    title: str
    when: str | None = None
    actions: tuple[ActionUse, ...] = ()


class FlowField(Struct, frozen=True):
    """A custom field that conditions may speak of, with the type that it had when the flow began."""

    name: str
    type: str


class Flow(Struct, frozen=True, kw_only=True):
    """A process as a Case runs through it. Steps are counted from 1."""

    actions: tuple[ActionType, ...]
    steps: tuple[FlowStep, ...]
    fields: tuple[FlowField, ...] = ()

    def action(self, name: str) -> ActionType | None:
        """The Action of this name."""
        return next((each for each in self.actions if each.name == name), None)

    def step(self, number: int) -> FlowStep | None:
        """The step of this number."""
        return self.steps[number - 1] if 0 < number <= len(self.steps) else None
