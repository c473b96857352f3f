"""HTTP in: contacts, found while somebody types, made, changed, merged, erased."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.activity import store_contact_views, store_contacts
from services.activity.access import Access, Reception
from services.activity.api_recipients import present
from services.activity.api_steps import carried_out, refused
from services.activity.contact_scope import company_of, reach_of, reaches
from services.activity.permissions import ENDPOINTS
from services.activity.request_bodies import body_of, name_of, request_of
from services.activity.store_contacts import Contact
from services.activity.work import Work
from shared.auth import Caller
from shared.contracts.activity_contacts import Erasure
from shared.contracts.activity_requests import Request
from shared.contracts.activity_requests_contacts import (
    ContactCreate,
    ContactEdit,
    ContactErase,
    ContactMerge,
    OnContact,
)
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


class ContactView(PersonView):
    """One contact; `other_addresses` are those of contacts that were merged into it (CT-20)."""

    other_addresses: tuple[str, ...]


class ContactDone(BaseModel):
    """What was asked about a contact was done. Of merged contacts it names the one that is left."""

    contact: UUID
    version: int


class ErasedDone(ContactDone):
    """A person was erased, and what went with them; nothing did if that was done before (CT-21)."""

    erased: Erasure


CHANGES: tuple[tuple[str, str, type[OnContact], type[ContactDone]], ...] = (
    ("PATCH", "", ContactEdit, ContactDone),
    ("POST", "/merge", ContactMerge, ContactDone),
    ("POST", "/erase", ContactErase, ErasedDone),
)
"""The endpoints below a contact, each with its request and what it answers."""


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
    async def read_contact(contact: UUID, caller: Caller, response: Response) -> ContactView:
        """One contact, and of one that was merged who it is now. Its ETag is its version."""

        async def serve(batch: Batch[Any], access: Access) -> ContactView:
            found = await _contact(batch, access, contact)
            response.headers["ETag"] = etag(found.version)
            key = (found.organisation, found.id)
            others = sorted(
                each.address for each in await store_contacts.merged_into(batch.connection, {key})
            )
            return ContactView(**person(found).model_dump(), other_addresses=tuple(others))

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

    def change(model: type[OnContact], view: type[ContactDone]) -> Callable[..., Awaitable[ContactDone]]:
        """The endpoint that carries out a request about one contact."""

        async def change_contact(
            contact: UUID,
            body: BaseModel,
            caller: Caller,
            key: IdempotencyKey,
            response: Response,
            seen: ExpectedVersion,
        ) -> ContactDone:
            async def serve(batch: Batch[Any], access: Access) -> dict[str, Any]:
                given: dict[str, Any] = {"contact": str(contact), "actor": access.actor}
                await _contact(batch, access, contact, erased=model is ContactErase)
                if seen is not None:
                    given["expected_version"] = seen
                request: Request = request_of(model, body, **given)
                return await _seen(batch, access, await carried_out(batch, work, caller, key, request))

            done = _done(await reception.admit(caller, serve), view)
            response.headers["ETag"] = etag(done.version)
            return done

        change_contact.__annotations__ |= {"body": body_of(model), "return": view}
        return change_contact

    create_contact.__annotations__["body"] = body_of(ContactCreate)
    router.add_api_route(PREFIX, create_contact, methods=["POST"], status_code=201)
    for method, below, model, view in CHANGES:
        router.add_api_route(
            f"{PREFIX}/{{contact}}{below}",
            change(model, view),
            methods=[method],
            name=name_of(model),
            operation_id=name_of(model).replace(".", "_"),
            summary=name_of(model).partition(".")[2].capitalize(),
            description=inspect.getdoc(model),
        )

    return guarded(router, ENDPOINTS)


def person(contact: Contact) -> PersonView:
    """A contact as it is shown."""
    return PersonView(**{name: getattr(contact, name) for name in PersonView.model_fields})


def _reached(access: Access, contact: Contact) -> bool:
    company = company_of(access.organisation, contact)
    return reaches(access.organisation, access.caller.user, Role.READER, company)


async def _contact(batch: Batch[Any], access: Access, id_: UUID, *, erased: bool = False) -> Contact:
    """A contact within the caller's reach, or who it is now; of others nobody learns that they are there."""
    name = access.organisation.name
    rows = await store_contacts.by_id(batch.connection, {(name, id_)})
    for contact in (await present(batch, rows)).values():
        if _reached(access, contact):
            return contact
    if not erased or not any(each.erased_at for each in rows):
        raise Problem(NOT_FOUND, f"There is no contact {id_}.")
    return rows[0]


async def _seen(batch: Batch[Any], access: Access, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, without a contact that the caller may not see (CT-15)."""
    if answer["type"] == "request.refused" and answer.get("contact"):
        keys = {(access.organisation.name, UUID(answer["contact"]))}
        known = await store_contacts.by_id(batch.connection, keys)
        if not any(_reached(access, each) for each in known):
            return {**answer, "contact": None}
    return answer


def _done(answer: dict[str, Any], view: type[ContactDone] = ContactDone) -> ContactDone:
    if answer["type"] == "contact.accepted":
        return view.model_validate({name: answer.get(name) for name in view.model_fields})
    raise refused(answer)
