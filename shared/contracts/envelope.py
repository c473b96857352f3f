"""CloudEvents 1.0 in Kafka's binary mode: who says what, when, about which subject.

Source: CloudEvents 1.0.2, Kafka Protocol Binding, and its extensions for partitioning and tracing.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from shared.contracts.meanings import explain
from shared.contracts.record import Instant

SPECVERSION = "1.0"
CONTENT_TYPE = "application/json"

Headers = list[tuple[str, bytes]]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=512)]


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
    time: Instant
    organisation: _Text
    subject: _Text | None = None
    partitionkey: _Text | None = None
    correlationid: _Text | None = None
    causationid: _Text | None = None
    traceparent: _Text | None = None

    def to_headers(self) -> Headers:
        """As Kafka headers, UTF-8."""
        headers: Headers = [("ce_specversion", SPECVERSION.encode()), ("content-type", CONTENT_TYPE.encode())]
        for name in _ATTRIBUTES:
            value: str | datetime | None = getattr(self, name)
            if isinstance(value, datetime):
                value = value.isoformat().replace("+00:00", "Z")
            if value is not None:
                headers.append((f"ce_{name}", value.encode()))
        return headers

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes | None]]) -> Self:
        """Read from Kafka headers.

        Raises `ValueError` with a sentence that names the attribute which is missing or wrong.
        """
        found = {name.lower(): value.decode("utf-8", "replace") for name, value in headers if value}
        version = found.pop("ce_specversion", None)
        if version != SPECVERSION:
            raise ValueError(f"ce_specversion is {version!r}, expected {SPECVERSION!r}")
        attributes = {name[3:]: value for name, value in found.items() if name.startswith("ce_")}
        if "traceparent" in found:
            attributes.setdefault("traceparent", found["traceparent"])
        try:
            return cls.model_validate(attributes)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"ce_{first['loc'][0]}: {first['msg']}") from error


_ATTRIBUTES = tuple(Envelope.model_fields)
