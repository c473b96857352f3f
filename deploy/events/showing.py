"""A record as a line on a terminal, and as a line of JSON. Nothing that it holds moves a cursor."""

import json
from typing import Any

from pydantic_core import from_json
from rich.text import Text

from deploy.dead_letters.letter import visible
from deploy.events.heard import Heard
from deploy.events.sentences import sentence

_COLOURS = {"ingest": "yellow", "activity": "cyan", "notify": "magenta"}
_TYPE_WIDTH = 25
_REFERENCE_WIDTH = 10


def line(heard: Heard) -> Text:
    """Time (UTC), type, reference and what it says."""
    colour = (
        "red" if heard.topic.records is None or heard.trouble else _COLOURS[heard.topic.name.split(".")[0]]
    )
    return Text.assemble(
        (f"{heard.time:%Y-%m-%d %H:%M:%S}  ", "dim"),
        (f"{visible(heard.type):<{_TYPE_WIDTH}} ", colour),
        (f"{visible(heard.reference or '-'):<{_REFERENCE_WIDTH}} ", "bold" if heard.reference else "dim"),
        visible(sentence(heard)),
    )


def as_json(heard: Heard) -> str:
    """One line: where the record stands, its key, headers and value.

    A value that is no JSON is a string, a header's bytes that are no UTF-8 are spelled `\\x1b`.
    """
    raw = heard.raw
    said: dict[str, Any] = {
        "topic": raw.topic,
        "partition": raw.partition,
        "offset": raw.offset,
        "time": heard.time.isoformat().replace("+00:00", "Z"),
        "key": None if raw.key is None else _text(raw.key),
        "headers": {name: _text(value or b"") for name, value in raw.headers},
        "value": _value(raw.value),
    }
    return json.dumps(said, ensure_ascii=False)


def _value(value: bytes | None) -> Any:
    if value is None:
        return None
    try:
        return from_json(value)
    except ValueError:
        return _text(value)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
