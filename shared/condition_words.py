"""Reads the words of a condition, and lets through only those that are harmless.

What evaluates conditions can do far more: call functions, run regular expressions, build lists of any length.
It even works out constants while it still reads. So what it gets to read is looked through first.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.contracts.activity_organisation import CustomField

MOST_CHARACTERS = 1_000
MOST_OPERATORS = 100
"""Each may nest once more, and so deep is the stack on which it is worked out."""

_RESERVED = frozenset({"and", "or", "not", "in", "true", "false", "null"})
_FOREIGN = frozenset({"if", "for", "elif", "else", "while", "inf", "nan"})
"""Words of the language behind, which no condition has."""

_WORD = re.compile(
    r"""
    (?P<space>[ \t\n]+)
    | (?P<date>d(?:"[^"\\\n]*"|'[^'\\\n]*'))
    | (?P<text>"[^"\\\n]*"|'[^'\\\n]*')
    | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?![\w.]))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?!["'\w]))
    | (?P<operator>[=!<>~?&|]+)
    | (?P<mark>[()\[\],])
    """,
    re.VERBOSE,
)
_OPERATORS = frozenset({"==", "!=", "<", "<=", ">", ">=", "??"})
_INSTEAD = {"=": "==", "===": "==", "<>": "!=", "!": "not", "&&": "and", "&": "and", "||": "or", "|": "or"}
_WRITTEN_SO = {
    "True": "true",
    "False": "false",
    "None": "null",
    "AND": "and",
    "OR": "or",
    "NOT": "not",
    "IN": "in",
}


class Refused(Exception):
    """The text is no condition. The message is a sentence for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a condition; `kind` is the name of its group in the pattern, `place` counts from 0."""

    kind: str
    text: str
    place: int

    @property
    def ends_a_value(self) -> bool:
        """Whether a value may end here, so that what follows stands behind a value."""
        if self.kind == "name":
            return self.text not in ("and", "or", "not", "in")
        return self.kind in ("date", "text", "number") or self.text in (")", "]")


def written(name: str) -> str:
    """A custom field's name as conditions write it: with `_` for each dot and dash, and before a digit."""
    plain = re.sub(r"[^a-z0-9_]", "_", name)
    return f"_{plain}" if plain[0].isdigit() or plain in _RESERVED | _FOREIGN else plain


def fields_of(text: str, fields: tuple[CustomField, ...]) -> dict[str, CustomField]:
    """The custom fields that a condition speaks of, as it writes them.

    Raises `Refused` where there is anything but the words of conditions.
    """
    if len(text) > MOST_CHARACTERS:
        raise Refused(f"it is longer than {MOST_CHARACTERS} characters")
    known: dict[str, list[CustomField]] = {}
    for field in fields:
        known.setdefault(written(field.name), []).append(field)
    found: dict[str, CustomField] = {}
    operators = 0
    for word in _words(text):
        if word.kind == "name" and word.text not in _RESERVED:
            found[word.text] = _field(word, text, known)
        operators += word.kind == "operator" or word.text in ("and", "or", "not", "in")
    if operators > MOST_OPERATORS:
        raise Refused(f"it has more than {MOST_OPERATORS} operators")
    return found


def _field(word: Word, text: str, known: dict[str, list[CustomField]]) -> CustomField:
    called = known.get(word.text, [])
    if len(called) > 1:
        names = " and ".join(repr(each.name) for each in called)
        raise Refused(f"{word.text!r} may be any of the custom fields {names}: give one of them another name")
    if called:
        return called[0]
    if word.text in _FOREIGN:
        raise Refused(f"{word.text!r} is no word of conditions ({at(text, word.place)})")
    if word.text in _WRITTEN_SO:
        raise Refused(f"write {_WRITTEN_SO[word.text]!r} instead of {word.text!r} ({at(text, word.place)})")
    for other in (each for same in known.values() for each in same):
        if other.name != written(other.name) and text.startswith(other.name, word.place):
            raise Refused(f"write {written(other.name)!r} instead of {other.name!r} ({at(text, word.place)})")
    there = f"there are {', '.join(sorted(known))}" if known else "it has none"
    raise Refused(f"the process has no custom field {word.text!r}; {there} ({at(text, word.place)})")


def _words(text: str) -> Iterator[Word]:
    """Word by word, without white space."""
    place = 0
    before: Word | None = None
    while place < len(text):
        match = _WORD.match(text, place)
        if match is None or match.lastgroup is None:
            raise Refused(f"{_strange(text, place)} ({at(text, place)})")
        word = Word(match.lastgroup, match.group(), place)
        place = match.end()
        if word.kind == "space":
            continue
        if wrong := _misplaced(word, before):
            raise Refused(f"{wrong} ({at(text, word.place)})")
        yield word
        before = word


def _misplaced(word: Word, before: Word | None) -> str | None:
    """What a word would mean here that no condition may say."""
    behind = before is not None and before.ends_a_value
    if word.kind == "operator" and word.text not in _OPERATORS:
        instead = _INSTEAD.get(word.text)
        return f"write {instead!r} instead of {word.text!r}" if instead else f"there is no {word.text!r}"
    if word.text == "(" and behind:
        return "functions cannot be called"
    if word.text == "[" and (before is None or before.text != "in"):
        return "a list stands behind 'in' only"
    if word.kind == "number" and word.text.startswith("-") and behind:
        return "conditions do not reckon; the name of a custom field is written with '_' instead of '-'"
    return None


def _strange(text: str, place: int) -> str:
    """Why nothing can be made of what begins here."""
    character = text[place]
    if character in "\"'":
        return "a text has to end on its line, and to hold no backslash"
    if character == "-":
        return "the name of a custom field is written with '_' instead of '-'"
    if character == ".":
        return "nothing has attributes; the name of a custom field is written with '_' instead of '.'"
    if character.isdigit():
        return "a number is written as 12 or 12.5"
    if character.isalpha() and character.isascii():
        return "a text stands in quotation marks, with nothing but the d of a date before it"
    return f"{character!r} is no part of conditions"


def at(text: str, place: int) -> str:
    """Where that is, in words."""
    if place >= len(text.rstrip()):
        return "at its end"
    line = text.count("\n", 0, place)
    where = f"character {place - text.rfind(chr(10), 0, place)}"
    return f"line {line + 1}, {where}" if line else f"at {where}"
