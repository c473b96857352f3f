"""What others ask of activity about contacts (`activity.requests.v1`, beside `activity_requests.py`)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.asking import Request, TagName
from shared.contracts.record import EmailAddress, Language, Name, Storable

PersonName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), Storable]


class ContactCreate(Request):
    """Make a contact (CT-10, CT-15). Without names, they come from the address (CT-14).

    Without a company it is everybody's, where the organisation's scope allows that. `test` marks one that was
    made in test mode (CT-18).
    """

    type: Literal["contact.create"] = "contact.create"
    address: EmailAddress
    first_name: PersonName | None = None
    last_name: PersonName | None = None
    company: Name | None = None
    language: Language | None = None
    extra_tag: TagName | None = None
    test: bool = False


class OnContact(Request):
    """Something on one contact. `expected_version` refuses it if somebody was faster."""

    contact: UUID
    expected_version: Annotated[int, Field(ge=1)] | None = None


class ContactEdit(OnContact):
    """Change what is known of a contact; a field left out stays (CT-16).

    `global_contact` true makes it everybody's; `extra_tag` "none" takes the extra tag away.
    """

    type: Literal["contact.edit"] = "contact.edit"
    address: EmailAddress | None = None
    first_name: PersonName | None = None
    last_name: PersonName | None = None
    company: Name | None = None
    global_contact: bool = False
    language: Language | None = None
    extra_tag: TagName | Literal["none"] | None = None
