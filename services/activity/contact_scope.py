"""Whose a contact is, and on whose activities it may stand (CT-9 to CT-12)."""

from functools import lru_cache

from services.activity import permissions
from services.activity.domain.contacts import KnownContact
from services.activity.store_contact_views import Reach
from services.activity.store_contacts import Contact
from shared.contracts.activity_requests import ActorKind, Request
from shared.organisation import Organisation, Unknown
from shared.permissions import Role, rights_of


@lru_cache(maxsize=1024)
def companies_over(organisation: Organisation, company: str) -> frozenset[str]:
    """A company and those above it: their contacts may stand on its activities, not the reverse (CT-10)."""
    found: set[str] = set()
    name: str | None = company
    while name is not None and name not in found:
        found.add(name)
        try:
            name = organisation.company(name).parent
        except Unknown:
            name = None
    return frozenset(found)


def company_of(organisation: Organisation, contact: Contact) -> str | None:
    """The company that a contact is local to, None for everybody's; an agent is always his own's (CT-10)."""
    return company_of_agent(organisation, contact.address) or contact.company


def company_of_agent(organisation: Organisation, address: str) -> str | None:
    """The company of the user who has an address, in lower case; None for who is no user of a company."""
    return _companies_of_agents(organisation).get(address)


def company_of_new(organisation: Organisation, address: str, company: str) -> str | None:
    """The company of a contact that is made on the way, for an activity of `company` (CT-10, CT-12)."""
    local = company if organisation.rules.contact_scope == "local" else None
    return company_of_agent(organisation, address) or local


def may_be_on(organisation: Organisation, contact: Contact, company: str) -> bool:
    """Whether a contact can be put on activities of a company."""
    known = KnownContact(contact.id, company_of(organisation, contact))
    return known.may_be_on(companies_over(organisation, company))


@lru_cache(maxsize=4096)
def companies_reached(organisation: Organisation, user: str, role: Role) -> frozenset[str] | None:
    """The companies whose contacts may stand on activities of processes in which the user is at least this.

    None for who has no such process: he reaches not even everybody's contacts.
    """
    processes = rights_of(organisation, user).processes(role)
    known = [each for each in organisation.processes if each.name in processes]
    if not known:
        return None
    return frozenset().union(*(companies_over(organisation, each.company) for each in known))


def reaches(organisation: Organisation, user: str, role: Role, company: str | None) -> bool:
    """Whether a contact of a company, or everybody's, is within a user's reach."""
    companies = companies_reached(organisation, user, role)
    return companies is not None and (company is None or company in companies)


@lru_cache(maxsize=4096)
def reach_of(organisation: Organisation, user: str, company: str | None) -> Reach:
    """The contacts that a user may see (CT-9), of one company and those above it where one is given."""
    companies = companies_reached(organisation, user, Role.READER) or frozenset()
    if company is not None:
        companies &= companies_over(organisation, company)
    agents = _companies_of_agents(organisation)
    within = frozenset(address for address, of in agents.items() if of in companies)
    return Reach(companies, within, frozenset(agents) - within)


def permitted(organisation: Organisation, request: Request, company: str | None) -> bool:
    """Whether the actor of a request may ask for it on a contact of this company."""
    if request.actor.kind not in (ActorKind.USER, ActorKind.ROBOT):
        return True
    return reaches(organisation, request.actor.id, permissions.role_for(type(request)), company)


@lru_cache(maxsize=64)
def _companies_of_agents(organisation: Organisation) -> dict[str, str]:
    return {
        user.address.lower(): user.company for user in organisation.users if user.address and user.company
    }
