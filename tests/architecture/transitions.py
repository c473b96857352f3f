"""Writes `docs/transitions.md` and its drawing from the Ticket's table: run as `make transitions`."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from services.activity.domain.states import State
from services.activity.domain.tickets import TICKET
from services.activity.domain.transitions import Transition, always
from tests.architecture.transition_diagram import DRAWING, drawing

PAGE = Path("docs/transitions.md")

_HEAD = """\
# The Ticket's transitions

Written by `make transitions` from the table that the software itself works by
(`services/activity/domain/tickets.py`); a test fails when the two differ.

Take the state that a Ticket is in and the step that somebody, a mail or a timer wants. The first row of the
table that has both, and whose *only if* holds, is the row that answers. If what it *needs* is there, its
effects happen and the Ticket is in the new state; if not, the step is refused with a list of what is missing.
What has no row is refused with the state and the step (T38). *Stays* means that status and wait are left
alone. The ids are those of [requirements.md](requirements.md); every event of a Ticket's timeline bears the
id of the row that led to it.

## Diagram

Steps that change the state, or begin its wait anew. Those that leave it alone are in the table only. A step
that can be taken in all states of a dashed box begins at that box.

![The Ticket's states and the steps between them](transitions.svg)

The same in words, for programs that read diagrams:

"""


def page() -> str:
    """The whole page as it has to be."""
    lines = ["```mermaid", *_diagram(TICKET), "```", "", "## Table", "", *_table(TICKET)]
    return _HEAD + "\n".join(lines) + "\n"


def picture() -> str:
    """The whole drawing as it has to be."""
    return drawing(TICKET, _title)


def _diagram(table: Iterable[Transition[Any]]) -> Iterator[str]:
    steps: dict[tuple[State, State], dict[str, None]] = defaultdict(dict)
    for row in table:
        for source in _sources(row):
            if row.to:
                steps[source, row.to][f"{row.id} {_words(row.step.name)}"] = None
    yield "stateDiagram-v2"
    yield from (f'    state "{_title(state)}" as {state.value}' for state in State if state is not State.NEW)
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
    DRAWING.write_text(picture())
    sys.stdout.write(f"{len(TICKET)} rows in {PAGE} and {DRAWING}\n")
