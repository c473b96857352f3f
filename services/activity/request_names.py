"""What a request names, found or made: its contacts, and what it gives for custom fields."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from services.activity import announce, permissions
from services.activity.contact_scope import company_of_new, may_be_on
from services.activity.domain.contacts import Tagged, holders_of
from services.activity.domain.person_names import names_from_address, names_from_display_name
from services.activity.domain.vocabulary import Actor, ActorKind, Tag
from services.activity.permissions import NotPermitted
from services.activity.rules import process_rules
from services.activity.store_contacts import Contact
from services.activity.workspace import Workspace
from shared import field_values
from shared.contracts import activity_requests as asked
from shared.contracts.activity_answers import FieldError
from shared.contracts.activity_organisation import Process
from shared.field_values import FieldFault
from shared.organisation import Organisation, Unknown
from shared.permissions import Role
from shared.unit_of_work import Incoming


class Declined(Exception):
    """The request cannot be put to the rules: what it names is not there. `contact` is who is in its way."""

    def __init__(
        self,
        code: str,
        detail: str,
        *missing: str,
        faults: Iterable[FieldFault] = (),
        contact: UUID | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.missing = missing
        self.contact = contact
        self.fields = tuple(
            FieldError(field=each.field, field_type=each.type, detail=each.wrong) for each in faults
        )


def permit(organisation: Organisation, request: asked.Request, process: str) -> None:
    """Raises `Declined` (forbidden) where the actor is a user or robot who may not ask for it in the process.

    A request that names several activities asks for each of their processes.
    """
    try:
        permissions.require_for(organisation, request.actor, type(request), process)
    except permissions.NotPermitted as refused:
        raise Declined("forbidden", str(refused), *refused.missing) from None


def actor_of(request: asked.Request) -> Actor:
    """Who asks, as the rules know him."""
    return Actor(ActorKind(request.actor.kind.value), request.actor.id)


@dataclass(slots=True)
class Tags:
    """The contacts that a request names, with their tags; `made` are those that did not exist before.

    `taken` are the tags that it takes away, `extra` the default tags of those concerned (CT-17).
    """

    given: list[Tagged] = field(default_factory=list)
    made: list[Contact] = field(default_factory=list)
    taken: tuple[Tagged, ...] = ()
    extra: tuple[Tagged, ...] = ()


class Person(NamedTuple):
    """Somebody whom a request names."""

    tag: Tag
    person: asked.Person


def people(request: asked.Request) -> list[Person]:
    """The people that a request gives tags to, in the order of the tags' weight (CT-2)."""
    if not isinstance(request, asked.ActivityOpen | asked.ActivityEdit):
        return []
    named = (
        (Tag.PRIMARY_CONTACT, request.primary_contact),
        (Tag.REQUESTER, request.requester),
        (Tag.ORIGINAL_REQUESTER, request.original_requester),
        (Tag.SUBJECT, request.subject),
        *((Tag.CC, person) for person in request.cc),
    )
    return [Person(tag, person) for tag, person in named if person]


def addresses(request: asked.Request) -> set[str]:
    """All addresses of people that a request names, in lower case."""
    found = {person.address.lower() for _, person in people(request)}
    if isinstance(request, asked.ActivityEdit):
        found |= {each.address.lower() for each in request.untag if each.address}
    return found


def tag_people(
    workspace: Workspace,
    incoming: Incoming[asked.Request],
    organisation: Organisation,
    process: Process,
    tags: Tags,
    contacts: frozenset[Tagged] = frozenset(),
) -> None:
    """Find the contacts that the request names, or make them (CT-12, CT-15); `contacts` are there already.

    Raises `Declined` for somebody who belongs to another company (CT-10).
    """
    request = incoming.message
    for tag, person in people(request):
        contact = workspace.people.by_address(organisation.name, person.address.lower())
        if contact is None:
            contact = _met(incoming, organisation, process, person)
            workspace.people.add(contact)
            tags.made.append(contact)
        if not may_be_on(organisation, contact, process.company):
            detail = f"The {tag.value.replace('_', ' ')} is a contact of another company (CT-10)."
            raise Declined("contact_of_another_company", detail, tag.value)
        tags.given.append(Tagged(tag, contact.id))
    if isinstance(request, asked.ActivityEdit):
        tags.taken = tuple(_taken_away(workspace, organisation, request, contacts))
    concerned = {each.contact for each in (*tags.given, *contacts)}
    tags.extra = workspace.people.default_tags(organisation.name, concerned)


def _met(
    incoming: Incoming[asked.Request], organisation: Organisation, process: Process, person: asked.Person
) -> Contact:
    """A contact for somebody who was named (CT-13), or whose address was typed (CT-14)."""
    address, name = person.address.lower(), person.name.strip()
    first, last = names_from_display_name(name) if name else names_from_address(address)
    return Contact(
        organisation=organisation.name,
        id=announce.effect_id(incoming.envelope, f"contact/{address}"),
        address=address,
        first_name=first or name * (not last),
        last_name=last,
        company=company_of_new(organisation, address, process.company),
        auto_created=incoming.message.actor.kind is not asked.ActorKind.USER,
        test=organisation.is_in_test(process.name),
    )


def _taken_away(
    workspace: Workspace, organisation: Organisation, request: asked.ActivityEdit, contacts: frozenset[Tagged]
) -> Iterable[Tagged]:
    """The tags that a request takes away (AMB-19). Raises `Declined` where nobody named holds one."""
    for untag in request.untag:
        tag = Tag(untag.tag)
        if tag is Tag.CC and "address" not in untag.model_fields_set:
            detail = "Say who is no longer in copy: the address null takes everybody out."
            raise Declined("incomplete", detail, "untag.address")
        holders = set(holders_of(contacts, tag))
        if untag.address:
            named = workspace.people.by_address(organisation.name, untag.address.lower())
            holders &= {named.id} if named else set()
        if not holders:
            detail = f"There is no such {tag.value.replace('_', ' ')} on {request.reference}."
            raise Declined("tag_not_held", detail, tag.value)
        yield from (Tagged(tag, holder) for holder in sorted(holders))


def given_fields(
    organisation: Organisation, process: str, given: Mapping[str, field_values.Given]
) -> tuple[field_values.FieldValue, ...]:
    """The values of custom fields that a request gives. Raises `Declined` with every fault (BK-14)."""
    if not given:
        return ()
    values, faults = field_values.read(process_rules(organisation, process, None).fields, given)
    if faults:
        sentences = " ".join(fault.sentence for fault in faults)
        names = (f"fields.{each.field}" for each in faults)
        raise Declined("invalid_fields", sentences, *names, faults=faults)
    return values


def assignable(organisation: Organisation, name: str, process: str) -> None:
    """Work goes only to people who may work on its process (ST-20)."""
    try:
        permissions.found_user(organisation, name)
        permissions.require(organisation, name, Role.WORKER, process)
    except Unknown:
        raise Declined("unknown_name", f"There is no user {name!r}.") from None
    except NotPermitted as refused:
        raise Declined("assignee_without_permission", str(refused), process) from None
