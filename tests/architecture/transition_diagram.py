"""Draws a transition table: boxes, and a curve for each pair of them.

Rows that start from all states of a group start from the group's box, so that a curve is drawn once. Where a
box stands is the only thing that is not in the table: `transition_layouts.py` says it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

from services.activity.domain.states import State
from services.activity.domain.transitions import Transition


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


Curves = dict[tuple[Box, Box], list[str]]


class Way(NamedTuple):
    """How a curve goes where the nearest sides would cross something.

    It leaves one box and enters the other on these `sides`, and keeps its direction for `reach`. What it is
    called stands at this share of it.
    """

    sides: str
    reach: float | None = None
    called_at: float = 0.5


@dataclass(frozen=True)
class Layout:
    """Where the states of one kind of activity stand, and what is drawn around several of them.

    `groups`: the largest one that holds sources of a row is where its curve starts. `ways` are those of
    curves by where they begin and end, as the name of a state or the title of a group.
    """

    title: str
    width: int
    height: int
    states: Mapping[State, Box]
    groups: Mapping[frozenset[State], Box]
    ways: Mapping[tuple[str, str], Way]


def drawing(table: Iterable[Transition[Any]], layout: Layout, title_of: Callable[[State], str]) -> str:
    """The whole picture as it has to be; `title_of` names a state."""
    groups, states = sorted(layout.groups.values(), key=_size), layout.states
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {layout.width} {layout.height}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13">',
        f"<title>{layout.title}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0 8 4 0 8z" fill="#4a5568"/></marker></defs>',
        f'<rect width="{layout.width}" height="{layout.height}" fill="#fff"/>',
        *(_box(box, box.title, "#f7fafc", dashed=True) for box in groups),
        *_drawn(_curves(table, layout), layout),
        *(_box(box, title_of(state), "#ebf4ff") for state, box in states.items() if state is not State.NEW),
        '<circle cx="{:.0f}" cy="{:.0f}" r="14" fill="#4a5568"/>'.format(*states[State.NEW].centre),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _size(box: Box) -> int:
    return -box.width * box.height


def _curves(table: Iterable[Transition[Any]], layout: Layout) -> Curves:
    """The rows that lead from one box to another."""
    curves: dict[tuple[Box, Box], dict[str, None]] = defaultdict(dict)
    for row in table:
        end = layout.states.get(row.to) if row.to else None
        for start in _starts(row, layout) if end else ():
            if end and start != end:
                curves[start, end][f"{row.id} {row.step.name.replace('_', ' ')}"] = None
    return {pair: list(names) for pair, names in curves.items()}


def _starts(row: Transition[Any], layout: Layout) -> Iterator[Box]:
    left = {row.sources} if isinstance(row.sources, State) else set(row.sources)
    for states, box in sorted(layout.groups.items(), key=lambda each: -len(each[0])):
        if states <= left and row.to not in states:
            left -= states
            yield box
    yield from (box for state, box in layout.states.items() if state in left)


def _drawn(curves: Curves, layout: Layout) -> Iterator[str]:
    ends: dict[tuple[Box, str], list[tuple[float, tuple[Box, Box], int]]] = defaultdict(list)
    for pair in curves:
        for place, side in enumerate(_way(*pair, layout).sides):
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
        way = _way(*pair, layout)
        first, last = way.sides[0], way.sides[1]
        reach = way.reach or max(40.0, (abs(x2 - x1) + abs(y2 - y1)) / 3)
        (a1, b1), (a2, b2) = _away(x1, y1, first, reach), _away(x2, y2, last, reach)
        yield (
            f'<path d="M{x1:.0f} {y1:.0f}C{a1:.0f} {b1:.0f} {a2:.0f} {b2:.0f} {x2:.0f} {y2:.0f}" fill="none" '
            'stroke="#4a5568" marker-end="url(#tip)"/>'
        )
        at = way.called_at
        labels.append((_on_curve(at, x1, a1, a2, x2), _on_curve(at, y1, b1, b2, y2), names))
    for x, y, names in labels:
        top = y - 7 * len(names) + 11
        for line, name in enumerate(names):
            yield (
                f'<text x="{x:.0f}" y="{top + 14 * line:.0f}" text-anchor="middle" font-size="11" '
                f'stroke="#fff" stroke-width="4" paint-order="stroke" fill="#2a4365">{escape(name)}</text>'
            )


def _way(start: Box, end: Box, layout: Layout) -> Way:
    names = {box: state.name for state, box in layout.states.items()}
    known = layout.ways.get((names.get(start, start.title), names.get(end, end.title)))
    if known:
        return known
    (x1, y1), (x2, y2) = start.centre, end.centre
    if abs(x2 - x1) > 1.2 * abs(y2 - y1):
        return Way("rl" if x2 > x1 else "lr")
    return Way("bt" if y2 > y1 else "tb")


def _on_curve(share: float, start: float, first: float, last: float, end: float) -> float:
    """Where a Bézier curve is after this share of its way."""
    rest = 1 - share
    return rest**3 * start + 3 * rest**2 * share * first + 3 * rest * share**2 * last + share**3 * end


def _away(x: float, y: float, side: str, reach: float) -> tuple[float, float]:
    return x + reach * ((side == "r") - (side == "l")), y + reach * ((side == "b") - (side == "t"))


def _box(box: Box, title: str, fill: str, *, dashed: bool = False) -> str:
    x, y = (box.x + 8, box.y + 16) if dashed else (box.centre[0], box.centre[1] + 5)
    anchor, more = ("start", ' stroke-dasharray="4 4"') if dashed else ("middle", "")
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="8" fill="{fill}" '
        f'stroke="#4a5568"{more}/><text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(title)}</text>'
    )
