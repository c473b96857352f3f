"""Steps that resources take on their work, and answers of customers: the rest of `steps.py`."""

from dataclasses import dataclass
from datetime import datetime

from services.activity.domain.steps import Resolving, Step


@dataclass(frozen=True, slots=True)
class KeepWithMe(Step):
    """Say that it stays with whoever has it, or no longer: first in the order of ST-20."""

    name = "keep_with_me"
    participle = "kept with you"
    keep: bool = True


@dataclass(frozen=True, slots=True)
class RejectWork(Step):
    """A robot cannot do it and says why, in a note (T10, ST-8); its id is the context's `effect`."""

    name = "reject_work"
    participle = "rejected by a robot"


@dataclass(frozen=True, slots=True)
class TakeNext(Step):
    """A resource asks for work and is given this (T7); a robot that still has it gets it again (ST-24)."""

    name = "next"
    participle = "given out as the next work"


@dataclass(frozen=True, slots=True)
class SendAndResolve(Resolving):
    """Send a mail that resolves it, as one operation (T20); its id is the context's `effect`."""

    name = "send_and_resolve"
    participle = "replied from and resolved"


@dataclass(frozen=True, slots=True)
class GiveFeedback(Step):
    """A customer rates it, 1 to 5 (T24, FB-2). With a comment, its note's id is the context's `effect`."""

    name = "feedback"
    participle = "given feedback"
    rating: int
    comment: bool = False


@dataclass(frozen=True, slots=True)
class SetDueDate(Step):
    """Set by hand by when it is to be done, or with None leave that to the rule again (SL-1)."""

    name = "set_due_date"
    participle = "given a due date"
    at: datetime | None = None
