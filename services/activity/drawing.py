"""Draws a process, or a Case on its way through it, as SVG: a column for each step, a box for each Action.

The drawing has a background of its own, so that it can be read on any page, and nothing in it acts. What
stands in it comes from people, and is text and nothing else.
"""

from collections.abc import Iterable, Iterator
from html import escape

from services.activity.drawn_text import BOLD, GREY, clean, hint, wrapped, written
from services.activity.pictures import Box, Column, Look, Picture

MARGIN, GAP, PADDING = 28, 46, 12
BOX, WIDTH = 216, 216 + 2 * 12
DISC, ROOM = 13, 66  # start and end, and the room that each has
TITLE, SMALL = 13.5, 11.5
_BOLD, _ITALIC, _FORMER = ' font-weight="600"', ' font-style="italic"', ' opacity=".7"'
_MONO = " font-family=\"ui-monospace, 'DejaVu Sans Mono', Consolas, monospace\""
INK, LINE, PANEL = "#1f2328", "#8c959f", "#f6f8fa"

# The stroke, the fill and the dashes of each look.
_COLOURS = {
    Look.PLANNED: ("#afb8c1", "#ffffff", ""),
    Look.PASSED_OVER: ("#afb8c1", "#f6f8fa", "5 4"),
    Look.LAUNCHED: ("#0969da", "#ffffff", ""),
    Look.RUNS: ("#0969da", "#ddf4ff", ""),
    Look.WAITS: ("#8250df", "#fbefff", ""),
    Look.DONE: ("#1a7f37", "#ffffff", ""),
    Look.FAILED: ("#cf222e", "#ffebe9", ""),
    Look.UNDONE: ("#6e7781", "#f6f8fa", ""),
}
# Drawn on a field of 12 by 12.
_SIGNS = {
    Look.LAUNCHED: '<circle cx="6" cy="6" r="4.5"/>',
    Look.RUNS: '<path d="M3.5 2l6 4-6 4z" fill="currentColor"/>',
    Look.WAITS: '<path d="M4 2v8M8 2v8"/>',
    Look.DONE: '<path d="M1.5 6.5l3 3 6-7"/>',
    Look.FAILED: '<path d="M2 2l8 8M10 2l-8 8"/>',
    Look.PASSED_OVER: '<path d="M2 6h8"/>',
    Look.UNDONE: '<circle cx="6" cy="6" r="4.5"/><path d="M3 9l6-6"/>',
}


def drawn(picture: Picture) -> str:
    """The picture as an SVG document."""
    columns = [_Column(number, each) for number, each in enumerate(picture.columns, 1)]
    head = max((each.head for each in columns), default=0)
    body = max((each.body for each in columns), default=0)
    across = len(columns) * (WIDTH + GAP) + GAP
    width = max(2 * (MARGIN + ROOM - GAP) + across + GAP, 620)
    left, room = (width - across) / 2, width - 2 * MARGIN
    out: list[str] = []
    y = MARGIN + 20.0
    for line in wrapped(picture.title, room, 20 * BOLD, 2) or [""]:
        out.append(written(line, MARGIN, y, width=room, size=20, fill=INK, more=_BOLD))
        y += 25
    for line in wrapped(picture.subtitle, room, 13):
        out.append(written(line, MARGIN, y, width=room, size=13))
        y += 22
    if picture.attention:
        out.append(_attention(picture.attention, MARGIN, y - 6, room))
        y += 42
    top = y + 4
    middle = top + max(head, 48) / 2
    out += _way(left, middle, len(columns), ended=picture.ended)
    for number, column in enumerate(columns):
        out += column.drawn(left + GAP + number * (WIDTH + GAP), top, head, body)
    y = top + max(head + body, 56)
    if picture.beside:
        out += _beside(picture.beside_title, picture.beside, left + GAP, y + 26)
        y += 32 + sum(_Box(each).height + 10 for each in picture.beside)
    for line in wrapped(picture.foot, room, 11):
        y += 26
        out.append(written(line, MARGIN, y, width=room, size=11))
    return _document(out, picture.title, width, y + MARGIN)


def _document(parts: Iterable[str], title: str, width: float, height: float) -> str:
    font = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
            f'viewBox="0 0 {width:g} {height:g}" role="img" font-family="{font}">',
            hint(title),
            f'<rect x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" rx="12" fill="#ffffff" '
            'stroke="#d0d7de"/>',
            *parts,
            "</svg>\n",
        )
    )


def _way(left: float, y: float, columns: int, *, ended: bool) -> Iterator[str]:
    """The start, the end, and the arrows from column to column."""
    start, end = left - DISC - 6, left + GAP + columns * (WIDTH + GAP) + DISC + 6
    yield f'<circle cx="{start:g}" cy="{y:g}" r="{DISC}" fill="{LINE}"/>'
    yield f'<circle cx="{end:g}" cy="{y:g}" r="{DISC}" fill="none" stroke="{LINE}" stroke-width="2.5"/>'
    if ended:
        yield f'<circle cx="{end:g}" cy="{y:g}" r="{DISC - 5}" fill="{LINE}"/>'
    for x, name in ((start, "Start"), (end, "End")):
        yield (
            f'<text x="{x:g}" y="{y + 31:g}" font-size="11" fill="{GREY}" text-anchor="middle">{name}</text>'
        )
    for number in range(columns + 1):
        x = left + number * (WIDTH + GAP)
        yield (
            f'<path d="M{x + 1:g} {y:g}h{GAP - 8}" stroke="{LINE}" stroke-width="2"/>'
            f'<path d="M{x + GAP - 2:g} {y:g}l-9 -5v10z" fill="{LINE}"/>'
        )


def _attention(text: str, x: float, y: float, width: float) -> str:
    (line,) = wrapped(f"Needs attention: {text}", width - 52, 13) or [""]
    return (
        f'<g><rect x="{x:g}" y="{y:g}" width="{width:g}" height="32" rx="6" fill="#fff8c5" stroke="#d4a72c"/>'
        f'<path d="M{x + 20:g} {y + 8:g}l9 16h-18z" fill="none" stroke="#9a6700" stroke-width="1.8" '
        f'stroke-linejoin="round"/><path d="M{x + 20:g} {y + 14:g}v4m0 2.2v.6" stroke="#9a6700" '
        f'stroke-width="1.8"/>{written(line, x + 40, y + 21, width=width - 52, size=13, fill="#633c01")}'
        f"{hint(text)}</g>"
    )


def _beside(title: str, boxes: tuple[Box, ...], x: float, y: float) -> Iterator[str]:
    yield written(title, x, y + 4, width=0, fill=GREY, more=_BOLD)
    y += 16
    for box in map(_Box, boxes):
        yield from box.drawn(x, y)
        y += box.height + 10


class _Column:
    """A step with its measures."""

    def __init__(self, number: int, column: Column) -> None:
        self._number, self._column = number, column
        self._titles = wrapped(column.title, WIDTH - 58, 15 * BOLD, 2) or [""]
        self._when = _condition(column.when)
        self.head = 24 + 19 * len(self._titles) + 15 * len(self._when) + (4 if self._when else 0)
        self._lanes = [[_Box(box) for box in lane] for lane in column.lanes]
        self.body = sum(sum(box.height for box in lane) + 26 * (len(lane) - 1) + 12 for lane in self._lanes)

    def drawn(self, x: float, y: float, head: float, body: float) -> Iterator[str]:
        stroke, _, dashes = _COLOURS[self._column.look]
        marked = self._column.look in (Look.RUNS, Look.FAILED)
        faded = self._column.look is Look.PASSED_OVER
        ink = GREY if faded else INK
        yield (
            f'<svg x="{x - 2:g}" y="{y - 2:g}" width="{WIDTH + 4}" height="{head + body + 4:g}">'
            f'{hint(self._column.title)}<rect x="2" y="2" width="{WIDTH}" height="{head + body:g}" rx="10" '
            f'fill="{PANEL}" stroke="{stroke if marked or faded else "#d0d7de"}"{_dashed(dashes)}'
            f"{_thick(marked)}/>"
        )
        disc = "#ffffff" if faded or self._column.look is Look.PLANNED else stroke
        digits = "#ffffff" if disc == stroke else GREY
        yield (
            f'<circle cx="26" cy="27" r="12" fill="{disc}" stroke="{stroke}"/>'
            f'<text x="26" y="31.5" font-size="12.5" fill="{digits}" text-anchor="middle"'
            f"{_BOLD}>{self._number}</text>"
        )
        down = 32.0
        for line in self._titles:
            yield written(line, 48, down, width=WIDTH - 58, size=15, fill=ink, more=_BOLD)
            down += 19
        for line in self._when:
            yield written(line, 48, down, width=WIDTH - 58, size=SMALL, more=_ITALIC)
            down += 15
        yield "</svg>"
        down = y + head
        for lane in self._lanes:
            for number, box in enumerate(lane):
                if number:
                    yield _again(x + PADDING + 20, down - 26)
                yield from box.drawn(x + PADDING, down, former=number < len(lane) - 1)
                down += box.height + 26
            down -= 14


class _Box:
    """An Action with its measures."""

    def __init__(self, box: Box) -> None:
        self._box = box
        inner = BOX - 26
        self._lines = [
            *((line, TITLE, INK, _BOLD) for line in wrapped(box.title, inner - 4, TITLE * BOLD, 2) or [""]),
            *((line, SMALL, GREY, _ITALIC) for line in _condition(box.when)),
            *((line, SMALL, GREY, _MONO) for line in wrapped(box.reference, inner / 1.1, SMALL)),
            *((line, SMALL, GREY, "") for each in box.lines for line in wrapped(each, inner, SMALL)),
        ]
        self._outcome = wrapped(box.outcome, inner - 18, SMALL * BOLD, 2)
        self._tag = wrapped(box.tag, inner, 10.5)
        self.height = 16 + 16.5 * len(self._lines) + 17 * len(self._outcome) + 15 * len(self._tag)

    def drawn(self, x: float, y: float, *, former: bool = False) -> Iterator[str]:
        box = self._box
        stroke, fill, dashes = _COLOURS[box.look]
        quiet = box.look in (Look.PASSED_OVER, Look.PLANNED)
        strong = box.look in (Look.RUNS, Look.WAITS, Look.FAILED) and not former
        # A drawing in the drawing cuts off what is wider than guessed.
        yield f'<svg x="{x:g}" y="{y:g}" width="{BOX}" height="{self.height:g}"{_FORMER if former else ""}>'
        yield hint(box.title)
        yield (
            f'<rect x="1" y="1" width="{BOX - 2}" height="{self.height - 2:g}" rx="7" fill="{fill}" '
            f'stroke="{stroke}"{_dashed(dashes)}{_thick(strong)}/>'
        )
        if not quiet:
            edge = f"M1 8a7 7 0 0 1 4 -6.3v{self.height - 3.4:g}a7 7 0 0 1 -4 -6.3z"
            yield f'<path d="{edge}" fill="{stroke}"/>'
        down = 8.0
        for line in self._tag:
            down += 15
            yield written(line.upper(), 15, down - 2, width=BOX - 26, size=9.5, more=' letter-spacing=".6"')
        for line, size, ink, more in self._lines:
            down += 16.5
            colour = GREY if box.look is Look.PASSED_OVER else ink
            yield written(line, 15, down - 3, width=BOX - 26, size=size, fill=colour, more=more)
        for number, line in enumerate(self._outcome):
            down += 17
            if number == 0 and box.look in _SIGNS:
                yield (
                    f'<g transform="translate(14 {down - 13:g})" fill="none" stroke="{stroke}" '
                    f'color="{stroke}" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
                    f"{_SIGNS[box.look]}</g>"
                )
            yield written(
                line, 32, down - 3, width=BOX - 44, size=SMALL, fill=GREY if quiet else stroke, more=_BOLD
            )
        yield "</svg>"


def _condition(when: str | None) -> list[str]:
    return wrapped(f"if {clean(when)}", WIDTH - 60, SMALL, 3) if when else []


def _dashed(dashes: str) -> str:
    return f' stroke-dasharray="{escape(dashes)}"' if dashes else ""


def _thick(thick: bool) -> str:
    return ' stroke-width="2"' if thick else ""


def _again(x: float, y: float) -> str:
    return (
        f'<path d="M{x:g} {y + 2:g}v15" stroke="{LINE}" stroke-width="1.6" stroke-dasharray="3 3"/>'
        f'<path d="M{x:g} {y + 24:g}l-5 -8h10z" fill="{LINE}"/>'
        f'<text x="{x + 14:g}" y="{y + 17:g}" font-size="11" fill="{GREY}">done again</text>'
    )
