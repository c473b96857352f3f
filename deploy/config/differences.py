"""What would change from one definition of an organisation to another, as a tree that people can read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.contracts.activity_organisation import Definition

Change = Literal["added", "removed", "changed"]

KEYS = ("name", "path", "field", "address", "action")
"""What tells the things of a list apart, whichever of these they have first."""


@dataclass(frozen=True)
class Difference:
    """Something that would be added, removed or changed: a thing by its name, or a field of one.

    A change has either what is different inside it, or the values `before` and `after`. Of what is added
    `inner` says what it brings, and `after` is its value where it is a plain one.
    """

    change: Change
    name: str
    before: Any = None
    after: Any = None
    inner: tuple["Difference", ...] = ()


def differences(before: Definition | None, after: Definition) -> list[Difference]:
    """One for each kind of things that is different, in the definition's order."""
    old = (
        before.model_dump(mode="json") if before else Definition(organisation="none").model_dump(mode="json")
    )
    new = after.model_dump(mode="json")
    return [
        Difference("changed", kind, inner=tuple(_inside(old[kind], new[kind])))
        for kind in new
        if kind != "organisation" and old[kind] != new[kind]
    ]


def _inside(old: Any, new: Any) -> Iterator[Difference]:
    """What is different inside two values of the same form."""
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _of_fields(old, new)
    elif _is_of_things(old, new):
        yield from _of_fields(_by_key(old), _by_key(new))
        yield from _of_order(old, new)
    else:
        yield from _of_values(old, new)


def _is_of_things(old: list[Any], new: list[Any]) -> bool:
    return all(isinstance(each, dict) for each in (*old, *new))


def _of_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys((*old, *new)):
        if name not in new:
            yield Difference("removed", name, before=_plain(old[name]))
        elif name not in old:
            yield Difference("added", name, after=_plain(new[name]), inner=tuple(_brought(new[name])))
        elif old[name] != new[name]:
            yield _changed(name, old[name], new[name])


def _changed(name: str, old: Any, new: Any) -> Difference:
    if isinstance(old, dict | list) and type(old) is type(new):
        return Difference("changed", name, inner=tuple(_inside(old, new)))
    return Difference("changed", name, before=old, after=new)


def _of_values(old: list[Any], new: list[Any]) -> Iterator[Difference]:
    """Values that a list gains or loses; if it only has another order, the list as a whole."""
    gone = [value for value in old if value not in new]
    come = [value for value in new if value not in old]
    yield from (Difference("removed", str(value)) for value in gone)
    yield from (Difference("added", str(value)) for value in come)
    if not gone and not come:
        yield Difference("changed", "order", before=old, after=new)


def _of_order(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Difference]:
    """The order of what is in both lists matters: routes are tried one after the other (RT-1)."""
    both = _by_key(old).keys() & _by_key(new).keys()
    before, after = ([key for key in _by_key(things) if key in both] for things in (old, new))
    if before != after:
        yield Difference("changed", "order", before=before, after=after)


def _brought(thing: Any) -> Iterator[Difference]:
    """What something that is new says of itself, without what it leaves open."""
    if isinstance(thing, dict):
        for field, value in thing.items():
            if field != _key_field(thing) and value not in (None, "", [], {}, False):
                yield Difference("added", field, after=_plain(value), inner=tuple(_brought(value)))
    elif isinstance(thing, list):
        for place, value in enumerate(thing, 1):
            if isinstance(value, dict):
                yield Difference("added", _key(value, place), inner=tuple(_brought(value)))


def _plain(value: Any) -> Any:
    """The value itself where it stands in one line."""
    things = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    return None if isinstance(value, dict) or things else value


def _by_key(things: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {_key(thing, place): thing for place, thing in enumerate(things, 1)}


def _key(thing: dict[str, Any], place: int) -> str:
    """What it is called, or else the place that it has, from 1: that of a level of an approval."""
    field = _key_field(thing)
    return str(thing[field]) if field else str(place)


def _key_field(thing: dict[str, Any]) -> str:
    return next((key for key in KEYS if key in thing), "")
