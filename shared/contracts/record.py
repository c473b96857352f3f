"""What all records have in common: frozen, and open to fields that a newer producer adds."""

from datetime import UTC, datetime
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from shared.contracts.meanings import explain


class Part(BaseModel):
    """A value inside a record. Unknown fields are ignored, so that old readers live beside new producers."""

    model_config = ConfigDict(frozen=True, extra="ignore", json_schema_extra=explain)


class Record(Part):
    """The value of one Kafka record. Every subclass names itself: `type: Literal["mail.received"]`.

    The type stands in the header `ce_type`; in the value it may be left out, and where it stands it has
    to agree.
    """

    type: str


def types_of(model: type[Record]) -> tuple[str, ...]:
    """The names that a record goes by: one, or one for each kind of activity that it is about."""
    names: tuple[str, ...] = get_args(model.model_fields["type"].annotation)
    return names


def type_for(model: type[Record], kind: str) -> str | None:
    """The name that a record goes by where it is about activities of a kind; None if it never is."""
    return next((name for name in types_of(model) if name.partition(".")[0] == kind), None)


def schema_of(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a record as one of the names that it goes by."""
    said = {key: value for key, value in schema["properties"]["type"].items() if key not in ("enum", "const")}
    named = {"const": name, **said, "default": name}
    return {**schema, "properties": {**schema["properties"], "type": named}}


def _utc(value: datetime) -> datetime:
    return value if value.tzinfo is UTC else value.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
"""A point in time, RFC 3339, always UTC."""


def _without_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("it holds the character NUL, which no database column takes")
    return value


Storable = AfterValidator(_without_nul)
"""For texts that are stored: refuses NUL, so that it is the sender's mistake and not ours."""

Reference = Annotated[str, StringConstraints(pattern=r"^\d+-(T|C|C-A\d+\.\d+)$")]
"""What people call an activity by: `101203-T`, `10040-C`, `10040-C-A1.1` (GL-6)."""

Conversation = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
"""64 bits in hexadecimal: the key of all that belongs to one thread of mail (design §1)."""

EmailAddress = Annotated[
    str, StringConstraints(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$"), Storable
]
"""An addr-spec of at most 254 characters (AMB-41), as loose as real mail is."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
"""What configuration calls its things by: lower case, digits, dot, dash, underscore."""

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
"""A language tag (RFC 5646) of one or two parts: `en`, `fr`, `pt-BR`."""
