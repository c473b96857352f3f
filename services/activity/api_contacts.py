"""HTTP in: contacts, found while somebody types, made and edited; what typed addresses are (CT-9, CT-19)."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.activity import store_contact_views, store_contacts
from services.activity.access import Access, Reception, opened_ticket
from services.activity.api_steps import carried_out, refused
from services.activity.contact_scope import company_of, may_be_on, reach_of, reaches
from services.activity.domain.person_names import names_from_address
from services.activity.permissions import ENDPOINTS
from services.activity.request_bodies import body_of, request_of
from services.activity.store_contacts import Contact
from services.activity.work import Work
from shared.auth import Caller
from shared.contracts.activity_requests import Request
from shared.contracts.activity_requests_contacts import ContactCreate, ContactEdit
from shared.contracts.record import EmailAddress, Name, Storable
from shared.http import ExpectedVersion, IdempotencyKey, etag
from shared.organisation import Organisations
from shared.pages import Keyset, Page, PageQuery
from shared.permissions import Role, guarded
from shared.problems import NOT_FOUND, Problem
from shared.unit_of_work import Batch, UnitOfWork

PREFIX = "/v1/contacts"
_BY_ADDRESS = Keyset(EmailAddress)
Search = Annotated[
    str | None,
    Storable,
    Query(max_length=200, description="words that names or address begin with, or contain"),
]
ForCompany = Annotated[
    Name | None, Query(description="only those who may stand on activities of this company (CT-10)")
]
Addresses = Annotated[
    list[EmailAddress] | None, Query(max_length=100, description="an address as it was typed")
]


class PersonView(BaseModel):
    """A contact; `company` is null for everybody's (CT-10)."""

    id: UUID
    version: int
    address: str
    first_name: str
    last_name: str
    company: str | None
    language: str | None
    auto_created: bool
    test: bool
    extra_tag: str | None


class ContactDone(BaseModel):
    """What was asked about a contact was done."""

    contact: UUID
    version: int


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


def contact_routes(unit: UnitOfWork, work: Work, organisations: Organisations) -> APIRouter:
    """`/v1/contacts`, and what addresses are to a Ticket."""
    reception = Reception(unit, organisations)
    router = APIRouter(tags=["contacts"])

    @router.get(PREFIX)
    async def list_contacts(
        caller: Caller, page: PageQuery, search: Search = None, company: ForCompany = None
    ) -> Page[PersonView]:
        """Contacts whom the caller may use (CT-9), in order of address.

        With `search` one page of those found, the best first; type on to narrow it down.
        """

        async def serve(batch: Batch[Any], access: Access) -> Page[PersonView]:
            name = access.organisation.name
            reach = reach_of(access.organisation, access.caller.user, company)
            if search is not None:
                found = await store_contact_views.found(batch.connection, name, reach, search, page.limit)
                return Page(items=[person(each) for each in found])
            after = _BY_ADDRESS.decode(page.after)
            rows = await store_contact_views.listed(
                batch.connection, name, reach, after[0] if after else None, page.limit + 1
            )
            return _BY_ADDRESS.page(rows, page, key=lambda each: (each.address,), item=person)

        return await reception.admit(caller, serve)

    @router.get(f"{PREFIX}/{{contact}}")
    async def read_contact(contact: UUID, caller: Caller, response: Response) -> PersonView:
        """One contact. Its ETag is its version."""

        async def serve(batch: Batch[Any], access: Access) -> PersonView:
            found = await _contact(batch, access, contact)
            response.headers["ETag"] = etag(found.version)
            return person(found)

        return await reception.admit(caller, serve)

    async def create_contact(
        body: BaseModel, caller: Caller, key: IdempotencyKey, response: Response
    ) -> ContactDone:
        """Make a contact. Without names they come from the address (CT-14)."""

        async def serve(batch: Batch[Any], access: Access) -> dict[str, Any]:
            request = request_of(ContactCreate, body, actor=access.actor)
            return await _seen(batch, access, await carried_out(batch, work, caller, key, request))

        done = _done(await reception.admit(caller, serve))
        response.headers["Location"] = f"{PREFIX}/{done.contact}"
        response.headers["ETag"] = etag(done.version)
        return done

    async def edit_contact(
        contact: UUID,
        body: BaseModel,
        caller: Caller,
        key: IdempotencyKey,
        response: Response,
        seen: ExpectedVersion,
    ) -> ContactDone:
        """Change what is known of a contact; a field left out stays."""

        async def serve(batch: Batch[Any], access: Access) -> dict[str, Any]:
            given: dict[str, Any] = {"contact": str(contact), "actor": access.actor}
            await _contact(batch, access, contact)
            if seen is not None:
                given["expected_version"] = seen
            request: Request = request_of(ContactEdit, body, **given)
            return await _seen(batch, access, await carried_out(batch, work, caller, key, request))

        done = _done(await reception.admit(caller, serve))
        response.headers["ETag"] = etag(done.version)
        return done

    create_contact.__annotations__["body"] = body_of(ContactCreate)
    edit_contact.__annotations__["body"] = body_of(ContactEdit)
    router.add_api_route(PREFIX, create_contact, methods=["POST"], status_code=201)
    router.add_api_route(f"{PREFIX}/{{contact}}", edit_contact, methods=["PATCH"])

    @router.get("/v1/tickets/{reference}/recipients")
    async def read_recipients(
        reference: str, caller: Caller, address: Addresses = None
    ) -> list[RecipientView]:
        """What typed addresses are to a Ticket: to be asked before a mail goes to them (CT-19)."""

        async def serve(batch: Batch[Any], access: Access) -> list[RecipientView]:
            activity = await opened_ticket(batch, access, reference)
            organisation = access.organisation
            typed = {each.lower() for each in address or ()}
            keys = {(organisation.name, each) for each in typed}
            rows = await store_contacts.by_address(batch.connection, keys)
            known = {each.address: each for each in rows if not each.erased_at}
            company = organisation.process(activity.process).company
            on_it = {each.contact for each in activity.contacts}

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

    return guarded(router, ENDPOINTS)


def person(contact: Contact) -> PersonView:
    """A contact as it is shown."""
    return PersonView(**{name: getattr(contact, name) for name in PersonView.model_fields})


def _reached(access: Access, contact: Contact) -> bool:
    company = company_of(access.organisation, contact)
    return reaches(access.organisation, access.caller.user, Role.READER, company)


async def _contact(batch: Batch[Any], access: Access, id_: UUID) -> Contact:
    """A contact within the caller's reach; of others nobody learns that they are there."""
    name = access.organisation.name
    for contact in await store_contacts.by_id(batch.connection, {(name, id_)}):
        if _reached(access, contact) and not contact.erased_at:
            return contact
    raise Problem(NOT_FOUND, f"There is no contact {id_}.")


async def _seen(batch: Batch[Any], access: Access, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, without a contact that the caller may not see (CT-15)."""
    if answer["type"] == "request.refused" and answer.get("contact"):
        keys = {(access.organisation.name, UUID(answer["contact"]))}
        known = await store_contacts.by_id(batch.connection, keys)
        if not any(_reached(access, each) for each in known):
            return {**answer, "contact": None}
    return answer


def _done(answer: dict[str, Any]) -> ContactDone:
    if answer["type"] == "contact.accepted":
        return ContactDone(contact=answer["contact"], version=answer["version"])
    raise refused(answer)
