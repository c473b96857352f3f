"""What a recovered activity's workspace gets back: states, answers, people, mails (see `recover.py`).

All of it was decided once. Nothing is decided again here, and what nobody knows any more is counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.activity.domain import custom_fields
from services.activity.needs import Needs
from services.activity.past_events import Texts
from services.activity.past_workspace import PastWorkspace
from services.activity.rules import process_rules
from services.activity.store_requests import Answered
from services.activity.work_requests import digest_of
from shared.contracts import activity_activities as events
from shared.contracts import activity_requests as asked
from shared.contracts.activity_answers import RequestAccepted, RequestRefused
from shared.contracts.envelope import Envelope
from shared.contracts.ingest_mails import MailReceived
from shared.contracts.ingest_requests import MailSetAside
from shared.contracts.notify_mails import OutgoingMail
from shared.contracts.notify_requests import MailCompose
from shared.decoding import Incoming


@dataclass(slots=True)
class Past:
    """What happened and was said, oldest first, and what was read meanwhile and led to it.

    Events come with their bytes as they were published. `requests` go by organisation and id.
    """

    happened: list[tuple[Incoming[events.ActivityRecord], bytes]] = field(default_factory=list)
    composed: list[Incoming[MailCompose]] = field(default_factory=list)
    answers: list[Incoming[RequestAccepted | RequestRefused]] = field(default_factory=list)
    set_aside: list[Incoming[MailSetAside]] = field(default_factory=list)
    mails: list[Incoming[MailReceived]] = field(default_factory=list)
    reports: list[Incoming[OutgoingMail]] = field(default_factory=list)
    requests: dict[tuple[str, str], Incoming[asked.Request]] = field(default_factory=dict)


@dataclass(slots=True)
class Lost:
    """What could not be brought back."""

    contacts: int = 0
    texts: int = 0
    mails: int = 0

    def __iter__(self) -> Iterator[str]:
        for number, what in (
            (self.contacts, "contacts, of whom nobody knows the address any more"),
            (self.texts, "titles, descriptions and notes, whose texts no topic has"),
            (self.mails, "mails, which were never asked of notify: they show as failed"),
        ):
            if number:
                yield f"lost are {number} {what}"


def needs_of(past: Past) -> Needs:
    """What the workspace has to read."""
    needs = Needs()
    for each, _ in past.happened:
        organisation, record = each.envelope.organisation, each.message
        needs.opening.add(organisation)
        needs.activities.add((organisation, record.activity))
        match record:
            case events.TicketMailContinued() | events.TicketMailCopied():
                needs.activities.add((organisation, record.from_activity))
                needs.arrived.add((organisation, record.mail))
            case events.TicketMailShared():
                needs.activities.add((organisation, record.with_activity))
                needs.arrived.add((organisation, record.mail))
            case events.TicketMailAppended():
                needs.arrived.add((organisation, record.mail))
            case events.TicketMailRequested():
                needs.mails.add((organisation, record.mail))
    for arrived in past.mails:
        needs.arrived.add((arrived.envelope.organisation, arrived.message.mail))
    outgoing: list[Incoming[Any]] = [*past.composed, *past.reports]
    for about in outgoing:
        needs.activities.add((about.envelope.organisation, about.message.activity))
        needs.mails.add((about.envelope.organisation, about.message.mail))
    needs.requests |= {_request(each) for each in past.answers}
    needs.addresses |= {(each.envelope.organisation, address) for each, address in _addresses(past)}
    return needs


def states(workspace: PastWorkspace, past: Past, lost: Lost) -> None:
    """Every activity as its events leave it, with the texts that are known."""
    opening = {(each.envelope.organisation, each.message.mail): each.message.content for each in past.mails}
    for each, value in past.happened:
        organisation, record = each.envelope.organisation, each.message
        texts = Texts()
        request = past.requests.get((organisation, each.envelope.causationid or ""))
        if isinstance(record, events.TicketOpened) and record.mail is not None:
            content = opening.get((organisation, record.mail))
            texts = Texts(content.subject.strip(), content.text) if content else texts
        elif request and isinstance(request.message, asked.TicketOpen | asked.TicketEdit):
            texts = _written(workspace, organisation, record, request.message)
        if isinstance(record, events.TicketOpened | events.TicketEdited) and texts == Texts():
            lost.texts += not isinstance(record, events.TicketEdited) or record.fields != ("category",)
        workspace.again(organisation, record, value, texts)
        if isinstance(record, events.TicketNoted):
            if request and isinstance(request.message, asked.TicketNote):
                activity = workspace.activities[organisation, record.activity]
                workspace.note(activity, record.note, request.message.text)
            else:
                lost.texts += 1


def _written(
    workspace: PastWorkspace,
    organisation: str,
    record: events.ActivityRecord,
    request: asked.TicketOpen | asked.TicketEdit,
) -> Texts:
    """What a request wrote on a Ticket; a custom field that its process has no longer is lost."""
    activity = workspace.activities.get((organisation, record.activity))
    process = record.process if isinstance(record, events.TicketOpened) else activity and activity.process
    rules = process_rules(workspace.organisations[organisation], process, None).fields if process else ()
    values, _ = custom_fields.read(rules, request.fields)
    return Texts(request.title, request.description, values)


def answers(workspace: PastWorkspace, past: Past) -> None:
    """What was answered is answered again; what HTTP asked for is in no topic: any repeat counts as it."""
    for each in past.answers:
        key = _request(each)
        request = past.requests.get((key[0], key[2]))
        digest = digest_of(request.message) if request else ""
        workspace.answers.setdefault(
            key, Answered(key, each.envelope.time, digest, each.message.model_dump(mode="json"))
        )


def people(workspace: PastWorkspace, past: Past, lost: Lost) -> None:
    """The contacts that were made meanwhile: a contact's id follows from its cause and address."""
    wanted = {each.contact for activity in workspace.activities.values() for each in activity.contacts}
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
        }
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
    if not isinstance(request, asked.TicketOpen | asked.TicketEdit):
        return ()
    return [person for person in (request.primary_contact, request.requester) if person]


def _request(answer: Incoming[RequestAccepted | RequestRefused]) -> tuple[str, str, str]:
    return answer.envelope.organisation, answer.message.request.source, answer.message.request.id


def _cause(answer: Incoming[RequestAccepted | RequestRefused]) -> Envelope:
    """Of the request's envelope what ids follow from; an answer bears the request's time."""
    asked_by = answer.message.request
    return answer.envelope.model_copy(update={"id": asked_by.id, "source": asked_by.source})
