"""Writes `docs/transitions.md` and its drawings from the tables of all kinds: run as `make transitions`."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.activity.domain.actions import ACTION
from services.activity.domain.cases import CASE
from services.activity.domain.states import State
from services.activity.domain.tickets import TICKET
from services.activity.domain.transitions import Transition, always
from tests.architecture import transition_layouts as layouts
from tests.architecture.transition_diagram import Layout, drawing

PAGE = Path("docs/transitions.md")


@dataclass(frozen=True)
class Kind:
    """A kind of activity on the page. `told` is what a reader of its table has to know beside it."""

    name: str
    module: str
    table: Sequence[Transition[Any]]
    layout: Layout
    drawing: Path
    told: str


KINDS = (
    Kind(
        "Ticket",
        "tickets",
        TICKET,
        layouts.TICKET,
        Path("docs/transitions.svg"),
        "What has no row is refused with the state and the step (T38).",
    ),
    Kind(
        "Case",
        "cases",
        CASE,
        layouts.CASE,
        Path("docs/transitions-case.svg"),
        """\
What has no row is refused with the state and the step (C25). A Case and its Actions go on together, in one
transaction, by steps that no person takes: `enter_step`, `finish` and `way_lost` are the Case's own
(something comes next, nothing does, or it cannot be told), `action_ended` and `action_answered` are what it
hears of its Actions, `sub_case_ended` of the Cases under it. One under another is opened by `open_sub_case`,
ends with that by `close_with_case`, and changes what both share by `edit_shared`. While a Case waits it hears
all of this too, and launches nothing (CA-3).""",
    ),
    Kind(
        "Action",
        "actions",
        ACTION,
        layouts.ACTION,
        Path("docs/transitions-action.svg"),
        """\
What has no row is refused with the state and the step (A14). An Action is launched by its Case and never
reopened; `close_with_case` is what it hears of a Case that is done again or abandoned, `sub_cases_ended` that
no Case runs any more that it would wait for. What it does by itself are `send_itself`, `start_case` and
`await_sub_cases`.""",
    ),
)

_HEAD = """\
# Transitions

Written by `make transitions` from the tables that the software itself works by; a test fails when the two
differ. There is one for each kind of activity: [Tickets](#the-ticket), [Cases](#the-case) and
[Actions](#the-action).

Take the state that an activity is in and the step that somebody, a mail or a timer wants. The first row of
its kind's table that has both, and whose *only if* holds, is the row that answers. If what it *needs* is
there, its effects happen and the activity is in the new state; if not, the step is refused with a list of
what is missing. *Stays* means that status and wait are left alone. The ids are those of
[requirements.md](requirements.md); every event of a timeline bears the id of the row that led to it.

A diagram has the steps that change the state, or begin its wait anew. Those that leave it alone are in the
table only. A step that can be taken in all states of a dashed box begins at that box.
"""


def page() -> str:
    """The whole page as it has to be."""
    return "\n".join([_HEAD, *(line for kind in KINDS for line in _part(kind))])


def picture(kind: Kind) -> str:
    """The whole drawing of a kind as it has to be."""
    return drawing(kind.table, kind.layout, _title)


def _part(kind: Kind) -> Iterator[str]:
    yield f"## The {kind.name}"
    yield ""
    yield f"From `services/activity/domain/{kind.module}.py`. {kind.told}"
    yield ""
    yield f"![The {kind.name}'s states and the steps between them]({kind.drawing.name})"
    yield ""
    yield "The same in words, for programs that read diagrams:"
    yield ""
    yield from ("```mermaid", *_diagram(kind.table), "```", "", *_table(kind.table), "")


def _diagram(table: Sequence[Transition[Any]]) -> Iterator[str]:
    steps: dict[tuple[State, State], dict[str, None]] = defaultdict(dict)
    for row in table:
        for source in _sources(row):
            if row.to:
                steps[source, row.to][f"{row.id} {_words(row.step.name)}"] = None
    yield "stateDiagram-v2"
    known = {state for row in table for state in (*_sources(row), row.to)} - {State.NEW}
    yield from (f'    state "{_title(state)}" as {state.value}' for state in State if state in known)
    for (source, to), labels in steps.items():
        begin = "[*]" if source is State.NEW else source.value
        yield f"    {begin} --> {to.value} : {', '.join(labels)}"
    yield f"    {State.CLOSED.value} --> [*]"


def _table(table: Iterable[Transition[Any]]) -> Iterator[str]:
    yield "| Row | From | Step | Only if | Needs | To | Effects |"
    yield "|---|---|---|---|---|---|---|"
    for row in table:
        cells = (
            row.id,
            ", ".join(map(_title, _sources(row))),
            f"`{row.step.name}`",
            "" if row.when is always else _named([row.when]),
            _named((*row.guards, *row.checks)),
            _title(row.to) if row.to else "*stays*",
            _named(row.effects),
        )
        yield f"| {' | '.join(cells)} |"


def _sources(row: Transition[Any]) -> tuple[State, ...]:
    return (row.sources,) if isinstance(row.sources, State) else row.sources


def _title(state: State) -> str:
    label = "Not there yet" if state is State.NEW else state.label
    return label[0].upper() + label[1:]


def _named(functions: Iterable[Callable[..., Any]]) -> str:
    return ", ".join(_words(function.__name__) for function in functions)


def _words(name: str) -> str:
    return name.replace("_", " ")


if __name__ == "__main__":
    PAGE.write_text(page())
    for each in KINDS:
        each.drawing.write_text(picture(each))
        sys.stdout.write(f"{len(each.table)} rows in {PAGE} and {each.drawing}\n")
