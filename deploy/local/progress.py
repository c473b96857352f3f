"""What happens while the stack starts, as events that a terminal, a pipe or nobody can follow."""

from collections.abc import Callable
from enum import StrEnum

from pydantic import BaseModel


class Phase(StrEnum):
    """Where a step stands."""

    WORKING = "working"
    READY = "ready"
    ENDED = "ended"


class Progress(BaseModel, frozen=True):
    """News of one step.

    `step` names a server, a service or a piece of preparation; `share` runs from 0 to 1 where the step
    can tell how much of it is done.
    """

    step: str
    phase: Phase
    detail: str = ""
    share: float | None = None


Report = Callable[[Progress], None]


def silence(_: Progress) -> None:
    """The report of a caller who does not want to know."""
