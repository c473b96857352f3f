"""How far a Case has come in its flow, and what comes next.

All of it follows from the Case's own events, so that an Action that ends needs no other Action to be read.
"""

from collections.abc import Callable, Collection, Mapping
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.activity.domain.flow import ActionType, Flow
from services.activity.domain.links import Other
from shared.field_values import FieldValue, Value


class Undecided(Exception):
    """A condition cannot be worked out; the message is a sentence."""


Holds = Callable[[str, Flow, Mapping[str, Value | None]], bool]
"""Whether a condition of a flow is met by these values of custom fields. Raises `Undecided`."""


class Launched(Struct, frozen=True):
    """An Action that a Case launched: its type, its step, and whether a person launched it (CA-6)."""

    action: Other
    type: str
    step: int
    by_hand: bool = False


class SubCase(Struct, frozen=True):
    """A Case that runs under another one, its process, and the Action that started it, if one did (CA-4)."""

    case: Other
    process: str
    by: Other | None = None


class Did(Struct, frozen=True):
    """Who did the Actions of a type in a step last: a rework gives them back to him (C17, ST-20)."""

    step: int
    type: str
    person: str


class Restart(Struct, frozen=True):
    """Where a rework begins again: `only` this Action of the step, and `keeper` takes what is launched."""

    only: str | None = None
    keeper: str | None = None


class Course(Struct, frozen=True, kw_only=True):
    """How far a Case has come.

    `step` is the step that it is in, 0 before the first. `running` are the Actions that have not ended, in
    the order of their launch; `launched` counts those of each step, which numbers them (GL-6).
    `attention` says that it needs its owner's, `because` of which Action or condition (C6, CA-5). `over` says
    that it was resolved and nothing was launched since: where it comes back, people say what is to be done.
    `sub_cases` are those that are not closed, in the order of their start; `sub_cases_ended` are the
    processes of those that were.
    """

    step: int = 0
    running: tuple[Launched, ...] = ()
    launched: tuple[int, ...] = ()
    did: tuple[Did, ...] = ()
    restart: Restart | None = None
    attention: bool = False
    because: str | None = None
    over: bool = False
    sub_cases: tuple[SubCase, ...] = ()
    sub_cases_ended: tuple[str, ...] = ()

    def of(self, action: Other) -> Launched | None:
        """The running Action that is this one."""
        return next((each for each in self.running if each.action.activity == action.activity), None)

    def next_ordinal(self, step: int) -> int:
        """The number of the next Action of a step; none is given twice, whatever is done again."""
        return (self.launched[step - 1] if step <= len(self.launched) else 0) + 1

    def doer(self, step: int, type_: str) -> str | None:
        """Who did this Action of this step last."""
        return next((each.person for each in self.did if (each.step, each.type) == (step, type_)), None)

    def with_launched(self, launched: Launched) -> "Course":
        """The course once an Action is launched."""
        counts = [*self.launched, *[0] * (launched.step - len(self.launched))]
        counts[launched.step - 1] += 1
        return replace(self, running=(*self.running, launched), launched=tuple(counts), over=False)

    def without(self, action: Other, person: str | None) -> "Course":
        """The course once an Action has ended in the hands of `person`."""
        ended = self.of(action)
        if ended is None:
            return self
        running = tuple(each for each in self.running if each is not ended)
        if person is None:
            return replace(self, running=running)
        others = tuple(each for each in self.did if (each.step, each.type) != (ended.step, ended.type))
        return replace(self, running=running, did=(*others, Did(ended.step, ended.type, person)))

    def with_sub_case(self, started: SubCase) -> "Course":
        """The course once a Sub-Case was started."""
        return replace(self, sub_cases=(*self.sub_cases, started), over=False)

    def without_sub_cases(self, gone: Collection[UUID]) -> "Course":
        """The course once these Sub-Cases are closed."""
        left = tuple(each for each in self.sub_cases if each.case.activity not in gone)
        ended = [each.process for each in self.sub_cases if each.case.activity in gone]
        return replace(
            self, sub_cases=left, sub_cases_ended=tuple(dict.fromkeys((*self.sub_cases_ended, *ended)))
        )


class Entering(Struct, frozen=True):
    """The next step is entered with these Actions."""

    step: int
    actions: tuple[ActionType, ...]


class Finished(Struct, frozen=True):
    """Nothing is left: all relevant Actions are completed (C18)."""


class Stuck(Struct, frozen=True):
    """It cannot be said what comes next; `why` is a sentence for the owner (C6)."""

    why: str


def next_of(
    flow: Flow, course: Course, fields: tuple[FieldValue, ...], holds: Holds
) -> Entering | Finished | Stuck | None:
    """What comes next while the Case runs; None where it waits for Actions, or for its owner.

    The Actions of a step end before the next one begins, what people launched beside them and Sub-Cases only
    before the Case does (CA-4). A step of which nothing is to be done is passed over. What has come back
    after it was resolved is not resolved again by what made it so the first time (C21).
    """
    if course.attention or any(not each.by_hand for each in course.running):
        return None
    values = {each.name: each.value for each in fields}

    def met(condition: str | None) -> bool:
        return condition is None or holds(condition, flow, values)

    try:
        for number, step in enumerate(flow.steps[course.step :], course.step + 1):
            again = course.restart.only if course.restart and number == course.step + 1 else None
            if again is None and not met(step.when):
                continue
            uses = [use for use in step.actions if (use.action == again if again else met(use.when))]
            actions = tuple(action for use in uses if (action := flow.action(use.action)))
            if actions:
                return Entering(number, actions)
    except Undecided as failed:
        return Stuck(str(failed))
    return None if course.running or course.sub_cases or course.over else Finished()
