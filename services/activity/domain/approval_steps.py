"""The steps of approvals (A25)."""

from dataclasses import dataclass

from services.activity.domain.approvals import Asking
from services.activity.domain.steps import Step


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody answers: a level of a round. Each is None for whatever is asked now."""

    round: int | None = None
    level: int | None = None


@dataclass(frozen=True, slots=True)
class AskApprovers(Step):
    """A level is asked; None where nobody can be asked, so that people have to see to it."""

    name = "ask_approvers"
    participle = "put to its approvers"
    asking: Asking | None = None


@dataclass(frozen=True, slots=True)
class Approve(Step):
    """Somebody who is asked approves, as an answer to `question`.

    With `comment` a note says more; its id is the context's `effect`.
    """

    name = "approve"
    participle = "approved"
    comment: bool = False
    question: Question = Question()


@dataclass(frozen=True, slots=True)
class Decline(Step):
    """Somebody who is asked declines, as an answer to `question`. With `comment` a note says why."""

    name = "decline"
    participle = "declined"
    comment: bool = False
    question: Question = Question()


@dataclass(frozen=True, slots=True)
class EndApproved(Step):
    """Every level has what it needs."""

    name = "end_approved"
    participle = "closed as approved"
