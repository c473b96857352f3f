"""What a row of a transition table is made of (design §5)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.activity.domain.context import Occasion, Situation
from services.activity.domain.events import Event
from services.activity.domain.holders import the_next
from services.activity.domain.refusals import Lack
from services.activity.domain.states import State
from services.activity.domain.steps import Step
from services.activity.domain.vocabulary import Method, Reason

S = TypeVar("S", bound=Step)


def always(_: Occasion[Step]) -> bool:
    """The row holds whenever its state and step do."""
    return True


@dataclass(frozen=True, slots=True)
class Transition(Generic[S]):
    """One row: from a state, by a step, to a state.

    - `id` is the requirement that the row fulfils.
    - `sources` is one state or several; `to` None leaves status and wait as they are.
    - `when` chooses among rows of the same state and step: the first that holds is the row.
    - `guards` say what the activity lacks, `checks` what the step itself lacks; any lack refuses the step.
    - `effects` make events, in order; the change of status and holders follows behind them.
    - `person` is who has the activity afterwards: `holders.py` makes an assignee or an owner of him.
    - `reason` None is the actor's own (ST-17); `method` is set where the row itself resolves (ST-18).
    """

    id: str
    sources: State | tuple[State, ...]
    step: type[S]
    to: State | None = None
    when: Callable[[Occasion[S]], bool] = always
    guards: tuple[Callable[[Situation], Iterable[Lack]], ...] = ()
    checks: tuple[Callable[[Occasion[S]], Iterable[Lack]], ...] = ()
    effects: tuple[Callable[[Occasion[S]], Iterable[Event]], ...] = ()
    person: Callable[[Occasion[S]], str | None] = the_next
    reason: Reason | None = None
    method: Method | None = None

    def starts(self, state: State, step: type[Step]) -> bool:
        """Whether this row is about `step` in `state`."""
        sources = (self.sources,) if isinstance(self.sources, State) else self.sources
        return step is self.step and state in sources
