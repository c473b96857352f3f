"""The contracts are committed as JSON Schemas and samples, and change only in ways that break nobody."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deploy import schemas
from shared.contracts.compatibility import breaks
from shared.contracts.envelope import Envelope
from shared.decoding import Incoming, decode
from shared.topics import TOPICS
from tests.support import samples

SAMPLES = Path("shared/contracts/samples")
RECORDS = [(topic, name) for topic in TOPICS for name in topic.models]
IDS = [f"{topic.name}-{name}" for topic, name in RECORDS]
BY_NAME = ("hours", "texts", "variables", "fields", "headers", "custom_fields")
"""Fields whose values are found by names that people choose."""


def sample(topic: Any, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SAMPLES / topic.name / f"{name}.json").read_text())
    return loaded


def test_no_reader_of_the_committed_schemas_is_broken() -> None:
    assert schemas.broken() == []


def test_the_committed_schemas_are_those_of_the_models() -> None:
    committed = {path: json.loads(path.read_text()) for path in schemas.FOLDER.glob("*/*.json")}
    assert committed == schemas.schemas(), "run `mailroom contracts write`"


@pytest.mark.parametrize(("topic", "name"), RECORDS, ids=IDS)
def test_every_record_has_a_sample_that_reads_and_writes_back(topic: Any, name: str) -> None:
    given = sample(topic, name)
    record = topic.models[name].model_validate(given["value"])
    assert record.model_dump(mode="json", exclude_unset=True) == given["value"]
    assert given["key"].startswith(f"{given['headers']['ce_organisation']}/")


@pytest.mark.parametrize(("topic", "name"), RECORDS, ids=IDS)
def test_a_samples_headers_are_an_envelope_and_come_back(topic: Any, name: str) -> None:
    headers = {key: value.encode() for key, value in sample(topic, name)["headers"].items()}
    envelope = Envelope.from_headers(headers.items())
    assert envelope.type == name
    assert dict(envelope.to_headers()) == headers


@pytest.mark.parametrize(("topic", "name"), RECORDS, ids=IDS)
def test_fields_that_a_reader_does_not_know_are_ignored(topic: Any, name: str) -> None:
    given = sample(topic, name)["value"]
    assert topic.models[name].model_validate({**given, "tomorrow": 1})


@pytest.mark.parametrize(("topic", "name"), RECORDS, ids=IDS)
def test_a_reader_passes_over_fields_that_it_does_not_know_at_any_depth(topic: Any, name: str) -> None:
    """So it lives beside a newer producer, also in parts that refuse such fields when people write them."""
    found = samples.sample(topic, name)
    newer = samples.Sample(found.headers, found.key, _with_more(found.value))
    decoded = decode(newer.raw(topic), topic.models, structured=topic.requests)
    assert isinstance(decoded, Incoming), decoded
    assert decoded.message == topic.models[name].model_validate(found.value)


def _with_more(value: Any) -> Any:
    """The same with a field of tomorrow in each object that is none of names to values."""
    if isinstance(value, list):
        return [_with_more(each) for each in value]
    if not isinstance(value, dict):
        return value
    inner = {key: each if key in BY_NAME else _with_more(each) for key, each in value.items()}
    return {**inner, "tomorrow": 1}


def test_no_sample_is_left_over() -> None:
    expected = {SAMPLES / topic.name / f"{name}.json" for topic, name in RECORDS}
    assert set(SAMPLES.glob("*/*.json")) == expected


def test_a_type_that_contradicts_the_header_is_refused() -> None:
    topic, name = RECORDS[0]
    with pytest.raises(ValidationError):
        topic.models[name].model_validate({**sample(topic, name)["value"], "type": "something.else"})


OLD: dict[str, Any] = {
    "type": "object",
    "required": ["mail"],
    "properties": {
        "mail": {"type": "string"},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "$defs": {"Part": {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer"}}}},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    schema = deepcopy(OLD)
    *parents, last = path.split("/")
    place = schema
    for key in parents:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return schema


def test_a_new_field_that_may_be_left_out_breaks_nobody() -> None:
    assert breaks(OLD, changed("properties/more", {"type": "string"})) == []


def test_new_prose_breaks_nobody() -> None:
    assert breaks(OLD, changed("properties/mail/description", "the mail")) == []


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("properties/mail", None, "mail"),
        ("properties/mail/type", "integer", "mail"),
        ("properties/mail/maxLength", 3, "mail"),
        ("required", [], "mail"),
        ("required", ["mail", "parts"], "parts"),
        ("$defs/Part/properties/size/type", "string", "parts[].size"),
        ("$defs/Part/required", [], "parts[].size"),
        ("properties/note/anyOf", [{"type": "string"}], "note"),
    ],
)
def test_a_breaking_change_is_named_by_its_field(path: str, value: Any, field: str) -> None:
    sentences = breaks(OLD, changed(path, value))
    assert len(sentences) == 1
    assert sentences[0].startswith(f"{field} ")


def test_a_new_required_field_breaks_old_producers() -> None:
    new = changed("properties/more", {"type": "string"})
    new["required"] = ["mail", "more"]
    assert breaks(OLD, new) == ["more is new and required, and old producers do not send it"]
