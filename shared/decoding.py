"""From bytes of Kafka to a record of the contract: one bad record hides no other (design §3)."""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import pydantic_core
from pydantic import ValidationError

from shared.contracts.envelope import CONTENT_TYPE, Envelope, attributes_of
from shared.contracts.record import Record
from shared.failure import RawRecord
from shared.offsets import Place
from shared.tracing import Span

STRUCTURED = "application/cloudevents+json"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = int((datetime.max.replace(tzinfo=UTC) - _EPOCH).total_seconds() * 1000) - 1
_ERRORS_TOLD = 3

M = TypeVar("M", bound=Record)


class UnknownType(LookupError):
    """Something was asked for that this version does not know, and nobody can be answered."""


class Malformed(ValueError):
    """A record breaks its contract. The message tells its sender where, and what belongs there."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record was read."""

    place: Place
    offset: int


@dataclass(frozen=True, slots=True)
class Incoming(Generic[M]):
    """A record to work on. `origin` is None when it did not come from Kafka (HTTP, a timer)."""

    envelope: Envelope
    message: M
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A type that this version does not know: passed over among events, refused among requests."""

    envelope: Envelope
    known: tuple[str, ...] = ()

    @property
    def detail(self) -> str:
        kind = self.envelope.type.partition(".")[0]
        like = [name for name in self.known if name.partition(".")[0] == kind] or self.known
        others = f"; it knows {', '.join(like)}" if like else ""
        return f"this version knows no {self.envelope.type!r}{others}"

    @property
    def error(self) -> Exception:
        return UnknownType(self.detail)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that breaks its contract. Without an envelope nobody can be answered."""

    error: Malformed
    envelope: Envelope | None = None

    @property
    def detail(self) -> str:
        return str(self.error)


Decoded = Incoming[Any] | Unknown | Unreadable


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as it was read, and what was made of it. `span` ends with its commit, if it is traced."""

    raw: RawRecord
    decoded: Decoded
    span: Span | None = None


def decode_all(
    records: Iterable[RawRecord],
    positions: Mapping[Place, int],
    models: Mapping[str, type[Record]],
    *,
    structured: bool,
) -> list[Entry]:
    """Read those that lie in partitions with a position, from there on; see `decode`."""
    return [
        Entry(each, decode(each, models, structured=structured))
        for each in records
        if each.offset >= positions.get(Place(each.topic, each.partition), 1 << 63)
    ]


def decode(record: RawRecord, models: Mapping[str, type[Record]], *, structured: bool) -> Decoded:
    """Read one record; never raises.

    `models` are the topic's record types by `ce_type`. `structured` is for topics of requests (design §4): it
    accepts CloudEvents' structured mode beside the binary one, looks at the content type, and salvages of
    attributes that are wrong what is needed to answer.
    """
    attributes: Mapping[str, Any] = attributes_of(record.headers)
    data, prefix = record.value or b"", "ce_"
    try:
        if structured:
            media = _media_type(record.headers)
            if media == STRUCTURED:
                prefix = ""
                attributes = _event(data)
                data = _data(attributes)
            _require_json(media if prefix else attributes.get("datacontenttype", CONTENT_TYPE), prefix)
        envelope = _envelope(attributes, prefix)
        model = models.get(envelope.type)
        if model is None:
            return Unknown(envelope, tuple(models))
        origin = Origin(Place(record.topic, record.partition), record.offset)
        return Incoming(
            envelope, _message(model, envelope.type, data, "the value" if prefix else "data"), origin
        )
    except Malformed as error:
        written = _EPOCH + timedelta(milliseconds=min(max(record.timestamp, 0), _LATEST))
        return Unreadable(error, Envelope.salvaged(attributes, written) if structured else None)


def _media_type(headers: Sequence[tuple[str, bytes]]) -> str:
    for name, value in headers:
        if name.lower() == "content-type" and value:
            return value.decode("utf-8", "replace").partition(";")[0].strip().lower()
    return CONTENT_TYPE


def _require_json(media: object, prefix: str) -> None:
    media = str(media).partition(";")[0].strip().lower()
    if media == CONTENT_TYPE or (media.endswith("+json") and not media.startswith("application/cloudevents")):
        return
    name = "content-type" if prefix else "datacontenttype"
    other = f", or {STRUCTURED} for an event in structured mode, one a record" if prefix else ""
    raise Malformed(f"{name} is {media!r}, expected {CONTENT_TYPE}{other}")


def _event(value: bytes) -> dict[str, Any]:
    try:
        event = pydantic_core.from_json(value)
    except ValueError as error:
        raise Malformed(f"the value: Invalid JSON: {error}") from error
    if not isinstance(event, dict):
        raise Malformed("the value is no JSON object, as an event in structured mode is")
    return event


def _data(event: Mapping[str, Any]) -> bytes:
    """The data of an event in structured mode, as JSON."""
    if "data_base64" not in event:
        return pydantic_core.to_json(event.get("data"))
    try:
        return b64decode(event["data_base64"], validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise Malformed(f"data_base64 is no base64: {error}") from error


def _envelope(attributes: Mapping[str, Any], prefix: str) -> Envelope:
    try:
        return Envelope.of(attributes, prefix)
    except ValueError as error:
        raise Malformed(str(error)) from error


def _message(model: type[M], name: str, data: bytes, place: str) -> M:
    try:
        message = model.model_validate_json(data, extra="ignore")  # also in parts that people write by hand
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        told = [
            f"{'.'.join(str(part) for part in each['loc']) or place}: {each['msg']}"
            for each in found[:_ERRORS_TOLD]
        ]
        rest = f" (and {len(found) - _ERRORS_TOLD} more)" if len(found) > _ERRORS_TOLD else ""
        raise Malformed("; ".join(told) + rest) from error
    if message.type == name:
        return message
    if "type" in message.model_fields_set:
        raise Malformed(f"type: it is {message.type!r}, and the envelope says {name!r}")
    return message.model_copy(update={"type": name})
