"""Records of others: CloudEvents in both modes, and what a wrong one is told (design §4)."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import UNKNOWN
from shared.decoding import STRUCTURED, Incoming, Unknown, Unreadable, decode
from shared.topics import ACTIVITY_REQUESTS, INGEST_REQUESTS, NOTIFY_REQUESTS, Topic
from tests.support.notes import Raw

ATTRIBUTES = {
    "specversion": "1.0",
    "id": "7",
    "source": "/erp",
    "type": "ticket.open",
    "time": "2026-03-01T12:00:00Z",
    "organisation": "acme",
}
DATA: dict[str, Any] = {"process": "it-request", "actor": {"kind": "integration", "id": "erp"}}
WRITTEN = 1_772_366_400_000


def binary(value: bytes | None = None, media: str | None = None, /, **attributes: str | None) -> Raw:
    """A request in binary mode; an attribute that is None is left out."""
    given = {**ATTRIBUTES, **attributes}
    headers = [(f"ce_{name}", text.encode()) for name, text in given.items() if text is not None]
    if media is not None:
        headers.append(("content-type", media.encode()))
    return Raw(0, json.dumps(DATA).encode() if value is None else value, tuple(headers))


def structured(media: str = STRUCTURED, **event: Any) -> Raw:
    given = {
        name: value for name, value in {**ATTRIBUTES, "data": DATA, **event}.items() if value is not None
    }
    return Raw(0, json.dumps(given).encode(), (("content-type", media.encode()),))


def read(record: Raw, topic: Topic = ACTIVITY_REQUESTS) -> Any:
    return decode(record, topic.models, structured=topic.requests)


@pytest.mark.parametrize(
    "record",
    [
        binary(),
        binary(None, "application/json; charset=utf-8"),
        binary(None, "application/vnd.erp+json"),
        structured(),
        structured(STRUCTURED + "; charset=UTF-8"),
        structured("Application/CloudEvents+JSON"),
        structured(datacontenttype="application/json", more="of an extension"),
        structured(data=None, data_base64=b64encode(json.dumps(DATA).encode()).decode()),
    ],
)
def test_a_request_is_read_in_either_mode(record: Raw) -> None:
    decoded = read(record)
    assert isinstance(decoded, Incoming)
    assert (decoded.envelope.id, decoded.envelope.source, decoded.message.process) == (
        "7",
        "/erp",
        "it-request",
    )


SAMPLES = {
    ACTIVITY_REQUESTS: "ticket.open",
    NOTIFY_REQUESTS: "mail.compose",
    INGEST_REQUESTS: "mail.set_aside",
}


@pytest.mark.parametrize(("topic", "type_"), SAMPLES.items(), ids=SAMPLES.values())
def test_structured_mode_is_read_on_every_topic_of_requests(topic: Topic, type_: str) -> None:
    with open(f"shared/contracts/samples/{topic.name}/{type_}.json") as file:  # noqa: PTH123
        sample = json.load(file)
    decoded = read(structured(type=type_, data=sample["value"]), topic)
    assert isinstance(decoded, Incoming)
    assert decoded.message == topic.models[type_].model_validate(sample["value"])


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (binary(specversion=None), "ce_specversion is missing, expected '1.0'"),
        (binary(specversion="0.3"), "ce_specversion is '0.3', expected '1.0'"),
        (binary(type=None), "ce_type is missing, expected what is asked for, such as ticket.open"),
        (binary(source=None), "ce_source is missing, expected a name of the system that asks, such as /erp"),
        (binary(organisation=None), "ce_organisation is missing, expected the organisation's name"),
        (binary(time="yesterday"), "ce_time: Input should be a valid datetime"),
        (binary(time="2026-03-01T12:00:00"), "expected a time with its zone, such as 2026-03-01T12:00:00Z"),
        (binary(time="1960-03-01T12:00:00Z"), "it lies before 1970"),
        (
            binary(time=None, type=None),
            "ce_type is missing, expected what is asked for, such as ticket.open; ",
        ),
        (binary(b""), "the value: Invalid JSON: EOF"),
        (binary(b"{not json"), "the value: Invalid JSON: "),
        (binary(b"[]"), "the value: Input should be an object"),
        (binary(b"{}"), "actor: Field required; process: Field required"),
        (binary(json.dumps({**DATA, "title": 5}).encode()), "title: Input should be a valid string"),
        (
            binary(json.dumps({**DATA, "actor": {"kind": "person", "id": "erp"}}).encode()),
            "actor.kind: Input should be 'user', 'robot', 'system' or 'integration'",
        ),
        (binary(json.dumps({**DATA, "type": "ticket.note"}).encode()), "type: Input should be 'ticket.open'"),
        (
            binary(None, "text/xml"),
            "content-type is 'text/xml', expected application/json, or application/cloudevents+json",
        ),
        (binary(None, "application/cloudevents-batch+json"), "in structured mode, one a record"),
        (structured(time=None), "time is missing, expected a time with its zone"),
        (structured(specversion=None), "specversion is missing"),
        (structured(data=None), "data: Input should be an object"),
        (structured(data={}), "process: Field required"),
        (structured(data=None, data_base64="?"), "data_base64 is no base64"),
        (structured(datacontenttype="text/xml"), "datacontenttype is 'text/xml', expected application/json"),
    ],
)
def test_who_is_wrong_and_has_an_id_is_told_where_and_what_is_expected(record: Raw, said: str) -> None:
    decoded = read(record)
    assert isinstance(decoded, Unreadable)
    assert said in decoded.detail
    assert decoded.envelope is not None
    assert decoded.envelope.id == "7"


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (binary(id=None), "ce_id is missing, expected a text of 1 to 512 characters"),
        (binary(id="\0"), "ce_id: Value error, it holds the character NUL"),
        (binary(id="x" * 513), "ce_id: String should have at most 512 characters"),
        (structured(id=7), "id: Input should be a valid string"),
        (Raw(0, b"{not json", (("content-type", STRUCTURED.encode()),)), "the value: Invalid JSON: "),
        (Raw(0, b"[]", (("content-type", STRUCTURED.encode()),)), "the value is no JSON object"),
        (Raw(0, b"[]", (("content-type", b"application/cloudevents-batch+json"),)), "one a record"),
        (Raw(0, None, ()), "ce_specversion is missing"),
    ],
)
def test_who_has_no_legible_id_cannot_be_answered(record: Raw, said: str) -> None:
    decoded = read(record)
    assert isinstance(decoded, Unreadable)
    assert (said in decoded.detail, decoded.envelope) == (True, None)


def test_an_answer_has_unknown_for_what_was_wrong_and_the_records_own_time() -> None:
    envelope = read(binary(organisation=None, time="soon", source="", correlationid="c")).envelope
    assert (envelope.source, envelope.type, envelope.organisation) == (UNKNOWN, "ticket.open", UNKNOWN)
    assert envelope.time == datetime.fromtimestamp(WRITTEN / 1000, UTC)
    assert envelope.correlationid == "c"


def test_a_type_that_is_not_known_is_answered_with_those_that_are() -> None:
    decoded = read(binary(type="ticket.sing"))
    assert isinstance(decoded, Unknown)
    assert decoded.detail.startswith(
        "this version knows no 'ticket.sing'; it knows ticket.open, ticket.edit, "
    )


text = st.text("a0Z\0\ud800\xe9", max_size=6)


@given(
    value=st.none()
    | st.binary(max_size=60)
    | st.builds(
        lambda x: json.dumps(x).encode(),
        st.dictionaries(
            st.sampled_from([*ATTRIBUTES, "data", "data_base64", "datacontenttype"]),
            st.none() | text | st.integers() | st.lists(text, max_size=2),
        ),
    ),
    headers=st.lists(
        st.tuples(
            st.sampled_from(
                ["content-type", "Content-Type", "traceparent", *(f"ce_{n}" for n in ATTRIBUTES)]
            ),
            st.binary(max_size=12) | st.sampled_from([STRUCTURED.encode(), b"1.0", b"ticket.open"]),
        ),
        max_size=8,
    ),
    requests=st.booleans(),
)
def test_no_record_raises(value: bytes | None, headers: list[tuple[str, bytes]], requests: bool) -> None:
    decoded = decode(Raw(0, value, tuple(headers)), ACTIVITY_REQUESTS.models, structured=requests)
    assert isinstance(decoded, Incoming | Unknown | Unreadable)


@pytest.mark.parametrize("written", [-1, 0, WRITTEN, 1000 * WRITTEN, (1 << 63) - 1])
def test_a_wrong_record_is_told_so_whatever_time_its_producer_gave_it(written: int) -> None:
    """In microseconds, say: its batch would be begun again for ever."""
    decoded = read(replace(binary(time="yesterday"), timestamp=written))
    assert isinstance(decoded, Unreadable)
    assert decoded.envelope is not None
    assert decoded.envelope.time.tzinfo is not None
