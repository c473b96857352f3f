"""Catching activity up after its database was put back: what it said is what it did.

Events replay to every activity's state, with ids, references and history. Mails, their places and texts come
from what was read and asked meanwhile. What led to anything published is not decided about again: consumers
begin behind it (docs/decisions/0011).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.activity import (
    agenda,
    bringing_back,
    bringing_back_halves,
    bringing_back_mails,
    bringing_back_states,
    store_erasing,
    store_history,
)
from services.activity.known_past import Event, Lost
from services.activity.known_past import Past as PastOfActivity
from services.activity.order_of_events import in_order
from services.activity.past_workspace import PastWorkspace
from shared import organisation, organisation_copy, outbox
from shared.contracts import activity_activities as events
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import OrganisationApplied
from shared.contracts.ingest_mails import MailReceived
from shared.contracts.ingest_requests import MailReinject, MailSetAside
from shared.contracts.notify_mails import OutgoingMail
from shared.contracts.notify_requests import MailCompose
from shared.contracts.record import Record
from shared.decoding import Incoming
from shared.offsets import Place
from shared.recovery import Past, RecoveryRefused, Said
from shared.topics import (
    ACTIVITY_ACTIVITIES,
    ACTIVITY_ANSWERS,
    ACTIVITY_CALLS,
    ACTIVITY_CONTACTS,
    ACTIVITY_ORGANISATION,
    ACTIVITY_REQUESTS,
    INGEST_MAILS,
    INGEST_REQUESTS,
    NOTIFY_MAILS,
    NOTIFY_REQUESTS,
    Topic,
)

_READS = (
    (INGEST_MAILS, "activity.mails"),
    (NOTIFY_MAILS, "activity.deliveries"),
    (ACTIVITY_REQUESTS, "activity.requests"),
)


async def recover(past: Past) -> Sequence[str]:
    """Bring back what was said. Raises `RecoveryRefused`."""
    sections = _said(past, ACTIVITY_ORGANISATION)
    await organisation_copy.store(
        past.connection, [(each.envelope.organisation, each.message) for each in sections]
    )
    found = PastOfActivity(
        happened=await _unknown_events(past),
        composed=_said(past, NOTIFY_REQUESTS, MailCompose),
        answers=_said(past, ACTIVITY_ANSWERS),
        set_aside=_said(past, INGEST_REQUESTS, MailSetAside),
        contacts=_said(past, ACTIVITY_CONTACTS),
        erased=[
            each.envelope
            for each in past.said
            if each.topic is ACTIVITY_CONTACTS and each.envelope and each.message is None
        ],
        reinjected=_said(past, INGEST_REQUESTS, MailReinject),
        calls=_said(past, ACTIVITY_CALLS),
    )
    await _pass_over(past, found)
    names = {each.envelope.organisation for each in past.said if each.envelope}
    known = [await organisation.load(past.connection, name) for name in sorted(names)]
    await _settle_agenda(past, sections)
    workspace = PastWorkspace(datetime.now(UTC), {each.name: each for each in known if each})
    await workspace.load(past.connection, bringing_back.needs_of(found))
    lost = Lost()
    bringing_back_states.states(workspace, found, lost)
    bringing_back_mails.outcomes(workspace, found)
    bringing_back.answers(workspace, found)
    bringing_back.erased(workspace, found)
    bringing_back.contacts(workspace, found)
    bringing_back.people(workspace, found, lost)
    bringing_back_halves.finish(workspace, found, lost)
    workspace.said += bringing_back_mails.departures(workspace, found)
    await outbox.add(past.connection, [outbox.row(each, past.prefix) for each in workspace.said])
    await workspace.save(past.connection)
    await store_erasing.erase_again(past.connection, workspace.gone)
    opened = sum(isinstance(each.message, events.ActivityOpened) for each, _ in found.happened)
    return [f"{len(found.happened)} events are back in the history, {opened} activities with them", *lost]


async def _settle_agenda(past: Past, sections: Sequence[Incoming[Any]]) -> None:
    """Schedules that were applied since come when they would have; their Cases are known by their ids."""
    applied = {
        each.envelope.organisation: each.envelope.time
        for each in sections
        if isinstance(each.message, OrganisationApplied)
    }
    for name, since in sorted(applied.items()):
        if found := await organisation.load(past.connection, name):
            await agenda.settle(past.connection, found, since)


def _said(past: Past, topic: Topic, kind: type[Record] = Record) -> list[Incoming[Any]]:
    return [each.incoming for each in past.said if each.topic is topic and isinstance(each.message, kind)]


async def _unknown_events(past: Past) -> list[Event]:
    """The events that the history lacks, in an order in which they can have happened.

    Raises `RecoveryRefused` where the history has another event: somebody worked on the schema meanwhile.
    """
    said = [each for each in past.said if each.topic is ACTIVITY_ACTIVITIES and each.message is not None]
    names = [_name(each) for each in said]
    known = await store_history.events(past.connection, names)
    unknown: dict[tuple[str, UUID, int], Event] = {}
    for name, each in zip(names, said, strict=True):
        record, version, there = each.incoming.message, name[2], known.get(name)
        if there is None:
            unknown[name] = each.incoming, each.value
        elif type(record).model_validate(there) != record:
            raise RecoveryRefused(
                f"Version {version} of {record.reference} is another one than was published: activity "
                "has worked since it was put back. Restore it again, and recover it before it starts."
            )
    return in_order(unknown.values())


def _name(said: Said) -> tuple[str, UUID, int]:
    incoming = said.incoming
    return incoming.envelope.organisation, incoming.message.activity, incoming.message.version


async def _pass_over(past: Past, found: PastOfActivity) -> None:
    """Move consumers behind the last record that led to something published, and keep what they pass over.

    A partition is worked on and announced in order: all that stands before that record was worked on, too.
    """
    causes = {(each.envelope.organisation, each.envelope.causationid) for each in past.said if each.envelope}
    for topic, consumer in _READS:
        waiting = await past.waiting(topic, consumer)
        last: dict[Place, int] = {}
        for each in waiting:
            if each.envelope and (each.envelope.organisation, each.envelope.id) in causes:
                last[each.place] = max(each.offset, last.get(each.place, 0))
        done = [each for each in waiting if each.offset <= last.get(each.place, -1)]
        await past.pass_over(consumer, done)
        for each in done:
            match each.message:
                case MailReceived():
                    found.mails.append(each.incoming)
                case OutgoingMail():
                    found.reports.append(each.incoming)
                case asked.Request():
                    incoming = each.incoming
                    found.requests.setdefault(
                        (incoming.envelope.organisation, incoming.envelope.id), incoming
                    )
