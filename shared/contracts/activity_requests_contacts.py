"""What others ask of activity about contacts (`activity.requests.v1`, beside `activity_requests.py`)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.asking import Request, TagName
from shared.contracts.record import EmailAddress, Language, Name, Storable

ErasureReason = Literal[
    "asked_for", "consent_withdrawn", "objected", "no_longer_needed", "unlawful", "legal_obligation"
]
"""Why a person is erased (GDPR, article 17). A closed list, so that it says nothing of the person."""
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
    test: bool | None = None


class ContactMerge(OnContact):
    """Make a contact one with another (CT-20). It cannot be taken back.

    Its address and its tags lead to `into` from then on; of the rest, `into` stays as it is.
    """

    type: Literal["contact.merge"] = "contact.merge"
    into: UUID


class ContactErase(OnContact):
    """Erase a person (CT-21): the contact, their mails, and what was written on their Tickets.

    It cannot be taken back. While Tickets of theirs are open it is refused, unless `open_tickets` says that
    they go on without what is erased. `reason` is written down with who asked and when.
    """

    type: Literal["contact.erase"] = "contact.erase"
    reason: ErasureReason
    open_tickets: bool = False
