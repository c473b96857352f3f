"""Effects of transitions: each turns an occasion into the events that it causes."""

from collections.abc import Iterable

from services.activity.domain import custom_fields
from services.activity.domain.contacts import Tagged, changes, holders_of
from services.activity.domain.context import Occasion
from services.activity.domain.events import (
    ContactTagged,
    DeliveryReported,
    Edited,
    Event,
    InformationMarked,
    Linked,
    MailAppended,
    MailContinued,
    MailRequested,
    NoteAdded,
    Opened,
)
from services.activity.domain.holders import settle
from services.activity.domain.steps import (
    AddNote,
    CreatedByIntegration,
    Edit,
    MailArrived,
    MailReported,
    MailRouted,
    MarkInformation,
    Opening,
    SendMail,
    Step,
)
from services.activity.domain.vocabulary import Purpose, StartedBy, Tag


def open_it(occasion: Occasion[Opening]) -> Iterable[Event]:
    """It comes into being in the row's state, with its contacts and links (T1, T2, T3)."""
    step, to = occasion.step, occasion.to
    if to is None:
        raise ValueError(f"row {occasion.rule} opens an activity without saying in which state")
    yield Opened(
        stamp=occasion.stamp,
        activity=step.activity,
        organisation=occasion.context.organisation,
        family=step.family,
        reference=step.reference,
        process=occasion.process.name,
        title=step.title,
        description=step.description,
        category=step.category,
        started_by=_started_by(step),
        conversation=step.conversation,
        mailbox=step.mailbox,
        mail=step.mail if isinstance(step, MailRouted) else None,
        automated_mail=step.automated_mail,
        status=to.status,
        holders=settle(to, False, occasion.person, occasion.process.queue),
        contacts=step.tags,
        fields=custom_fields.after((), step.fields),
    )
    for link in step.links:
        yield Linked(stamp=occasion.stamp, link=link)


def _started_by(step: Opening) -> StartedBy:
    if step.links and not isinstance(step, MailRouted):
        return StartedBy.LINKED_WORK_ITEM
    if isinstance(step, CreatedByIntegration):
        return step.started_by
    return StartedBy.EMAIL if isinstance(step, MailRouted) else StartedBy.MANUAL


def continue_thread(occasion: Occasion[MailRouted]) -> Iterable[Event]:
    """The mails of what it continues stand in its timeline (IN-14)."""
    for earlier in occasion.step.thread:
        yield MailContinued(stamp=occasion.stamp, earlier=earlier)


def edit(occasion: Occasion[Edit]) -> Iterable[Event]:
    """What is written changes, and who is who (T7, T37, CT-3); what is said again changes nothing."""
    step, activity = occasion.step, occasion.activity
    edited = Edited(
        stamp=occasion.stamp,
        title=step.title if step.title != activity.title else None,
        description=step.description if step.description != activity.description else None,
        category=step.category if step.category != activity.category else None,
        fields=custom_fields.changed(activity.fields, step.fields),
    )
    if edited != Edited(stamp=occasion.stamp):
        yield edited
    yield from _retag(occasion, given=step.tag, taken=step.untag, extra=step.extra)


def _retag(
    occasion: Occasion[Step],
    given: Iterable[Tagged] = (),
    taken: Iterable[Tagged] = (),
    extra: Iterable[Tagged] = (),
) -> Iterable[Event]:
    for change in changes(occasion.activity.contacts, given=given, taken=taken, extra=extra):
        yield ContactTagged(stamp=occasion.stamp, tagged=change.tagged, removed=change.removed)


def append_mail(occasion: Occasion[MailArrived]) -> Iterable[Event]:
    """The mail stands in the timeline, with what should be looked at (T13, AMB-11)."""
    step = occasion.step
    yield MailAppended(
        stamp=occasion.stamp,
        mail=step.mail,
        matched_by=step.matched_by,
        automatic=step.automatic,
        review=step.review,
    )


def flag_new_information(occasion: Occasion[Step]) -> Iterable[Event]:
    """Something came in that nobody has read (ST-25)."""
    return _marked(occasion, new=True)


def read_information(occasion: Occasion[Step]) -> Iterable[Event]:
    """Who lays an activity to rest has read what came in: it leaves the Inbox (ST-10)."""
    return _marked(occasion, new=False)


def mark_information(occasion: Occasion[MarkInformation]) -> Iterable[Event]:
    """A user marks what came in as read, or as new again (ST-25)."""
    return _marked(occasion, new=occasion.step.new)


def _marked(occasion: Occasion[Step], *, new: bool) -> Iterable[Event]:
    if occasion.activity.new_information is not new:
        yield InformationMarked(stamp=occasion.stamp, new=new)


def add_note(occasion: Occasion[AddNote]) -> Iterable[Event]:
    """An internal note stands in the timeline (ST-22)."""
    yield NoteAdded(stamp=occasion.stamp, note=occasion.context.effect)


def request_reply(occasion: Occasion[SendMail]) -> Iterable[Event]:
    """notify sends what a person wrote (NT-17)."""
    yield MailRequested(stamp=occasion.stamp, mail=occasion.context.effect, purpose=Purpose.REPLY)


def acknowledge(occasion: Occasion[Step]) -> Iterable[Event]:
    """The primary contact and those in CC learn the reference (NT-1)."""
    return _automatic_mail(occasion, Purpose.ACKNOWLEDGEMENT, cc=True)


def acknowledge_sender(occasion: Occasion[MailRouted]) -> Iterable[Event]:
    """As above, if the route wants it (NT-2), and never in answer to automatic mail (IN-17)."""
    if occasion.step.acknowledge and not occasion.step.automatic:
        yield from acknowledge(occasion)


def tell_no_response(occasion: Occasion[Step]) -> Iterable[Event]:
    """The primary contact learns that it was closed for want of an answer (T15, AMB-6)."""
    return _automatic_mail(occasion, Purpose.NO_RESPONSE, cc=False)


def _automatic_mail(occasion: Occasion[Step], purpose: Purpose, *, cc: bool) -> Iterable[Event]:
    activity = occasion.activity
    primary = activity.primary_contact
    if primary and activity.automated_mail and purpose in occasion.process.templates:
        copies = holders_of(activity.contacts, Tag.CC) if cc else ()
        yield MailRequested(
            stamp=occasion.stamp,
            mail=occasion.context.effect,
            purpose=purpose,
            to=(primary,),
            cc=tuple(contact for contact in copies if contact != primary),
        )


def report_delivery(occasion: Occasion[MailReported]) -> Iterable[Event]:
    """What became of a mail stands in the timeline (NT-14)."""
    yield DeliveryReported(stamp=occasion.stamp, mail=occasion.step.mail, outcome=occasion.step.outcome)
