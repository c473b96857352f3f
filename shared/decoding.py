"""From bytes of Kafka to a record of the contract: one bad record hides no other (design §3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pydantic_core
from pydantic import ValidationError

from shared.contracts.envelope import CONTENT_TYPE, Envelope
from shared.contracts.record import Record
from shared.failure import RawRecord, sentence
from shared.offsets import Place
from shared.tracing import Span

STRUCTURED = "application/cloudevents+json"

M = TypeVar("M", bound=Record)


class UnknownType(LookupError):
    """Something was asked for that this version does not know, and nobody can be answered."""


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

    @property
    def detail(self) -> str:
        return f"this version knows no {self.envelope.type!r}"

    @property
    def error(self) -> Exception:
        return UnknownType(self.detail)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that breaks its contract. Without an envelope nobody can be answered."""

    error: Exception
    envelope: Envelope | None = None

    @property
    def detail(self) -> str:
        return sentence(self.error)


Decoded = Incoming[Any] | Unknown | Unreadable


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as it was read, and what was made of it. `span` ends with its commit, if it is traced."""

    raw: RawRecord
    decoded: Decoded
    span: Span | None = None


def decode(record: RawRecord, models: Mapping[str, type[Record]], *, structured: bool) -> Decoded:
    """Read one record; never raises.

    `models` are the topic's record types by `ce_type`. `structured` accepts CloudEvents' structured mode
    beside the binary one (design §4: on request topics).
    """
    envelope: Envelope | None = None
    try:
        if structured and _content_type(record).startswith(STRUCTURED):
            attributes = pydantic_core.from_json(record.value or b"")
            data = pydantic_core.to_json(attributes.pop("data", None))
            envelope = Envelope.model_validate(attributes)
        else:
            envelope = Envelope.from_headers(record.headers)
            data = record.value or b""
        model = models.get(envelope.type)
        if model is None:
            return Unknown(envelope)
        origin = Origin(Place(record.topic, record.partition), record.offset)
        return Incoming(envelope, model.model_validate_json(data), origin)
    except (ValueError, ValidationError, TypeError, AttributeError) as error:
        return Unreadable(error, envelope)


def _content_type(record: RawRecord) -> str:
    for name, value in record.headers:
        if name.lower() == "content-type":
            return value.decode("latin-1").lower()
    return CONTENT_TYPE
