"""What a recovered activity's workspace gets back: states, answers, people, mails (see `recover.py`).

All of it was decided once. Nothing is decided again here, and what nobody knows any more is counted.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from services.activity.asked_steps import also_named
from services.activity.known_past import Lost, Past
from services.activity.needs import Needs
from services.activity.past_workspace import PastWorkspace
from services.activity.store_contacts import Contact
from services.activity.store_requests import Answered
from services.activity.work_requests import digest_of
from shared.contracts import activity_activities as events
from shared.contracts import activity_requests as asked
from shared.contracts.activity_answers import RequestAccepted, RequestRefused
from shared.contracts.activity_contacts import ContactMerged
from shared.contracts.activity_requests_contacts import ContactCreate, ContactErase
from shared.contracts.envelope import Envelope
from shared.decoding import Incoming
from shared.postgres import Json


def needs_of(past: Past) -> Needs:
    """What the workspace has to read."""
    needs = Needs()
    for each, _ in past.happened:
        organisation, record = each.envelope.organisation, each.message
        needs.activities.add((organisation, record.activity))
        match record:
            case events.ActivityMailContinued() | events.ActivityMailCopied():
                needs.activities.add((organisation, record.from_activity))
                needs.arrived.add((organisation, record.mail))
            case events.ActivityMailShared():
                needs.activities.add((organisation, record.with_activity))
                needs.arrived.add((organisation, record.mail))
            case events.ActivityMailAppended() | events.ActivityDepartureMarked():
                needs.arrived.add((organisation, record.mail))
            case events.ActivityOpened(parent=events.OtherActivity() as other):
                needs.activities.add((organisation, other.activity))
            case events.TicketMerged(into=other) | events.ActivityTookOver(source=other):
                needs.activities.add((organisation, other.activity))
            case events.ActivityMailRequested():
                needs.mails.add((organisation, record.mail))
    for arrived in past.mails:
        needs.arrived.add((arrived.envelope.organisation, arrived.message.mail))
    for (organisation, _), request in past.requests.items():
        if isinstance(request.message, asked.ActivityOpen) and request.message.linked_to:
            needs.references.add((organisation, request.message.linked_to))
        needs.references |= {(organisation, each) for each in also_named(request.message)}
    outgoing: list[Incoming[Any]] = [*past.composed, *past.reports]
    for about in outgoing:
        needs.activities.add((about.envelope.organisation, about.message.activity))
        needs.mails.add((about.envelope.organisation, about.message.mail))
    needs.contacts |= {(each.envelope.organisation, each.message.contact) for each in past.contacts}
    needs.contacts |= {(each.organisation, UUID(each.subject)) for each in past.erased if each.subject}
    needs.requests |= {_request(each) for each in past.answers}
    needs.addresses |= {(each.envelope.organisation, address) for each, address in _addresses(past)}
    return needs


def answers(workspace: PastWorkspace, past: Past) -> None:
    """What was answered is answered again; what HTTP asked for is in no topic: any repeat counts as it."""
    for each in past.answers:
        key = _request(each)
        request = past.requests.get((key[0], key[2]))
        digest = digest_of(request.message) if request else ""
        answer = Json.of(each.message)
        workspace.answers.setdefault(key, Answered(key, each.envelope.time, digest, answer))


def erased(workspace: PastWorkspace, past: Past) -> None:
    """Who was erased does not come back, and leaves their addresses to whoever came after them."""
    versions = {
        (each.envelope.organisation, each.message.contact): each.message.version for each in past.contacts
    }
    for each in past.erased:
        request = past.requests.get((each.organisation, each.causationid or ""))
        asked_for = request.message if request and isinstance(request.message, ContactErase) else None
        workspace.erase_again(each, asked_for, versions.get((each.organisation, UUID(each.subject)), 1))
    for said in past.contacts:
        if (said.envelope.organisation, said.message.contact) in workspace.gone:
            workspace.went_by(said.envelope.organisation, said.message.contact, said.message.address)


def contacts(workspace: PastWorkspace, past: Past) -> None:
    """Contacts stand as was last said of them, also those that were made or edited over HTTP."""
    for each in past.contacts:
        said = each.message
        if (each.envelope.organisation, said.contact) in workspace.gone:
            continue
        fields = said.model_dump(exclude={"type", "contact", "at", "into"})
        into = said.into if isinstance(said, ContactMerged) else None
        workspace.people.again(
            Contact(organisation=each.envelope.organisation, id=said.contact, merged_into=into, **fields)
        )


def people(workspace: PastWorkspace, past: Past, lost: Lost) -> None:
    """The contacts that were made meanwhile: a contact's id follows from its cause and address."""
    wanted = {each.contact for activity in workspace.activities.values() for each in activity.contacts}
    wanted |= {id_ for _, id_ in workspace.gone}
    for arrived in past.mails:
        if arrived.message.sender:
            workspace.meet(
                arrived.envelope, arrived.message.sender.address, arrived.message.sender.name, wanted
            )
    causes = {_request(each): _cause(each) for each in past.answers}
    for key, cause in causes.items():
        request = past.requests.get((key[0], key[2]))
        if request is not None:
            for person in _named(request.message):
                by_user = request.message.actor.kind is asked.ActorKind.USER
                workspace.meet(cause, person.address, person.name, wanted, auto_created=not by_user)
    # Who was named over HTTP is known by the mails that went out to them, if any did.
    for composed in past.composed:
        organisation = composed.envelope.organisation
        activity = workspace.activities[organisation, composed.message.activity]
        strangers = {
            each.contact
            for each in activity.contacts
            if (organisation, each.contact) not in workspace.people.known
        } | workspace.unknown_erased(organisation)
        for mailbox in (*composed.message.to, *composed.message.cc) if strangers else ():
            for cause in causes.values():
                workspace.meet(cause, mailbox.address, mailbox.name, strangers, auto_created=False)
    lost.contacts += workspace.forget_strangers()


def _addresses(past: Past) -> Iterator[tuple[Incoming[Any], str]]:
    for arrived in past.mails:
        if arrived.message.sender:
            yield arrived, arrived.message.sender.address.lower()
    for request in past.requests.values():
        for person in _named(request.message):
            yield request, person.address.lower()
    for composed in past.composed:
        for mailbox in (*composed.message.to, *composed.message.cc):
            yield composed, mailbox.address.lower()


def _named(request: asked.Request) -> Sequence[asked.Person]:
    if isinstance(request, ContactCreate):
        return [asked.Person(address=request.address)]
    if not isinstance(request, asked.ActivityOpen | asked.ActivityEdit):
        return ()
    return [person for person in (request.primary_contact, request.requester) if person]


def _request(answer: Incoming[RequestAccepted | RequestRefused]) -> tuple[str, str, str]:
    return answer.envelope.organisation, answer.message.request.source, answer.message.request.id


def _cause(answer: Incoming[RequestAccepted | RequestRefused]) -> Envelope:
    """Of the request's envelope what ids follow from; an answer bears the request's time."""
    asked_by = answer.message.request
    return answer.envelope.model_copy(update={"id": asked_by.id, "source": asked_by.source})
