"""What would change from one definition of an organisation to another."""

from dataclasses import dataclass
from typing import Any, Literal

from shared.contracts.activity_organisation import Definition

Change = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class Difference:
    """One thing that would be added, removed or changed. `fields` lists (field, before, after)."""

    change: Change
    kind: str
    name: str
    fields: tuple[tuple[str, Any, Any], ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.kind} {self.name}".rstrip()]
        lines += [f"    {field}: {before!r} -> {after!r}" for field, before, after in self.fields]
        return "\n".join(lines)


def differences(before: Definition | None, after: Definition) -> list[Difference]:
    """In the order of the definition's kinds, things by name."""
    found: list[Difference] = []
    old = before.model_dump(mode="json") if before else {}
    new = after.model_dump(mode="json")
    for kind, value in new.items():
        if isinstance(value, list):
            found += _of_things(kind, _by_name(old.get(kind, [])), _by_name(value))
        elif isinstance(value, dict):
            found += _of_thing(kind, "", old.get(kind), value)
    return found


def _by_name(things: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {thing.get("name") or thing["address"]: thing for thing in things}


def _of_things(kind: str, old: dict[str, Any], new: dict[str, Any]) -> list[Difference]:
    found: list[Difference] = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            found.append(Difference("removed", kind, name))
        else:
            found += _of_thing(kind, name, old.get(name), new[name])
    return found


def _of_thing(kind: str, name: str, old: dict[str, Any] | None, new: dict[str, Any]) -> list[Difference]:
    if old is None:
        return [Difference("added", kind, name)]
    fields = tuple((field, old.get(field), value) for field, value in new.items() if old.get(field) != value)
    return [Difference("changed", kind, name, fields)] if fields else []
