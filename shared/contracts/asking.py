"""What every request to activity has in common: who asks, and how people and texts are written."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contracts.record import EmailAddress, Name, Part, Record, Reference, Storable

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=998), Storable]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1_000_000), Storable]
TagName = Literal["primary_contact", "original_requester", "requester", "subject", "cc"]
"""A contact's part in an activity (CT-2)."""


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


class OnTicket(Request):
    """A step on one Ticket. `expected_version` refuses it if somebody was faster (ST-23)."""

    reference: Reference
    expected_version: Annotated[int, Field(ge=1)] | None = None
