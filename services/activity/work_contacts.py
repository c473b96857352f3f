"""What is asked about contacts: made, edited, merged and erased (section 9)."""

from dataclasses import replace
from typing import assert_never
from uuid import UUID

from services.activity import announce, announce_contacts, work_people
from services.activity.contact_scope import company_of, company_of_agent, permitted
from services.activity.domain.person_names import names_from_address
from services.activity.needs import Needs
from services.activity.request_names import Declined
from services.activity.store_contacts import Contact
from services.activity.workspace import Workspace
from shared.contracts import activity_requests as asked
from shared.contracts.activity_answers import ContactAccepted
from shared.contracts.activity_contacts import Erasure
from shared.contracts.activity_requests_contacts import (
    ContactCreate,
    ContactEdit,
    ContactErase,
    ContactMerge,
    OnContact,
)
from shared.contracts.envelope import Envelope
from shared.organisation import Organisation, Unknown

Asked = ContactCreate | ContactEdit | ContactMerge | ContactErase


def gather(organisation: str, request: asked.Request, needs: Needs) -> None:
    """What has to be read to carry out a request about a contact."""
    if isinstance(request, OnContact):
        needs.contacts.add((organisation, request.contact))
    if isinstance(request, ContactMerge):
        needs.contacts.add((organisation, request.into))
        needs.merged.add((organisation, request.contact))
    if isinstance(request, ContactErase):
        needs.erased.add((organisation, request.contact))
    if isinstance(request, ContactCreate | ContactEdit) and request.address:
        needs.addresses.add((organisation, request.address.lower()))


def carry_out(
    workspace: Workspace, cause: Envelope, organisation: Organisation, request: Asked
) -> ContactAccepted:
    """Do what is asked of a contact. Raises `Declined`, with nothing done."""
    match request:
        case ContactCreate():
            contact = _created(workspace, cause, organisation, request)
            workspace.people.add(contact)
            workspace.people.tell(cause, contact)
        case ContactEdit():
            contact = _edited(workspace, organisation, request)
            contact = workspace.people.change(cause, contact)
        case ContactMerge():
            contact = found(workspace, organisation, request)
            into = found(workspace, organisation, request, request.into)
            contact = work_people.merge(workspace, cause, organisation, request, contact, into)
        case ContactErase():
            contact = found(workspace, organisation, request)
            if contact.erased_at:
                return announce_contacts.accepted(cause, contact, Erasure())
            contact, erased = work_people.erase(workspace, cause, organisation, request, contact)
            return announce_contacts.accepted(cause, contact, erased)
        case _:
            assert_never(request)
    return announce_contacts.accepted(cause, contact)


def _created(
    workspace: Workspace, cause: Envelope, organisation: Organisation, request: ContactCreate
) -> Contact:
    address = request.address.lower()
    _require_company(organisation, request.company)
    permit(organisation, request, request.company)
    company = _company(organisation, address, request.company)
    _free(workspace, organisation, address)
    first, last = request.first_name or "", request.last_name or ""
    if not first and not last:
        first, last = names_from_address(address)
    return Contact(
        organisation=organisation.name,
        id=announce.effect_id(cause, f"contact/{address}"),
        address=address,
        first_name=first,
        last_name=last,
        company=company,
        language=request.language,
        # What another system makes is looked at by nobody until somebody edits it (CT-16).
        auto_created=request.actor.kind is not asked.ActorKind.USER,
        test=request.test or organisation.rules.test_mode,
        extra_tag=request.extra_tag,
    )


def _edited(workspace: Workspace, organisation: Organisation, request: ContactEdit) -> Contact:
    known = found(workspace, organisation, request)
    address = request.address.lower() if request.address else known.address
    if address != known.address:
        _free(workspace, organisation, address)
    company = None if request.global_contact else request.company or known.company
    if (company, address) != (known.company, known.address):
        _require_company(organisation, company)
        permit(organisation, request, company)
        company = _company(organisation, address, company)
    return replace(
        known,
        address=address,
        first_name=known.first_name if request.first_name is None else request.first_name,
        last_name=known.last_name if request.last_name is None else request.last_name,
        company=company,
        language=request.language or known.language,
        extra_tag=_extra_tag(known, request),
        test=known.test if request.test is None else request.test,
        # Whoever edits it has looked at it (CT-16); another program has not.
        auto_created=known.auto_created and request.actor.kind is not asked.ActorKind.USER,
    )


def found(
    workspace: Workspace, organisation: Organisation, request: OnContact, other: UUID | None = None
) -> Contact:
    """The contact that a request is about, or another that it names.

    Raises `Declined` for one that is gone, or was changed since. Who was erased is found to be erased again.
    """
    named = other or request.contact
    contact = workspace.people.known.get((organisation.name, named))
    if contact is None or (contact.erased_at and not isinstance(request, ContactErase)):
        raise Declined("not_found", f"There is no contact {named}.")
    permit(organisation, request, company_of(organisation, workspace.people[organisation.name, named]))
    if contact.merged_into:
        detail = f"{named} is one with {contact.merged_into} now."
        raise Declined("conflict", detail, contact=contact.merged_into)
    if contact.erased_at:
        return contact
    if other is None and request.expected_version not in (None, contact.version):
        detail = f"It is at version {contact.version} now, and you have seen {request.expected_version}."
        raise Declined("conflict", detail, contact=contact.id)
    return contact


def permit(organisation: Organisation, request: asked.Request, company: str | None) -> None:
    """Raises `Declined` (forbidden) where the actor has no process that the contact is for."""
    if not permitted(organisation, request, company):
        whose = "everybody's contacts" if company is None else f"contacts of {company!r}"
        raise Declined("forbidden", f"{request.actor.id} may not do this to {whose}.")


def _extra_tag(known: Contact, request: ContactEdit) -> str | None:
    if request.extra_tag is None:
        return known.extra_tag
    return None if request.extra_tag == "none" else request.extra_tag


def _free(workspace: Workspace, organisation: Organisation, address: str) -> None:
    """An address belongs to one contact (CT-15)."""
    holder = workspace.people.by_address(organisation.name, address)
    if holder:
        raise Declined("address_in_use", "Another contact has this address (CT-15).", contact=holder.id)


def _require_company(organisation: Organisation, company: str | None) -> None:
    if company is not None:
        try:
            organisation.company(company)
        except Unknown:
            raise Declined("unknown_name", f"There is no company {company!r}.", "company") from None


def _company(organisation: Organisation, address: str, company: str | None) -> str | None:
    """The company that a contact is to be local to, None for everybody's (CT-10). Raises `Declined`."""
    agents = company_of_agent(organisation, address)
    if agents is not None and agents != company:
        detail = "It is the address of a user, who is always a contact of his own company (CT-10)."
        raise Declined("agent_of_another_company", detail, "company")
    if company is None and organisation.rules.contact_scope == "local":
        raise Declined("incomplete", "Contacts belong to a company here: say to which (CT-10).", "company")
    return company
