"""From records back to what happened: the reverse of `announce.py`, for a schema that has forgotten it.

A record holds all of an event but its texts, which stay out of it (docs/decisions/0004).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.activity.domain import custom_fields
from services.activity.domain.activity import Holders, Timer, Wait
from services.activity.domain.contacts import Tagged
from services.activity.domain.due_dates import first_due
from services.activity.domain.events import (
    ContactTagged,
    Converted,
    DeliveryReported,
    DepartureMarked,
    DueChanged,
    Edited,
    Event,
    FeedbackGiven,
    FileAdded,
    FileEdited,
    FileRemoved,
    HandedAgain,
    HoldersChanged,
    InformationMarked,
    KeepingChanged,
    Linked,
    MailAppended,
    MailContinued,
    MailCopied,
    MailRequested,
    MailShared,
    MarkedForPerson,
    Merged,
    NoteAdded,
    Opened,
    Stamp,
    StatusChanged,
    TookOver,
    Unlinked,
    WasSplit,
)
from services.activity.domain.files import File
from services.activity.domain.links import Departure, DepartureState, Earlier, Link, Other
from services.activity.domain.states import Status, WaitType
from services.activity.domain.vocabulary import (
    Actor,
    ActorKind,
    MatchedBy,
    Method,
    Outcome,
    Purpose,
    Reason,
    Review,
    StartedBy,
    Tag,
)
from services.activity.due_records import due_of
from services.activity.past_cases import EVENTS_OF_CASES, flow_of, task_of
from services.activity.past_cases import other_of as other_of
from shared import references
from shared.contracts import activity_activities as said
from shared.field_values import FieldValue
from shared.references import Reference


@dataclass(frozen=True, slots=True)
class Texts:
    """What was written on an activity; None where nobody knows any more."""

    title: str | None = None
    description: str | None = None
    fields: tuple[FieldValue, ...] = ()

    def of_fields(self, names: Iterable[str]) -> tuple[FieldValue, ...]:
        """What stands in these custom fields; what nobody knows any more is taken away."""
        known = {each.name: each for each in self.fields}
        return tuple(known.get(name, FieldValue(name, None)) for name in names)


def event_of(organisation: str, record: said.ActivityRecord, texts: Texts) -> Event:
    """What happened. Raises `ValueError` for words that this version does not know."""
    by = Actor(ActorKind(record.actor.kind.value), record.actor.id)
    stamp = Stamp(at=record.at, by=by, rule=record.rule)
    if isinstance(record, said.ActivityOpened):
        return _opened(organisation, stamp, record, texts)
    if type(record) in EVENTS_OF_CASES:
        return EVENTS_OF_CASES[type(record)](stamp, record)
    return _EVENTS[type(record)](stamp, record, texts)


def _opened(organisation: str, stamp: Stamp, record: said.ActivityOpened, texts: Texts) -> Opened:
    return Opened(
        stamp=stamp,
        activity=record.activity,
        organisation=organisation,
        family=record.family or record.activity,
        reference=_reference(record.reference),
        process=record.process,
        title=texts.title or "",
        description=texts.description or "",
        category=record.category,
        started_by=StartedBy(record.started_by),
        conversation=record.conversation,
        mailbox=record.mailbox,
        mail=record.mail,
        automated_mail=record.automated_mail,
        status=Status(record.status),
        holders=_holders(record.holders),
        contacts=tuple(Tagged(Tag(each.tag), each.contact) for each in record.contacts),
        due=due_of(record.due) if record.due else first_due(Status(record.status), stamp.at),
        fields=custom_fields.after((), texts.of_fields(record.custom_fields)),
        parent=other_of(record.parent) if record.parent else None,
        started_at=record.started_at,
        flow=flow_of(record.flow) if record.flow else None,
        task=task_of(record.task) if record.task else None,
        bearer=record.bearer,
    )


def _edited(stamp: Stamp, record: said.ActivityEdited, texts: Texts) -> Edited:
    return Edited(
        stamp=stamp,
        title=texts.title if "title" in record.fields else None,
        description=texts.description if "description" in record.fields else None,
        category=record.category,
        fields=texts.of_fields(record.custom_fields),
        due=due_of(record.due) if record.due else None,
    )


def _status_changed(stamp: Stamp, record: said.ActivityStatusChanged, _: Texts) -> StatusChanged:
    wait = timer = None
    if record.wait:
        until = record.until or record.due_at
        wait = Wait(
            WaitType(record.wait), until, record.days, record.close_if_no_response, record.wait_reason
        )
    if record.due_at:
        timer = Timer(record.due_at, record.generation, record.closes)
    return StatusChanged(
        stamp=stamp,
        was=Status(record.was),
        status=Status(record.status),
        reason=Reason(record.reason),
        holders=_holders(record.holders),
        generation=record.generation,
        wait=wait,
        timer=timer,
        method=Method(record.method) if record.method else None,
        written=record.written,
        due=due_of(record.due) if record.due else None,
        resolved_at=record.resolved_at,
    )


def _mail_appended(stamp: Stamp, record: said.ActivityMailAppended, _: Texts) -> MailAppended:
    return MailAppended(
        stamp=stamp,
        mail=record.mail,
        matched_by=MatchedBy(record.matched_by),
        automatic=record.automatic,
        review=frozenset(map(Review, record.review)),
    )


def _mail_continued(stamp: Stamp, record: said.ActivityMailContinued, _: Texts) -> MailContinued:
    return MailContinued(stamp=stamp, earlier=_earlier(record))


def _mail_copied(stamp: Stamp, record: said.ActivityMailCopied, _: Texts) -> MailCopied:
    return MailCopied(stamp=stamp, earlier=_earlier(record))


def _earlier(record: said.ActivityMailContinued | said.ActivityMailCopied) -> Earlier:
    return Earlier(record.mail, record.from_activity, _reference(record.from_reference))


def _contact_tagged(stamp: Stamp, record: said.ActivityContactTagged, _: Texts) -> ContactTagged:
    return ContactTagged(stamp=stamp, tagged=Tagged(Tag(record.tag), record.contact), removed=record.removed)


def _linked(stamp: Stamp, record: said.ActivityLinked, _: Texts) -> Linked:
    link = Link(record.with_activity, _reference(record.with_reference), record.reason)
    return Linked(stamp=stamp, link=link)


def _unlinked(stamp: Stamp, record: said.ActivityUnlinked, _: Texts) -> Unlinked:
    return Unlinked(stamp=stamp, link=_other(record))


def _mail_shared(stamp: Stamp, record: said.ActivityMailShared, _: Texts) -> MailShared:
    return MailShared(stamp=stamp, mail=record.mail, link=_other(record), received=record.received)


def _departure_marked(stamp: Stamp, record: said.ActivityDepartureMarked, _: Texts) -> DepartureMarked:
    reference = _reference(record.with_reference) if record.with_reference else None
    state = DepartureState(record.state)
    departure = Departure(record.mail, state, record.with_activity, reference, record.why, record.asked_on)
    return DepartureMarked(stamp=stamp, departure=departure)


def _file_added(stamp: Stamp, record: said.ActivityFileAdded, _: Texts) -> FileAdded:
    source = None
    if record.from_activity and record.from_reference:
        source = Other(record.from_activity, _reference(record.from_reference))
    return FileAdded(stamp=stamp, file=_file(record), source=source)


def _file(record: said.ActivityFileAdded | said.ActivityFileEdited | said.ActivityFileRemoved) -> File:
    blob = record.blob
    about = (blob.object, blob.sha256, blob.size, blob.media_type, blob.name or "")
    return File(record.file, *about, record.tags)


def _other(record: said.ActivityUnlinked | said.ActivityMailShared) -> Link:
    # Why they are linked was said with the link, and is not looked at again.
    return Link(record.with_activity, _reference(record.with_reference), "")


def _holders(holders: said.Holders) -> Holders:
    return Holders(assignee=holders.assignee, owner=holders.owner, queue=holders.queue)


def _reference(text: str) -> Reference:
    found = references.parse(text)
    if found is None:
        raise ValueError(f"{text!r} is no reference")
    return found


_EVENTS: Mapping[type[said.ActivityRecord], Callable[[Stamp, Any, Texts], Event]] = {
    said.ActivityEdited: _edited,
    said.ActivityStatusChanged: _status_changed,
    said.ActivityHeld: lambda stamp, record, _: HoldersChanged(stamp=stamp, holders=_holders(record.holders)),
    said.ActivityDueChanged: lambda stamp, record, _: DueChanged(stamp=stamp, due=due_of(record.due)),
    said.ActivityMailAppended: _mail_appended,
    said.ActivityMailContinued: _mail_continued,
    said.ActivityInformationMarked: lambda stamp, record, _: InformationMarked(stamp=stamp, new=record.new),
    said.ActivityNoted: lambda stamp, record, _: NoteAdded(stamp=stamp, note=record.note),
    said.ActivityContactTagged: _contact_tagged,
    said.ActivityLinked: _linked,
    said.ActivityUnlinked: _unlinked,
    said.ActivityMailCopied: _mail_copied,
    said.ActivityMailShared: _mail_shared,
    said.ActivityDepartureMarked: _departure_marked,
    said.TicketSplitInto: lambda stamp, record, _: WasSplit(
        stamp=stamp, into=tuple(other_of(each) for each in record.into)
    ),
    said.TicketConverted: lambda stamp, record, _: Converted(
        stamp=stamp, into=other_of(record.into), process=record.process
    ),
    said.TicketMerged: lambda stamp, record, _: Merged(stamp=stamp, into=other_of(record.into)),
    said.ActivityTookOver: lambda stamp, record, _: TookOver(stamp=stamp, source=other_of(record.source)),
    said.ActivityMailRequested: lambda stamp, record, _: MailRequested(
        stamp=stamp, mail=record.mail, purpose=Purpose(record.purpose)
    ),
    said.ActivityMailReported: lambda stamp, record, _: DeliveryReported(
        stamp=stamp, mail=record.mail, outcome=Outcome(record.outcome)
    ),
    said.ActivityKeepingChanged: lambda stamp, record, _: KeepingChanged(stamp=stamp, user=record.user),
    said.ActivityMarkedForPerson: lambda stamp, record, _: MarkedForPerson(
        stamp=stamp, robot=record.robot, note=record.note
    ),
    said.ActivityHandedAgain: lambda stamp, record, _: HandedAgain(stamp=stamp, robot=record.robot),
    said.ActivityFileAdded: _file_added,
    said.ActivityFileEdited: lambda stamp, record, _: FileEdited(stamp=stamp, file=_file(record)),
    said.ActivityFileRemoved: lambda stamp, record, _: FileRemoved(stamp=stamp, file=_file(record)),
    said.ActivityFeedbackGiven: lambda stamp, record, _: FeedbackGiven(
        stamp=stamp, rating=record.rating, note=record.note
    ),
}
