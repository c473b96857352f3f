"""Dead letters on a terminal, and as JSON. Nothing that a record holds reaches the terminal as it is."""

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from deploy.dead_letters.handling import Found, Handled, Outcome, told
from deploy.dead_letters.letter import Letter, legible, visible

_DUMPED_BYTES = 4096
_COLOURS = {
    Outcome.PUT_BACK: "green",
    Outcome.DISCARDED: "yellow",
    Outcome.BEFORE: "dim",
    Outcome.REFUSED: "red",
}


def listed(found: Iterable[Found]) -> Table:
    """A line for each letter."""
    table = Table("letter", "died (UTC)", "consumer", "type", "organisation", "key", "why", box=None)
    for each in found:
        letter = each.letter
        why = Text(visible(letter.message) or letter.error_name or "it does not say")
        if each.done is not None:
            why.append(f"\n{visible(told(each.done))}", "dim")
        cells = (letter.consumer, letter.type, letter.organisation, legible(letter.key or b""))
        table.add_row(
            Text(str(letter.name), "bold", no_wrap=True),
            Text(f"{letter.died:%Y-%m-%d %H:%M:%S}", no_wrap=True),
            *(Text(cell) for cell in cells),
            why,
        )
    return table


def shown(found: Found) -> RenderableType:
    """All of one letter."""
    letter = found.letter
    facts = Table.grid(padding=(0, 2))
    place = "it does not say"
    if letter.original is not None:
        place = f"{letter.original.topic}/{letter.original.partition} at {letter.original_offset}"
    rows = {
        "letter": f"{letter.name} in {letter.place.topic}",
        "died": f"{letter.died:%Y-%m-%d %H:%M:%S.%f} UTC",
        "stood in": place,
        "written": f"{letter.written:%Y-%m-%d %H:%M:%S.%f} UTC" if letter.written else "it does not say",
        "consumer": letter.consumer,
        "key": "none" if letter.key is None else legible(letter.key),
        "error": letter.error,
        "message": letter.message,
        "done": told(found.done) if found.done else "nothing yet",
    }
    for name, value in rows.items():
        facts.add_row(Text(name, "bold"), Text(visible(value)))
    headers = Table.grid(padding=(0, 2))
    for header, content in letter.headers:
        headers.add_row(Text(visible(header), "bold"), Text(legible(content)))
    parts: list[RenderableType] = [facts, Rule("headers", align="left"), headers]
    if letter.stacktrace:
        parts += [Rule("where it failed", align="left"), Text(letter.stacktrace.rstrip())]
    return Group(*parts, Rule("value", align="left"), Text(payload(letter.value)))


def payload(value: bytes | None) -> str:
    """A record's value for people: JSON indented, other text as it is, anything else in hexadecimal."""
    if value is None:
        return "none (a tombstone)"
    if not value:
        return "empty"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return _dump(value)
    try:
        return visible(json.dumps(json.loads(text), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        return visible(text)


def handled(each: Handled) -> Text:
    """One line about what became of a letter."""
    return Text.assemble(
        (str(each.letter.name), "bold"),
        "  ",
        (each.outcome.value, _COLOURS[each.outcome]),
        f"  {visible(each.detail)}",
    )


def as_json(found: Found, *, whole: bool = False) -> dict[str, Any]:
    """A letter for programs; `whole` adds headers, stack trace and value (base64: bytes need not be text)."""
    letter, done = found.letter, found.done
    said: dict[str, Any] = {
        "letter": str(letter.name),
        "topic": letter.place.topic,
        "died": letter.died.isoformat(),
        "consumer": letter.consumer,
        "original": _original(letter),
        "key": None if letter.key is None else legible(letter.key),
        "id": letter.id,
        "source": letter.source,
        "type": letter.type,
        "organisation": letter.organisation,
        "error": letter.error,
        "message": letter.message,
        "done": None if done is None else {**asdict(done), "at": done.at.isoformat()},
    }
    if whole:
        said["headers"] = [[name, _base64(value)] for name, value in letter.headers]
        said["stacktrace"] = letter.stacktrace
        said["key_bytes"], said["value"] = _base64(letter.key), _base64(letter.value)
    return said


def handled_as_json(each: Handled) -> dict[str, str]:
    """What became of a letter, for programs."""
    return {"letter": str(each.letter.name), "outcome": each.outcome.value, "detail": each.detail}


def _original(letter: Letter) -> dict[str, Any] | None:
    if letter.original is None:
        return None
    return {
        "topic": letter.original.topic,
        "partition": letter.original.partition,
        "offset": letter.original_offset,
        "written": letter.written.isoformat() if letter.written else None,
    }


def _base64(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()


def _dump(value: bytes) -> str:
    lines = [
        f"{at:08x}  {part.hex(' '):<47}  {''.join(chr(each) if 32 <= each < 127 else '.' for each in part)}"
        for at in range(0, min(len(value), _DUMPED_BYTES), 16)
        for part in (value[at : at + 16],)
    ]
    rest = len(value) - _DUMPED_BYTES
    return "\n".join(lines + [f"… and {rest} more bytes"] * (rest > 0))
