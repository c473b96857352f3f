"""What holds for the transition table of every kind of activity, and the matrices that say what it should."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.activity.domain.call_steps import AnswerCall
from services.activity.domain.events import Event
from services.activity.domain.refusals import Refusal, RefusalCode
from services.activity.domain.states import State
from services.activity.domain.step_list import STEPS
from services.activity.domain.steps import Step, TimerDue
from services.activity.domain.transitions import Transition

Table = Sequence[Transition[Any]]


def matrix(cells: str) -> dict[tuple[str, str], str]:
    """The row that is expected, by column and step: a line for each step, under one with the columns."""
    header, *lines = cells.strip().splitlines()
    return {
        (column, line.split()[0]): rule
        for line in lines
        for column, rule in zip(header.split(), line.split()[1:], strict=True)
    }


def assert_row_or_refusal(
    done: tuple[Event, ...] | Refusal, rule: str, table: Table, state: State, step: type[Step], reference: str
) -> None:
    """The row of this id was taken, or for `-` the step refused with state and step; a timer is dropped."""
    if rule != "-":
        assert not isinstance(done, Refusal), done
        assert {event.stamp.rule for event in done} <= {rule}, state
        assert rule in {row.id for row in table if row.starts(state, step)}
    elif step is TimerDue:
        assert done == ()
    else:
        assert isinstance(done, Refusal), state
        assert (done.state, done.step) == (state, step.name)
        code = RefusalCode.CLOSED if state is State.CLOSED else RefusalCode.NOT_ALLOWED
        late = step is AnswerCall and state is not State.NEW
        assert done.code is (RefusalCode.LATE_ANSWER if late else code)
        assert state is State.NEW or reference in done.sentence


def assert_only_rows_with_a_choice_share_a_cell(table: Table, states: Iterable[State] = State) -> None:
    """The first row that holds decides: all but the last of a cell have to choose."""
    for state in states:
        for step in STEPS:
            rows = [row for row in table if row.starts(state, step)]
            assert all(row.when.__name__ != "always" for row in rows[:-1]), (state, step)
