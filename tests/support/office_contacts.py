"""What is asked about contacts in an office."""

from typing import Any

from shared.contracts.activity_requests import Actor
from shared.contracts.activity_requests_contacts import ContactCreate, ContactEdit
from tests.support.office import Office, user

TOPIC = "activity.contacts.v1"
"""Where it is told how each of them stands."""


async def create(office: Office, address: str, by: Actor | None = None, **fields: Any) -> Any:
    return await office.ask(ContactCreate(actor=by or user("amelie"), address=address, **fields))


async def edit(office: Office, contact: str, by: Actor | None = None, **fields: Any) -> Any:
    return await office.ask(ContactEdit(actor=by or user("amelie"), contact=contact, **fields))
