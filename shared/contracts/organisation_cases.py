"""Parts of an organisation's configuration about Cases: which Actions they consist of, in which steps."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.asking import CustomFields
from shared.contracts.organisation_strict import Strict, Titled
from shared.contracts.record import Name

Minutes = Annotated[int, Field(ge=1, le=30 * 24 * 60)]
"""As long as calls are kept, at most."""


class ProcessKind(StrEnum):
    """What the activities of a process are; the Actions of a Case belong to its process."""

    TICKET = "ticket"
    CASE = "case"


class ActionType(StrEnum):
    """How an Action is done: by a person, or by one person and looked through by another (A24).

    Or it writes to the primary contact by itself, and is done when the mail has left (A20), or waits for the
    answer (A21). Or it starts another Case under its own (C2), or waits until such ones are closed (A22). Or
    it calls an external system, which a connector answers for (A23), or asks people for their approval by
    mail (A25).
    """

    MANUAL = "manual"
    PEER_REVIEW = "peer_review"
    SEND_EMAIL = "send_email"
    SEND_EMAIL_AND_WAIT = "send_email_and_wait"
    START_CASE = "start_case"
    WAIT_FOR_SUB_CASES = "wait_for_sub_cases"
    EXTERNAL_CALL = "external_call"
    APPROVAL = "approval"


class Needed(StrEnum):
    """Whose approval a level of an approval wants (A25)."""

    ALL = "all"
    ONE = "one"


class ApprovalLevel(Strict):
    """Users who are asked together; without its condition the level is passed over (A25)."""

    approvers: Annotated[tuple[Name, ...], Field(min_length=1)]
    needed: Needed = Needed.ALL
    when: str | None = None


class ActionDefinition(Titled):
    """A piece of work that Cases of a process may launch.

    Its queue and its due-date rule are the process's unless it has its own. Each item of its checklist has
    to be answered before it can be completed. `process` is that of the Case that it starts, or of those that
    it waits for, without one all that run under its Case. An approval has levels, which are asked one after
    the other.
    """

    type: ActionType = ActionType.MANUAL
    queue: Name | None = None
    due_date: Name | None = None
    checklist: tuple[str, ...] = ()
    instructions: str = ""
    launched_by_hand: bool = False
    template: Name | None = None
    process: Name | None = None
    call: Name | None = None
    answer_within_minutes: Minutes | None = None
    retry_after_minutes: Annotated[tuple[Minutes, ...], Field(max_length=10)] = ()
    approval: tuple[ApprovalLevel, ...] = ()


class ActionUse(Strict):
    """An Action in a step, and when it is launched there; without a condition it always is."""

    action: Name
    when: str | None = None


class StepDefinition(Titled):
    """Actions that run side by side. A step whose condition is not met is passed over."""

    when: str | None = None
    actions: Annotated[tuple[ActionUse, ...], Field(min_length=1)]


class Schedule(Titled):
    """When Cases of a process begin by themselves, and what they begin with (CA-1).

    `cron` is in the time zone of the calendar; its hours and holidays do not matter. The title is that of the
    Cases.
    """

    cron: str
    calendar: Name
    description: str = ""
    fields: CustomFields = Field(default_factory=dict)
