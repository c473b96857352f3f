"""Whether a contract may change from one schema to another while old and new run side by side (design §4).

Old readers meet new records and new readers old ones, so only one change is free: a new field that may be
left out. Everything else breaks somebody, and is a new topic.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_PROSE = ("title", "description", "examples", "default")


def breaks(old: Schema, new: Schema) -> list[str]:
    """What would break between two JSON Schemas of one record: sentences that name the field."""
    return list(_compare(resolved(old, old), resolved(new, new), ""))


def _compare(old: Schema, new: Schema, path: str) -> Iterator[str]:
    if old.get("type") == new.get("type") == "object" and "properties" in old:
        yield from _compare_objects(old, new, path)
    elif old.get("type") == new.get("type") == "array" and "items" in old and "items" in new:
        yield from _compare(old["items"], new["items"], f"{path}[]")
    elif "anyOf" in old and "anyOf" in new and len(old["anyOf"]) == len(new["anyOf"]):
        for one, other in zip(old["anyOf"], new["anyOf"], strict=True):
            yield from _compare(one, other, path)
    elif old != new:
        yield f"{path.lstrip('.') or 'the record'} was {_brief(old)} and would be {_brief(new)}"


def _compare_objects(old: Schema, new: Schema, path: str) -> Iterator[str]:
    before, after = old["properties"], new.get("properties", {})
    required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
    for name in before:
        where = f"{path}.{name}"
        if name not in after:
            yield f"{where.lstrip('.')} would be gone"
            continue
        if name in required_before and name not in required_after:
            yield f"{where.lstrip('.')} could be left out, and readers rely on it"
        if name in required_after and name not in required_before:
            yield f"{where.lstrip('.')} would be required, and producers may leave it out"
        yield from _compare(before[name], after[name], where)
    for name in sorted(required_after - set(before)):
        yield f"{f'{path}.{name}'.lstrip('.')} is new and required, and old producers do not send it"


def resolved(schema: Any, root: Schema) -> Any:
    """The schema with its references put in place and its prose left out. Ours never refer to themselves.

    Whether fields that nobody knows are refused is left out, too: what people write is judged more strictly
    than what stands in topics, where they are passed over.
    """
    if isinstance(schema, list):
        return [resolved(item, root) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return resolved(root["$defs"][name], root)
    return {
        key: {name: resolved(value, root) for name, value in item.items()}
        if key == "properties"
        else resolved(item, root)
        for key, item in schema.items()
        if key not in _PROSE and key != "$defs" and not is_strictness(key, item)
    }


def is_strictness(key: str, value: Any) -> bool:
    """Whether this part of a schema refuses fields that nobody knows."""
    return key == "additionalProperties" and value is False


def _brief(schema: Schema) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(schema.items())) or "anything"
