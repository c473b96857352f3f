"""HTTP in: what typed addresses are to an activity, to be asked before a mail goes to them (CT-19)."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.activity import store_contacts, store_views
from services.activity.access import Access, Reception, bearer_key, opened_activity
from services.activity.contact_scope import may_be_on
from services.activity.domain.person_names import names_from_address
from services.activity.resources import Resource
from services.activity.store_contacts import Contact
from shared.auth import Caller
from shared.contracts.record import EmailAddress
from shared.unit_of_work import Batch

Addresses = Annotated[
    list[EmailAddress] | None, Query(max_length=100, description="an address as it was typed")
]


class RecipientView(BaseModel):
    """What an address is to an activity (CT-19).

    `on_it`: a contact of the activity; `known`: a contact that may be put on it; `another_company`: one that
    may not; `unknown`: nobody's, and the names are those that a contact made of it would get (CT-14).
    """

    address: str
    known_as: Literal["on_it", "known", "another_company", "unknown"]
    contact: UUID | None = None
    first_name: str = ""
    last_name: str = ""


def recipient_routes(reception: Reception, resource: Resource) -> APIRouter:
    """`<prefix>/{reference}/recipients`."""
    router = APIRouter(prefix=f"{resource.prefix}/{{reference}}/recipients", tags=[resource.tag])

    @router.get("", name=f"read_recipients{resource.operations}")
    async def read_recipients(
        reference: str, caller: Caller, address: Addresses = None
    ) -> list[RecipientView]:
        """What typed addresses are to it: to be asked before a mail goes to them (CT-19)."""

        async def serve(batch: Batch[Any], access: Access) -> list[RecipientView]:
            activity = await opened_activity(batch, access, reference, resource.kind)
            organisation = access.organisation
            typed = {each.lower() for each in address or ()}
            keys = {(organisation.name, each) for each in typed}
            rows = await store_contacts.by_address(batch.connection, keys)
            known = await present(batch, rows)
            company = organisation.process(activity.process).company
            there = await store_views.contacts(batch.connection, bearer_key(activity))
            on_it = {each["id"] for each in there}

            def view(each: str) -> RecipientView:
                contact = known.get(each)
                if contact is None:
                    first, last = names_from_address(each)
                    return RecipientView(address=each, known_as="unknown", first_name=first, last_name=last)
                if contact.id not in on_it and not may_be_on(organisation, contact, company):
                    return RecipientView(address=each, known_as="another_company")
                return RecipientView(
                    address=each,
                    known_as="on_it" if contact.id in on_it else "known",
                    contact=contact.id,
                    first_name=contact.first_name,
                    last_name=contact.last_name,
                )

            return [view(each) for each in sorted(typed)]

        return await reception.admit(caller, serve)

    return router


async def present(batch: Batch[Any], rows: Sequence[Contact]) -> dict[str, Contact]:
    """Who is behind these addresses now: of contacts that were merged who they became, and nobody erased."""
    merged = {(each.organisation, each.merged_into) for each in rows if each.merged_into}
    now = {each.id: each for each in await store_contacts.by_id(batch.connection, merged)}
    found = {each.address: now.get(each.merged_into or each.id, each) for each in rows}
    return {address: each for address, each in found.items() if not each.erased_at}
