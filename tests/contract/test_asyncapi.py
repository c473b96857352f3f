"""The AsyncAPI documents say what the contracts and the wiring say, and others can read them (design §4)."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from deploy import asyncapi
from shared.asyncapi import DEAD_LETTER, SERVICES, WHOLE, described, document
from shared.contracts.meanings import MEANINGS, keys_of, meaning_of
from shared.readers import READERS
from shared.topics import TOPICS
from tests.support.asyncapi_parser import SECONDS_TO_INSTALL, SECONDS_TO_PARSE, ParserMissing, diagnostics

NAMES = (WHOLE, *SERVICES)
RECORDS = [(topic.name, name) for topic in TOPICS for name in topic.models]
REQUIRED: dict[str, Callable[[Any], list[str]]] = {
    "headers": lambda message: message["headers"]["allOf"][0]["required"],
    "payload": lambda message: message["payload"]["required"],
}


def resolved(part: Any) -> Any:
    """The part of a document with what it refers to put in place."""
    if isinstance(part, list):
        return [resolved(each) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return resolved(document(WHOLE)["components"]["schemas"][part["$ref"].rpartition("/")[2]])
    return {key: resolved(value) for key, value in part.items()}


def operations(name: str, action: str) -> dict[str, Any]:
    found: dict[str, Any] = document(name)["operations"]
    return {key: operation for key, operation in found.items() if operation["action"] == action}


def test_the_committed_documents_are_those_of_the_contracts() -> None:
    committed = {path: path.read_text() for path in asyncapi.FOLDER.glob("*.json")}
    assert committed == asyncapi.documents(), "run `make schemas`"


@pytest.mark.timeout(SECONDS_TO_INSTALL + SECONDS_TO_PARSE)
def test_the_official_parser_finds_nothing_wrong(tmp_path: Path) -> None:
    """And it would: an answer from a channel that is not in the document is found."""
    broken = json.loads(json.dumps(document("ingest")))
    broken["operations"]["ingest.requests"]["channel"] = {"$ref": "#/channels/nowhere"}
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(broken))
    try:
        found = diagnostics([*sorted(asyncapi.FOLDER.glob("*.json")), wrong])
    except ParserMissing as missing:
        if "MAILROOM_ALL_SERVERS" in os.environ:
            raise
        pytest.skip(str(missing))
    # Hints are its taste; that there is a newer version than 3.0 is one.
    serious = [each for each in found if each.severity <= 1]
    assert [each for each in serious if each.file != str(wrong)] == []
    assert any("nowhere" in each.message for each in serious)


@pytest.mark.parametrize(("topic", "name"), RECORDS, ids=[f"{topic}-{name}" for topic, name in RECORDS])
def test_an_example_fits_its_schemas(topic: str, name: str) -> None:
    """The official parser does not look, from version 3 of AsyncAPI on."""
    message = resolved(document(WHOLE)["channels"][topic]["messages"][name])
    for part in ("headers", "payload"):
        given = message["examples"][0][part]
        Draft7Validator(message[part]).validate(given)
        for required in REQUIRED[part](message):
            lacking = {key: value for key, value in given.items() if key != required}
            assert not Draft7Validator(message[part]).is_valid(lacking)


def test_the_example_of_a_dead_letter_has_every_header_that_is_added() -> None:
    message = resolved(document(WHOLE)["channels"]["activity.dlq.v1"]["messages"][DEAD_LETTER])
    Draft7Validator(message["headers"]).validate(message["examples"][0]["headers"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_what_it_is_wired_to(service: str) -> None:
    found = {key: each["channel"]["$ref"] for key, each in operations(service, "receive").items()}
    assert found == {
        each.consumer: f"#/channels/{each.topic.name}" for each in READERS if each.service == service
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_writes_the_topics_that_are_its_own_to_write(service: str) -> None:
    found = {each["channel"]["$ref"] for each in operations(service, "send").values()}
    assert found == {f"#/channels/{topic.name}" for topic in TOPICS if topic.producer == service}


@pytest.mark.parametrize("name", NAMES)
def test_every_message_has_its_headers_fields_key_and_an_example(name: str) -> None:
    messages = [
        message for channel in document(name)["channels"].values() for message in channel["messages"].values()
    ]
    for message in messages:
        assert message["headers"]
        assert message["bindings"]["kafka"]["key"]["examples"]
        (example,) = message["examples"]
        if message["name"] != DEAD_LETTER:
            assert message["payload"]["properties"]
            assert example["headers"]["ce_type"] == message["name"]


def test_the_whole_has_every_topic_with_every_record() -> None:
    channels = document(WHOLE)["channels"]
    assert {name: list(channel["messages"]) for name, channel in channels.items()} == {
        topic.name: list(topic.models) or [DEAD_LETTER] for topic in TOPICS
    }


def test_a_request_names_where_its_answers_stand() -> None:
    replies = {
        operation["channel"]["$ref"]: operation["reply"]["channel"]["$ref"]
        for operation in document(WHOLE)["operations"].values()
        if "reply" in operation
    }
    assert replies == {
        "#/channels/activity.requests.v1": "#/channels/activity.answers.v1",
        "#/channels/notify.requests.v1": "#/channels/notify.mails.v1",
    }


def test_a_deployments_prefix_stands_before_its_topics_and_groups() -> None:
    prefixed = document("notify", "blue.")
    assert {channel["address"] for channel in prefixed["channels"].values()} == {
        f"blue.{name}" for name in prefixed["channels"]
    }
    group = prefixed["operations"]["notify.requests"]["bindings"]["kafka"]["groupId"]
    assert group["enum"] == ["blue.notify.requests"]


def test_every_field_has_a_meaning_and_no_meaning_is_left_over() -> None:
    fields = [(model, field) for model in described() for field in model.model_fields]  # type: ignore[attr-defined]
    assert [f"{model.__name__}.{field}" for model, field in fields if not meaning_of(model, field)] == []
    used = {next(key for key in keys_of(model, field) if key in MEANINGS) for model, field in fields}
    assert set(MEANINGS) == used
