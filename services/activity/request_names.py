"""What a request names, found or made: its contacts, and what it gives for custom fields."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.activity import announce, permissions
from services.activity.domain import custom_fields
from services.activity.domain.contacts import Tagged, names_from_display_name
from services.activity.domain.custom_fields import FieldFault
from services.activity.domain.vocabulary import Tag
from services.activity.rules import process_rules
from services.activity.store_contacts import Contact
from services.activity.workspace import Workspace
from shared.contracts import activity_requests as asked
from shared.contracts.activity_answers import FieldError
from shared.organisation import Organisation
from shared.unit_of_work import Incoming


class Declined(Exception):
    """The request cannot be put to the rules: what it names is not there."""

    def __init__(self, code: str, detail: str, *missing: str, faults: Iterable[FieldFault] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.missing = missing
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


@dataclass(slots=True)
class Tags:
    """The contacts that a request names, with their tags; `made` are those that did not exist before."""

    given: list[Tagged] = field(default_factory=list)
    made: list[Contact] = field(default_factory=list)


class Person(NamedTuple):
    """Somebody whom a request names."""

    tag: Tag
    person: asked.Person


def people(request: asked.Request) -> list[Person]:
    """The people that a request names, with their tags."""
    if not isinstance(request, asked.TicketOpen | asked.TicketEdit):
        return []
    named = ((Tag.PRIMARY_CONTACT, request.primary_contact), (Tag.REQUESTER, request.requester))
    return [Person(tag, person) for tag, person in named if person]


def tag_people(
    workspace: Workspace,
    incoming: Incoming[asked.Request],
    organisation: Organisation,
    company: str,
    tags: Tags,
) -> None:
    """Find the contacts that the request names, or make them (CT-12, CT-15)."""
    cause = incoming.envelope
    for tag, person in people(incoming.message):
        address = person.address.lower()
        contact = workspace.by_address(cause.organisation, address)
        if contact is None:
            first, last = names_from_display_name(person.name)
            contact = Contact(
                organisation=cause.organisation,
                id=announce.effect_id(cause, f"contact/{address}"),
                address=address,
                first_name=first or person.name.strip() * (not last),
                last_name=last,
                auto_created=incoming.message.actor.kind is not asked.ActorKind.USER,
            )
            workspace.make(contact)
            tags.made.append(contact)
        elif contact.company not in (None, company):
            detail = f"{person.address} is a contact of another company (CT-10)."
            raise Declined("contact_of_another_company", detail, tag.value)
        tags.given.append(Tagged(tag, contact.id))


def given_fields(
    organisation: Organisation, process: str, given: Mapping[str, custom_fields.Given]
) -> tuple[custom_fields.FieldValue, ...]:
    """The values of custom fields that a request gives. Raises `Declined` with every fault (BK-14)."""
    if not given:
        return ()
    values, faults = custom_fields.read(process_rules(organisation, process, None).fields, given)
    if faults:
        sentences = " ".join(fault.sentence for fault in faults)
        names = (f"fields.{each.field}" for each in faults)
        raise Declined("invalid_fields", sentences, *names, faults=faults)
    return values
