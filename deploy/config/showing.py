"""A difference between two definitions, in lines for a terminal."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from deploy.config.differences import Change, Difference

SIGNS: dict[Change, str] = {"added": "+", "removed": "-", "changed": "~"}
_DEEP = 1
"""Of what is new, so many levels below its name are shown; a whole organisation would fill screens.

What says only one thing of itself, such as an action in a step, says that in its line."""


@dataclass(frozen=True)
class Line:
    """A line, indented; `change` is None for the heading of a kind."""

    change: Change | None
    text: str


def lines(found: Iterable[Difference]) -> Iterator[Line]:
    """Kind by kind: a heading, and what would become of its things."""
    for kind in found:
        yield Line(None, kind.name)
        for difference in kind.inner:
            yield from _lines(difference, 1)


def summary(found: Iterable[Difference]) -> str:
    """How many things would be added, changed and removed, in a sentence."""
    changes = [difference.change for kind in found for difference in kind.inner]
    counts = [(changes.count(change), change) for change in SIGNS]
    return ", ".join(f"{count} {change}" for count, change in counts if count) + "."


def _lines(difference: Difference, depth: int, new: int = 0) -> Iterator[Line]:
    change, indent = difference.change, "  " * depth
    start = f"{indent}{SIGNS[change]} {difference.name}"
    if change == "changed" and not difference.inner:
        yield from _values(difference, start, indent)
        return
    value = difference.after if change == "added" else None
    if new > _DEEP and len(difference.inner) == 1 and difference.inner[0].after is not None:
        start = f"{start} ({difference.inner[0].name}: {shown(difference.inner[0].after)})"
    yield Line(change, start if value is None else f"{start}: {shown(value)}")
    if new <= _DEEP:
        for inner in difference.inner:
            yield from _lines(inner, depth + 1, new + 1 if change == "added" else 0)


def _values(difference: Difference, start: str, indent: str) -> Iterator[Line]:
    before, after = difference.before, difference.after
    if isinstance(before, str) and isinstance(after, str) and "\n" in before + after:
        yield Line("changed", start)
        for line in _of_text(before, after):
            change: Change = "added" if line.startswith("+") else "removed"
            yield Line(change, f"{indent}  {line[0]} {line[1:]}".rstrip())
    else:
        yield Line("changed", f"{start}: {shown(before)} -> {shown(after)}")


def _of_text(before: str, after: str) -> Iterator[str]:
    """The lines that differ, with their sign."""
    diff = unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return (line for line in list(diff)[2:] if not line.startswith("@@"))


def shown(value: Any) -> str:
    """A value as people would write it in YAML, in one line."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    if isinstance(value, str):
        line = value.replace("\n", "\\n")
        return line if line and line == line.strip() and len(line) <= _LONG else repr(line[:_LONG])
    return f"{value:g}" if isinstance(value, float) else str(value)


_LONG = 80
