"""What each consumer reads of each record, as its handlers show, and whether the contracts still say it.

`tests/contract/readers.json` is the statement: consumer, record, field, and what the field is. It is made
from the handlers at work (`tests/integration/test_consumers.py`) and stands apart from the schemas: no
contract changes under a reader who relies on it.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.compatibility import Schema, resolved
from shared.contracts.record import Part, Record, types_of
from shared.postgres import Json
from shared.readers import READERS

FILE = Path("tests/contract/readers.json")
LEFT_OUT = "may be left out"

Statement = dict[str, dict[str, dict[str, str]]]
"""Consumer, record type, path of a field (`targets[].routed.process`), what the field is."""


def committed() -> Statement:
    """The statement as it was made last."""
    stated: Statement = json.loads(FILE.read_text())
    return stated


def write(stated: Statement) -> None:
    """Make this the committed statement."""
    FILE.write_text(json.dumps(stated, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def contracts() -> dict[tuple[str, str], Schema]:
    """The JSON Schema of each record that somebody reads, by consumer and type.

    One that goes by several names is read alike under each: the first stands for them.
    """
    return {
        (reader.consumer, types_of(model)[0]): model.model_json_schema()
        for reader in READERS
        for model in reader.topic.models.values()
    }


def broken(stated: Statement, schemas: Mapping[tuple[str, str], Schema]) -> list[str]:
    """What the contracts no longer say although a consumer reads it, in sentences that name all three."""
    sentences = []
    for consumer, records in stated.items():
        for name, read in records.items():
            if (consumer, name) not in schemas:
                sentences.append(f"{consumer} reads {name}, which would be gone")
                continue
            now = paths(schemas[consumer, name])
            for path, what in read.items():
                if path not in now:
                    sentences.append(f"{consumer} reads {path} of {name}, which would be gone")
                elif now[path] != what:
                    sentences.append(
                        f"{consumer} reads {path} of {name}, which is {what} and would be {now[path]}"
                    )
    return sentences


def paths(schema: Schema) -> dict[str, str]:
    """Every field of a record, those of its parts included, and what it is."""
    return dict(_paths(resolved(schema, schema), ""))


def _paths(schema: Schema, before: str) -> Iterator[tuple[str, str]]:
    required = schema.get("required", ())
    for name, found in schema.get("properties", {}).items():
        path = f"{before}{name}"
        inner, kind, inside = found, "", "."
        if "anyOf" in found:
            inner = next(each for each in found["anyOf"] if each.get("type") != "null")
        if inner.get("type") == "array":
            inner, kind, inside = inner["items"], "list of ", "[]."
        what = [kind + _brief(inner)]
        if "anyOf" in found:
            what.append("or none")
        if name not in required:
            what.append(LEFT_OUT)
        yield path, ", ".join(what)
        yield from _paths(inner, f"{path}{inside}")


def _brief(schema: Schema) -> str:
    """What a value is, without the fields of a part, which stand for themselves."""
    shape = {key: value for key, value in schema.items() if key not in ("type", "properties", "required")}
    return ", ".join(
        [schema.get("type", "anything"), *(f"{key} {json.dumps(shape[key])}" for key in sorted(shape))]
    )


class Reads:
    """Which fields of the records that are watched were read."""

    def __init__(self) -> None:
        self._watched: dict[int, tuple[Part, str, str, str]] = {}
        self._read: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._whole: dict[tuple[str, str], set[str]] = defaultdict(set)

    def watch(self, consumer: str, message: Record) -> None:
        """Note from now on what is read of this record."""
        name = types_of(type(message))[0]
        self._read[consumer, name] |= set()
        for part, path in list(_parts(message, "")):
            self._watched[id(part)] = part, consumer, name, path

    def note(self, part: Part, name: str) -> None:
        """A field of a part was read, or (`*`) all of them were."""
        if (seen := self._watched.get(id(part))) is not None:
            _, consumer, type_, path = seen
            (self._whole if name == "*" else self._read)[consumer, type_].add(
                path if name == "*" else f"{path}{name}"
            )

    def note_all(self, value: Any) -> None:
        """All that is in a value is written down, and so read as a whole."""
        for part, _ in list(_parts(value, "")):
            self.note(part, "*")

    def statement(self) -> Statement:
        """What was read. A part that was taken without looking into it was read as a whole."""
        schemas = contracts()
        stated: Statement = {}
        for (consumer, type_), read in self._read.items():
            known = paths(schemas[consumer, type_])
            whole = set(self._whole[consumer, type_])
            for path in read:
                for inside in (f"{path}.", f"{path}[]."):
                    if not any(each.startswith(inside) for each in read):
                        whole.add(inside)
            stated.setdefault(consumer, {})[type_] = {
                path: what
                for path, what in known.items()
                if path != "type" and (path in read or any(path.startswith(each) for each in whole))
            }
        return stated


@contextmanager
def recorded() -> Iterator[Reads]:
    """Notes what is read of watched records for as long as this lasts."""
    reads = Reads()

    def read(part: Part, name: str) -> Any:
        if name in ("model_dump", "model_dump_json", "model_copy", "__dict__"):
            reads.note(part, "*")
        elif name in type(part).model_fields:
            reads.note(part, name)
        return object.__getattribute__(part, name)

    written = Json.of.__func__  # type: ignore[attr-defined]

    def of(cls: type[Json], value: Any) -> Json:
        reads.note_all(value)
        made: Json = written(cls, value)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Part, "__getattribute__", read, raising=False)
        patch.setattr(Json, "of", classmethod(of))
        yield reads


def _parts(value: Any, path: str) -> Iterator[tuple[Part, str]]:
    """The parts of a record, itself included, with what stands before their fields' names."""
    if isinstance(value, Part):
        yield value, path
        for name in type(value).model_fields:
            inside = object.__getattribute__(value, name)
            yield from _parts(inside, f"{path}{name}[]." if isinstance(inside, tuple) else f"{path}{name}.")
    elif isinstance(value, Mapping):
        for inside in value.values():
            yield from _parts(inside, path)
    elif isinstance(value, list | tuple | set | frozenset):
        for inside in value:
            yield from _parts(inside, path)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _parts(getattr(value, field.name), path)
