"""What an Action is to do: its type, as its Case launched it."""

from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from services.activity.domain.approvals import ApprovalLevel, Needed, Round
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
    starts, or of those that it waits for (A22), `call` its call to an external system (A23). `approval` are
    the levels of an approval, and `round` the round in which they were asked last (A25).
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
    approval: tuple[ApprovalLevel, ...] = ()
    round: Round | None = None

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The points of the checklist without an answer."""
        answered = {each.point for each in self.answers}
        return tuple(point for point in self.checklist if point not in answered)

    @property
    def asks(self) -> bool:
        """Whether it asks people for their approval (A25)."""
        return self.kind is ActionKind.APPROVAL

    @property
    def yet_to_answer(self) -> tuple[str, ...]:
        """Who was asked last, and has not answered (A25)."""
        return self.round.unanswered if self.round else ()

    @property
    def level_has_enough(self) -> bool:
        """Whether the level that was asked last has what it needs (A25)."""
        if self.round is None:
            return False
        one = self.approval[self.round.level - 1].needed is Needed.ONE
        said = [each.approved for each in self.round.verdicts if each.level == self.round.level]
        return any(said) if one else all(said) and not self.round.unanswered

    @property
    def to_be_reviewed(self) -> bool:
        """Whether somebody else has to look at it once it is done."""
        return self.kind is ActionKind.PEER_REVIEW and self.done_by is None
