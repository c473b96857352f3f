"""What every request to activity has in common: who asks, and how people and texts are written."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StringConstraints

from shared.contracts.record import EmailAddress, Name, Part, Record, Reference, Storable

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=998), Storable]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1_000_000), Storable]
FieldText = Annotated[str, StringConstraints(max_length=200_000), Storable]
CustomFields = Annotated[
    dict[Name, StrictBool | StrictInt | StrictFloat | FieldText | None], Field(max_length=200)
]
"""Values of custom fields by their names; null takes a value away (BK-14)."""
TagName = Literal["primary_contact", "original_requester", "requester", "subject", "cc"]
"""A contact's part in an activity (CT-2)."""


@dataclass(frozen=True, slots=True)
class Said:
    """Marks a field whose null does something: it has to stand in the request, null included.

    Fields that nobody knows are passed over, so a misspelled one must not mean null. `null` is what it does.
    """

    null: str


class ActorKind(StrEnum):
    """Who acts."""

    USER = "user"
    ROBOT = "robot"
    SYSTEM = "system"
    INTEGRATION = "integration"


class Actor(Part):
    """Who asks for a step: a user, a robot, another system, or Mailroom itself."""

    kind: ActorKind
    id: Name


class Person(Part):
    """A contact by its address, made when it is unknown (CT-12)."""

    address: EmailAddress
    name: Annotated[str, Storable] = ""


class Request(Record):
    """A step somebody wants done. It is answered on `activity.answers.v1` under the envelope's id."""

    actor: Actor

    @property
    def unsaid(self) -> tuple[tuple[str, Said], ...]:
        """The fields that have to be said and were not, not even as null."""
        return tuple(
            (name, said) for name, said in to_be_said(type(self)) if name not in self.model_fields_set
        )


@cache
def to_be_said(model: type[Request]) -> tuple[tuple[str, Said], ...]:
    """The fields of a request that have to be said, though its schema lets them be left out."""
    return tuple(
        (name, mark)
        for name, info in model.model_fields.items()
        for mark in info.metadata
        if isinstance(mark, Said)
    )


class OnActivity(Request):
    """A step on one activity. `expected_version` refuses it if somebody was faster (ST-23)."""

    reference: Reference
    expected_version: Annotated[int, Field(ge=1)] | None = None
