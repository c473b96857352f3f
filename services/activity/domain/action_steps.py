"""The steps that Actions know beside those of every activity (section 5 of the catalogue)."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.activity.domain.links import Other
from services.activity.domain.steps import Opening, Step
from services.activity.domain.task import Answer, Task
from services.activity.domain.vocabulary import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchAction(Opening):
    """Its Case launches it, or somebody does by hand (A1); `person` is who did the same before (C17).

    `bearer` is the Case at the top, where its own is a Sub-Case (CA-7).
    """

    name = "launch_action"
    participle = "launched"
    parent: Other
    task: Task
    person: str | None = None
    bearer: UUID | None = None


@dataclass(frozen=True, slots=True)
class SendItself(Step):
    """It writes to the customer by itself, to these contacts; to nobody where that cannot be (A20, A21)."""

    name = "send_itself"
    participle = "sent by itself"
    to: tuple[UUID, ...] = ()
    cc: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerChecklist(Step):
    """Answer points of its checklist (A10)."""

    name = "answer_checklist"
    participle = "answered in its checklist"
    answers: tuple[tuple[str, Answer], ...]


@dataclass(frozen=True, slots=True)
class CompleteAction(Step):
    """It is done (A10)."""

    name = "complete"
    participle = "completed"


@dataclass(frozen=True, slots=True)
class GiveUp(Step):
    """It cannot be done (A11). With `reason` a note says why; its id is the context's `effect`."""

    name = "give_up"
    participle = "given up"
    reason: bool = False


class CloseBecause(StrEnum):
    """What happened to its Case."""

    REWORKED = Reason.REWORK.value
    CANCELLED = Reason.CANCELLED.value


@dataclass(frozen=True, slots=True)
class CloseWithCase(Step):
    """Its Case is done again, or is over (A12, A13)."""

    name = "close_with_case"
    participle = "closed with its Case"
    because: CloseBecause
