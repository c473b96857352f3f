"""Text in a drawing: cleaned, broken into lines and cut, as there is nobody who would do so in SVG.

How wide letters are is guessed, a little too wide, as the font is the reader's.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from html import escape

GREY = "#59636e"

BOLD = 1.1
"""How much wider bold letters are."""

_NARROW = frozenset("iljtfr.,:;'|!()[]{}/\\ I")
_WIDE = frozenset("MWmw@%—…")
_BIDI_CONTROLS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LONGEST_LINE = 120  # letters: what has no width has an end, too


def clean(text: str) -> str:
    """Without what XML does not take, and what would turn the letters of others around."""
    kept = (
        " " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each
        for each in text
        if each not in _BIDI_CONTROLS and unicodedata.category(each) != "Cs" and ord(each) & 0xFFFE != 0xFFFE
    )
    return " ".join("".join(kept).split())


def wrapped(text: str, width: float, size: float, lines: int = 1) -> list[str]:
    """The text in at most so many lines of this width in pixels; what is cut off ends in an ellipsis."""
    broken: list[str] = []
    for word in _pieces(clean(text), width, size):
        longer = f"{broken[-1]} {word}" if broken else word
        if broken and _fits(longer, width, size):
            broken[-1] = longer
        elif len(broken) < lines:
            broken.append(word)
        else:
            broken[-1] = _cut(longer, width, size)
            break
    return broken


def written(
    text: str, x: float, y: float, *, width: float, size: float = 12, fill: str = GREY, more: str = ""
) -> str:
    """A line of text that stands between `x` and `x + width`, at the right if that is how it is read."""
    turned = next(
        (way != "L" for each in text if (way := unicodedata.bidirectional(each)) in ("L", "R", "AL")), False
    )
    place = f'x="{x + width:g}" direction="rtl"' if turned else f'x="{x:g}"'
    return f'<text {place} y="{y:g}" font-size="{size:g}" fill="{fill}"{more}>{escape(text)}</text>'


def hint(text: str) -> str:
    """What a viewer shows where the mouse rests: the text as a whole, if it is not endless."""
    whole = clean(text)
    return f"<title>{escape(whole if len(whole) <= 300 else whole[:299] + '…')}</title>"


def _pieces(text: str, width: float, size: float) -> Iterator[str]:
    """Its words, cut where one is longer than a line."""
    for word in text.split():
        piece = ""
        for letter in word:
            if piece and not _fits(piece + letter, width, size):
                yield piece
                piece = ""
            piece += letter
        yield piece


def _cut(text: str, width: float, size: float) -> str:
    while text and not _fits(text + "…", width, size):
        text = text[:-1]
    return text.rstrip() + "…"


def _fits(text: str, width: float, size: float) -> bool:
    return len(text) <= _LONGEST_LINE and sum(map(_width, text)) * size <= width


@lru_cache(maxsize=4096)
def _width(letter: str) -> float:
    """As a share of the font's size."""
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(letter) in ("W", "F"):
        return 1.05
    if letter in _NARROW:
        return 0.34
    return 1.0 if letter in _WIDE else 0.7 if letter.isupper() else 0.6
