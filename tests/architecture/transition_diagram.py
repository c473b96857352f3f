"""Draws the Ticket's transition table as `docs/transitions.svg`: boxes, and a curve for each pair of them.

Rows that start from all states of a group start from the group's box, so that a curve is drawn once. Where a
box stands is the only thing that is not in the table.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from services.activity.domain.states import State
from services.activity.domain.transitions import Transition

DRAWING = Path("docs/transitions.svg")
WIDTH, HEIGHT = 1190, 1000


@dataclass(frozen=True)
class Box:
    """Where something is drawn, in pixels from the upper left."""

    x: int
    y: int
    width: int
    height: int
    title: str = ""

    def point(self, side: str, share: float) -> tuple[float, float]:
        """A point on a side, at this share of its length."""
        if side in "lr":
            return self.x + self.width * (side == "r"), self.y + self.height * share
        return self.x + self.width * share, self.y + self.height * (side == "b")

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


_PLACES = {
    "new": Box(24, 420, 28, 28),
    "draft": Box(110, 140, 120, 44),
    "to_do": Box(350, 155, 120, 170),
    "in_progress": Box(720, 155, 120, 170),
    "wait_more_information": Box(350, 580, 190, 90),
    "wait_until": Box(660, 580, 190, 90),
    "resolved": Box(1040, 200, 120, 44),
    "closed": Box(1040, 650, 120, 44),
    "wait_split": Box(350, 745, 190, 44),
    "wait_case_launched": Box(660, 745, 190, 44),
}
STATES = {state: _PLACES[state.value] for state in State}
# The smallest group that holds all sources of a row is where its curve starts.
GROUPS = {
    frozenset({State.TO_DO, State.IN_PROGRESS}): Box(325, 125, 540, 225, "worked on"),
    frozenset({State.WAIT_MORE_INFO, State.WAIT_UNTIL}): Box(325, 545, 550, 145, "waiting"),
    frozenset({State.TO_DO, State.IN_PROGRESS, State.WAIT_MORE_INFO, State.WAIT_UNTIL}): Box(
        300, 90, 600, 630, "open"
    ),
}
# Sides on which a curve leaves one box and enters another, and how far it keeps its direction, where the
# nearest ones would cross something.
SIDES: dict[tuple[str, str], tuple[str, float]] = {
    ("DRAFT", "TO_DO"): ("rl", 60),
    ("NEW", "TO_DO"): ("rl", 150),
    ("NEW", "CLOSED"): ("bb", 400),
    ("DRAFT", "RESOLVED"): ("tt", 170),
    ("DRAFT", "CLOSED"): ("bb", 640),
    ("RESOLVED", "TO_DO"): ("tt", 170),
    ("WAIT_MORE_INFO", "CLOSED"): ("bl", 100),
    ("RESOLVED", "CLOSED"): ("bt", 150),
}


def drawing(table: Iterable[Transition[Any]], title_of: Any) -> str:
    """The whole picture as it has to be; `title_of` names a state."""
    curves = _curves(table)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13">',
        "<title>The Ticket's transitions</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0 8 4 0 8z" fill="#4a5568"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *(_box(box, box.title, "#f7fafc", dashed=True) for box in sorted(GROUPS.values(), key=_size)),
        *_drawn(curves),
        *(_box(box, title_of(state), "#ebf4ff") for state, box in STATES.items() if state is not State.NEW),
        '<circle cx="{:.0f}" cy="{:.0f}" r="14" fill="#4a5568"/>'.format(*STATES[State.NEW].centre),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _size(box: Box) -> int:
    return -box.width * box.height


def _curves(table: Iterable[Transition[Any]]) -> dict[tuple[Box, Box], list[str]]:
    """The rows that lead from one box to another."""
    curves: dict[tuple[Box, Box], dict[str, None]] = defaultdict(dict)
    for row in table:
        for start in _starts(row) if row.to in STATES else ():
            end = STATES[row.to]
            if start != end:
                curves[start, end][f"{row.id} {row.step.name.replace('_', ' ')}"] = None
    return {pair: list(names) for pair, names in curves.items()}


def _starts(row: Transition[Any]) -> Iterator[Box]:
    left = {row.sources} if isinstance(row.sources, State) else set(row.sources)
    for states, box in sorted(GROUPS.items(), key=lambda each: -len(each[0])):
        if states <= left and row.to not in states:
            left -= states
            yield box
    yield from (STATES[state] for state in STATES if state in left)


def _drawn(curves: dict[tuple[Box, Box], list[str]]) -> Iterator[str]:
    ends: dict[tuple[Box, str], list[tuple[float, tuple[Box, Box], int]]] = defaultdict(list)
    for pair in curves:
        for place, side in enumerate(_sides(*pair)):
            other = pair[1 - place].centre
            ends[pair[place], side].append((other[1] if side in "lr" else other[0], pair, place))
    points: dict[tuple[tuple[Box, Box], int], tuple[float, float]] = {}
    for (box, side), found in ends.items():
        order = {pair: number for number, pair in enumerate(curves)}
        for rank, (_, pair, place) in enumerate(sorted(found, key=lambda e: (e[0], order[e[1]])), 1):
            points[pair, place] = box.point(side, rank / (len(found) + 1))
    labels = []
    for pair, names in curves.items():
        (x1, y1), (x2, y2) = points[pair, 0], points[pair, 1]
        (first, last), reach = _sides(*pair), _reach(*pair) or max(40.0, (abs(x2 - x1) + abs(y2 - y1)) / 3)
        (a1, b1), (a2, b2) = _away(x1, y1, first, reach), _away(x2, y2, last, reach)
        yield (
            f'<path d="M{x1:.0f} {y1:.0f}C{a1:.0f} {b1:.0f} {a2:.0f} {b2:.0f} {x2:.0f} {y2:.0f}" fill="none" '
            'stroke="#4a5568" marker-end="url(#tip)"/>'
        )
        labels.append((0.125 * (x1 + x2) + 0.375 * (a1 + a2), 0.125 * (y1 + y2) + 0.375 * (b1 + b2), names))
    for x, y, names in labels:
        top = y - 7 * len(names) + 11
        for line, name in enumerate(names):
            yield (
                f'<text x="{x:.0f}" y="{top + 14 * line:.0f}" text-anchor="middle" font-size="11" '
                f'stroke="#fff" stroke-width="4" paint-order="stroke" fill="#2a4365">{escape(name)}</text>'
            )


def _known(start: Box, end: Box) -> tuple[str, float] | None:
    names = {box: state.name for state, box in STATES.items()}
    return SIDES.get((names.get(start, start.title), names.get(end, end.title)))


def _reach(start: Box, end: Box) -> float | None:
    known = _known(start, end)
    return known and known[1]


def _sides(start: Box, end: Box) -> str:
    known = _known(start, end)
    if known:
        return known[0]
    (x1, y1), (x2, y2) = start.centre, end.centre
    if abs(x2 - x1) > 1.2 * abs(y2 - y1):
        return "rl" if x2 > x1 else "lr"
    return "bt" if y2 > y1 else "tb"


def _away(x: float, y: float, side: str, reach: float) -> tuple[float, float]:
    return x + reach * ((side == "r") - (side == "l")), y + reach * ((side == "b") - (side == "t"))


def _box(box: Box, title: str, fill: str, *, dashed: bool = False) -> str:
    x, y = (box.x + 8, box.y + 16) if dashed else (box.centre[0], box.centre[1] + 5)
    anchor, more = ("start", ' stroke-dasharray="4 4"') if dashed else ("middle", "")
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="8" fill="{fill}" '
        f'stroke="#4a5568"{more}/><text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(title)}</text>'
    )
