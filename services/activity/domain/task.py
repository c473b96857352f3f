"""What an Action is to do: its type, as its Case launched it."""

from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from services.activity.domain.calls import Call
from services.activity.domain.flow import ActionKind


class Answer(StrEnum):
    """How a point of a checklist is answered (A10)."""

    YES = "yes"
    NO = "no"
    NOT_APPLICABLE = "not_applicable"


class Answered(Struct, frozen=True):
    """A point of the checklist with its answer."""

    point: str
    answer: Answer


class Task(Struct, frozen=True, kw_only=True):
    """The work of an Action.

    `step` is the step of its Case that it is part of; `by_hand` says that a person launched it beside that.
    `queue` and `due_date` are those of its type, None for those of the process. `answers` are those that
    there are. While it is looked at by somebody else, `done_by` is who did it (A24). `template` and `mail`
    are those of the mail that it writes by itself (A20, A21). `process` is that of the Sub-Case that it
    starts, or of those that it waits for (A22).
    are those of the mail that it writes by itself (A20, A21); `call` is its call to an external system (A23).
    """

    type: str
    kind: ActionKind = ActionKind.MANUAL
    step: int
    by_hand: bool = False
    queue: str | None = None
    due_date: str | None = None
    checklist: tuple[str, ...] = ()
    answers: tuple[Answered, ...] = ()
    done_by: str | None = None
    template: str | None = None
    mail: UUID | None = None
    process: str | None = None
    call: Call | None = None

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The points of the checklist without an answer."""
        answered = {each.point for each in self.answers}
        return tuple(point for point in self.checklist if point not in answered)

    @property
    def to_be_reviewed(self) -> bool:
        """Whether somebody else has to look at it once it is done."""
        return self.kind is ActionKind.PEER_REVIEW and self.done_by is None
