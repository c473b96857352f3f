"""How a request to activity ended (`activity.answers.v1`), told under the request's own id."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.activity_contacts import Erasure
from shared.contracts.record import Part, Record, Reference


class AskedBy(Part):
    """The request that is answered: its envelope's `source` and `id`, and its type."""

    source: str
    id: str
    type: str


class AlsoChanged(Part):
    """Another activity that the step opened or changed, as it stands then."""

    activity: UUID
    reference: Reference
    status: str
    version: int


class RequestAccepted(Record):
    """The step was done. A repeated request gets the same answer again.

    `others` are those that a split opened (T27), that were merged with it (T33, T34), the Case that it goes
    on as (T30), or the Actions that were launched by hand (CA-6). `file` is what was put on it (NT-15).
    """

    type: Literal["request.accepted"] = "request.accepted"
    request: AskedBy
    activity: UUID
    reference: Reference
    status: str
    version: int
    opened: Reference | None = None
    file: UUID | None = None
    configuration: int | None = None
    others: tuple[AlsoChanged, ...] = ()


class FieldError(Part):
    """What is wrong with the value that a request gave for a custom field (BK-14)."""

    field: str
    field_type: str | None = None
    detail: str


class ContactAccepted(Record):
    """What was asked about a contact was done. A repeated request gets the same answer again.

    `erased` counts what was erased with a person.
    """

    type: Literal["contact.accepted"] = "contact.accepted"
    request: AskedBy
    contact: UUID
    version: int
    erased: Erasure | None = None
    configuration: int | None = None


class RequestRefused(Record):
    """The step was not done, and why.

    `code` is one of the problem codes of `docs/http.md`; `detail` is a sentence for people. `state` and
    `step` say what met what, `missing` lists what would have to be there,
    `fields` each custom field whose value is not taken.
    `version` and `holder` are the Ticket's present ones (ST-23). `contact` is who has an address already
    (CT-15).
    """

    type: Literal["request.refused"] = "request.refused"
    request: AskedBy
    code: str
    detail: str
    reference: Reference | None = None
    state: str | None = None
    step: str | None = None
    missing: tuple[str, ...] = ()
    version: int | None = None
    holder: str | None = None
    fields: tuple[FieldError, ...] = ()
    configuration: int | None = None
    contact: UUID | None = None


ActivityAnswer = Annotated[RequestAccepted | ContactAccepted | RequestRefused, Field(discriminator="type")]
