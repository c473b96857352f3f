"""What is done to a person as a whole: two contacts become one (CT-20), or nothing is left (CT-21).

Both reach every activity that the person is on, so no other work of the organisation goes on meanwhile, and
a request has a batch's workspace to itself (`work.py`).
"""

from services.activity import announce
from services.activity.contact_scope import companies_over, company_of, company_of_agent
from services.activity.domain.activity import Activity
from services.activity.domain.contact_steps import EraseContact, ExchangeContact
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import Status
from services.activity.domain.steps import Step
from services.activity.domain.vocabulary import Actor, ActorKind
from services.activity.permissions import role_for
from services.activity.request_names import Declined
from services.activity.store_contacts import Contact
from services.activity.store_erasing import Traces
from services.activity.taking_steps import step_of, take
from services.activity.workspace import Workspace
from shared.contracts import activity_contacts
from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests_contacts import ContactErase, ContactMerge
from shared.contracts.envelope import Envelope
from shared.organisation import Organisation
from shared.permissions import rights_of

WHOLE = (ContactMerge, ContactErase)
"""The requests that are worked on alone."""
_SHOWN = 10


def merge(
    workspace: Workspace,
    cause: Envelope,
    organisation: Organisation,
    request: ContactMerge,
    contact: Contact,
    into: Contact,
) -> Contact:
    """Let a contact be another one; returns that. Raises `Declined`."""
    if contact.id == into.id:
        raise Declined("merged_with_itself", "A contact is not merged with itself.", "into")
    _require_reach(organisation, contact, into)
    for activity in list(workspace.activities.values()):
        tagged = any(each.contact == contact.id for each in activity.contacts)
        if tagged and activity.status is not Status.CLOSED:
            _take(workspace, cause, activity, ExchangeContact(contact.id, into.id), request)
    workspace.people.merge(cause, contact, into)
    return into


def _require_reach(organisation: Organisation, contact: Contact, into: Contact) -> None:
    """Who takes a contact's place may stand wherever it stood (CT-10). Raises `Declined`."""
    theirs, company = company_of(organisation, contact), company_of(organisation, into)
    if company is not None and (theirs is None or company not in companies_over(organisation, theirs)):
        whose = "everybody's" if theirs is None else f"one of {theirs!r}"
        detail = f"It is {whose}, and would become one of {company!r}, who may not stand everywhere (CT-10)."
        raise Declined("contact_of_another_company", detail, "into")
    agents = {company_of_agent(organisation, each.address) for each in (contact, into)} - {None}
    if agents and agents != {theirs, company}:
        detail = "One of them is a user, who is always a contact of his own company (CT-10)."
        raise Declined("agent_of_another_company", detail, "into")


def erase(
    workspace: Workspace,
    cause: Envelope,
    organisation: Organisation,
    request: ContactErase,
    contact: Contact,
) -> tuple[Contact, activity_contacts.Erasure]:
    """Let nothing be left of a person, and say how much that was. Raises `Declined`."""
    found = workspace.traces[organisation.name, contact.id]
    _require_lead(organisation, request, found)
    if any(organisation.mailbox_of(address) for address in found.person.addresses):
        detail = "It has the address of one of our mailboxes, and is no person."
        raise Declined("contact_is_a_mailbox", detail)
    theirs, contacts = set(found.theirs), frozenset(found.person.contacts)
    changing = [workspace.activities[key] for key in found.open]
    waiting = [str(each.reference) for each in changing if each.id in theirs]
    if waiting and not request.open_tickets:
        shown = ", ".join(waiting[:_SHOWN]) + ("…" if len(waiting) > _SHOWN else "")
        detail = f"They have Tickets that are open: {shown}. Close them, or say that they go on without."
        raise Declined("tickets_open", detail, "open_tickets")
    for activity in changing:
        _take(workspace, cause, activity, EraseContact(contacts, activity.id in theirs), request)
    for mail in found.mails:
        forget = announce.mail_forget(cause, mail.id, mail.conversation, incoming=mail.incoming, erase=True)
        workspace.said.append(forget)
    workspace.erase(found)
    # The last that is said of it: who reads this knows that all else was said (recover.py).
    erased = workspace.people.erase(cause, contact, workspace.now, request.actor.id, request.reason)
    tags = sum(each.contact in contacts for activity in changing for each in activity.contacts)
    return erased, activity_contacts.Erasure(
        mails=len(found.mails), tickets=len(theirs), notes=found.notes, tags=tags, addresses=found.places
    )


def _require_lead(organisation: Organisation, request: ContactErase, found: Traces) -> None:
    """Who erases may do so wherever the person is known. Raises `Declined`; nobody learns where that is."""
    if request.actor.kind in (asked.ActorKind.USER, asked.ActorKind.ROBOT):
        rights, role = rights_of(organisation, request.actor.id), role_for(type(request))
        processes = {each.name for each in organisation.processes}
        wanted = {each.process for each in found.activities} & processes
        if not all(rights.has(role, process) for process in wanted):
            detail = f"The person is known in processes that {request.actor.id} may not {role.verb}."
            raise Declined("forbidden", detail)


def _take(
    workspace: Workspace, cause: Envelope, activity: Activity, step: Step, request: asked.Request
) -> None:
    actor = Actor(ActorKind(request.actor.kind.value), request.actor.id)
    after = take(workspace, cause, activity, step_of(activity, step, cause, actor))
    if isinstance(after, Refusal):
        raise ValueError(f"an open activity refused what became of a contact: {after}")
