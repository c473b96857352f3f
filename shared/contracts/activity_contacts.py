"""Contacts as they stand now (`activity.contacts.v1`, compacted, keyed by the contact's id).

The newest record of a contact holds all there is of it; the older version loses at the reader too. A
tombstone says that the person was erased.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.record import EmailAddress, Instant, Part, Record


class ContactChanged(Record):
    """A contact was made or changed; `company` is left out for one that is everybody's (CT-10)."""

    type: Literal["contact.changed"] = "contact.changed"
    contact: UUID
    version: int
    at: Instant
    address: EmailAddress
    first_name: str = ""
    last_name: str = ""
    company: str | None = None
    language: str | None = None
    auto_created: bool = False
    test: bool = False
    extra_tag: str | None = None


class ContactMerged(Record):
    """A contact is one with another: its address and its tags lead there from now on."""

    type: Literal["contact.merged"] = "contact.merged"
    contact: UUID
    version: int
    at: Instant
    address: EmailAddress
    into: UUID


class Erasure(Part):
    """What was erased of a person: how many things of each kind."""

    mails: int = 0
    tickets: int = 0
    notes: int = 0
    tags: int = 0
    addresses: int = 0


ContactRecord = Annotated[ContactChanged | ContactMerged, Field(discriminator="type")]
