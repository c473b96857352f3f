"""Says in an OpenAPI document that bodies have no fields but those of their schemas (shared/bodies.py)."""

from collections.abc import Iterator
from typing import Any

_COMPONENTS = "#/components/schemas/"


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The document, changed in place: schemas of bodies are closed, but for those that answers show, too.

    What an answer shows may get further fields at any time (docs/http.md), so its schema says nothing.
    """
    schemas = document.get("components", {}).get("schemas", {})
    operations = [each for path in document["paths"].values() for each in path.values()]
    asked = _reached([each.get("requestBody", {}) for each in operations], schemas)
    answered = _reached([each["responses"] for each in operations], schemas)
    for name in asked - answered:
        if "properties" in schemas[name]:
            schemas[name].setdefault("additionalProperties", False)
    return document


def _reached(place: Any, schemas: dict[str, Any]) -> set[str]:
    """The names of all component schemas that are referred to from there."""
    found: set[str] = set()
    waiting = list(_named(place))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _named(schemas[name])
    return found


def _named(place: Any) -> Iterator[str]:
    if isinstance(place, dict):
        if isinstance(reference := place.get("$ref"), str):
            yield reference.removeprefix(_COMPONENTS)
        for each in place.values():
            yield from _named(each)
    elif isinstance(place, list):
        for each in place:
            yield from _named(each)
