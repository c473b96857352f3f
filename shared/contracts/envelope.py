"""CloudEvents 1.0 in Kafka's binary mode: who says what, when, about which subject.

Source: CloudEvents 1.0.2, Kafka Protocol Binding, and its extensions for partitioning and tracing.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from shared.contracts.meanings import explain
from shared.contracts.record import Instant, Storable

SPECVERSION = "1.0"
CONTENT_TYPE = "application/json"

Headers = list[tuple[str, bytes]]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=512), Storable]

UNKNOWN = "unknown"
"""What stands in an answer for an attribute that was missing or wrong in the request."""

_EXPECTED = {
    "id": "a text of 1 to 512 characters that is unique in its source",
    "source": "a name of the system that asks, such as /erp",
    "type": "what is asked for, such as ticket.open",
    "time": "a time with its zone, such as 2026-03-01T12:00:00Z",
    "organisation": "the organisation's name",
}


def _since_1970(value: datetime) -> datetime:
    if value < datetime(1970, 1, 1, tzinfo=UTC):
        raise ValueError("it lies before 1970")
    return value


def source_of(service: str) -> str:
    """The `source` of what one of our services says."""
    return f"/mailroom/{service}"


class Envelope(BaseModel):
    """The attributes of one record.

    `id` is unique within `source`; a repeat has the same two. `organisation`, `correlationid` (the chain
    of cause and effect as a whole) and `causationid` (the record that led to this one) are extensions.
    """

    model_config = ConfigDict(frozen=True, json_schema_extra=explain)

    id: _Text
    source: _Text
    type: _Text
    time: Annotated[Instant, AfterValidator(_since_1970)]
    organisation: _Text
    subject: _Text | None = None
    partitionkey: _Text | None = None
    correlationid: _Text | None = None
    causationid: _Text | None = None
    traceparent: _Text | None = None

    def to_headers(self) -> Headers:
        """As Kafka headers, UTF-8."""
        values: Mapping[str, str | datetime | None] = vars(self)
        headers: Headers = [*_ALWAYS]
        for name, header in _HEADERS:
            value = values[name]
            if value is not None:
                text = value if isinstance(value, str) else value.isoformat().replace("+00:00", "Z")
                headers.append((header, text.encode()))
        return headers

    @classmethod
    def of(cls, attributes: Mapping[str, object], prefix: str = "ce_") -> Self:
        """From CloudEvents attributes by name, `specversion` among them.

        Raises `ValueError` with a sentence that names, behind `prefix`, what is missing or wrong.
        """
        version = attributes.get("specversion")
        if version != SPECVERSION:
            found = "missing" if version is None else repr(version)
            raise ValueError(f"{prefix}specversion is {found}, expected {SPECVERSION!r}")
        try:
            return cls.model_validate(attributes)
        except ValidationError as error:
            told = [(str(each["loc"][0]), each["type"], each["msg"]) for each in error.errors()]
            raise ValueError(
                "; ".join(
                    f"{prefix}{name}{' is missing' if kind == 'missing' else f': {message}'}"
                    f"{f', expected {_EXPECTED[name]}' if name in _EXPECTED else ''}"
                    for name, kind, message in told
                )
            ) from error

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes | None]]) -> Self:
        """From Kafka headers. Raises what `of` raises."""
        return cls.of(attributes_of(headers))

    @classmethod
    def salvaged(cls, attributes: Mapping[str, object], time: datetime) -> Self | None:
        """As much as an answer needs of attributes that are wrong: `UNKNOWN` or `time` where they are.

        None without a legible id: there is nothing that an answer could be found by.
        """
        legible = dict(attributes)
        try:
            cls.model_validate(legible)
        except ValidationError as error:
            for each in error.errors():
                legible.pop(str(each["loc"][0]), None)
        if "id" not in legible:
            return None
        known = {"source": UNKNOWN, "type": UNKNOWN, "organisation": UNKNOWN, "time": time}
        return cls.model_validate({**known, **legible})


def attributes_of(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """The CloudEvents attributes in Kafka headers, by name."""
    found = {name.lower(): value.decode("utf-8", "replace") for name, value in headers if value}
    attributes = {name[3:]: value for name, value in found.items() if name.startswith("ce_")}
    if "traceparent" in found:
        attributes.setdefault("traceparent", found["traceparent"])
    return attributes


_ALWAYS = (("ce_specversion", SPECVERSION.encode()), ("content-type", CONTENT_TYPE.encode()))
_HEADERS = tuple((name, f"ce_{name}") for name in Envelope.model_fields)
