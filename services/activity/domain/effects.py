"""Effects of transitions: each turns an occasion into the events that it causes."""

from collections.abc import Iterable

from services.activity.domain import custom_fields, due_dates
from services.activity.domain.contacts import Tagged, changes, holders_of
from services.activity.domain.context import Occasion
from services.activity.domain.due_dates import Due
from services.activity.domain.events import (
    ContactTagged,
    DeliveryReported,
    DueChanged,
    Edited,
    Event,
    FeedbackGiven,
    HandedAgain,
    InformationMarked,
    KeepingChanged,
    MailAppended,
    MailRequested,
    MarkedForPerson,
    NoteAdded,
)
from services.activity.domain.steps import (
    AddNote,
    Assign,
    Edit,
    MailArrived,
    MailReported,
    MailRouted,
    MarkInformation,
    Reopen,
    Resolving,
    SendMail,
    Step,
    Submit,
    WaitForMoreInformation,
    WaitUntil,
)
from services.activity.domain.vocabulary import Purpose, Tag
from services.activity.domain.work_steps import (
    GiveFeedback,
    KeepWithMe,
    RejectWork,
    SendAndResolve,
    SetDueDate,
    TakeNext,
)


def edit(occasion: Occasion[Edit]) -> Iterable[Event]:
    """What is written changes, and who is who (T7, T37, CT-3); what is said again changes nothing."""
    step, activity = occasion.step, occasion.activity
    edited = Edited(
        stamp=occasion.stamp,
        title=step.title if step.title != activity.title else None,
        description=step.description if step.description != activity.description else None,
        category=step.category if step.category != activity.category else None,
        fields=custom_fields.changed(activity.fields, step.fields),
        due=_recategorised(occasion),
    )
    if edited != Edited(stamp=occasion.stamp):
        yield edited
    yield from _retag(occasion, given=step.tag, taken=step.untag, extra=step.extra)


def recategorise(occasion: Occasion[WaitForMoreInformation | WaitUntil | Resolving]) -> Iterable[Event]:
    """A wait or resolution may change the category with it (ST-20)."""
    category = occasion.step.category
    if category is not None and category != occasion.activity.category:
        yield Edited(stamp=occasion.stamp, category=category, due=_recategorised(occasion))


def write_from_mail(occasion: Occasion[SendMail]) -> Iterable[Event]:
    """The first mail says what the Ticket is about (T4)."""
    step = occasion.step
    if step.subject or step.text:
        yield Edited(stamp=occasion.stamp, title=step.subject or None, description=step.text or None)


def _recategorised(
    occasion: Occasion[Edit] | Occasion[WaitForMoreInformation | WaitUntil | Resolving],
) -> Due | None:
    """Another category may have another rule, which reckons anew (T37)."""
    activity, category = occasion.activity, occasion.step.category
    if category is None or category == activity.category:
        return None
    rule = occasion.process.due_rule(category)
    wait = activity.wait.type if activity.wait else None
    due = due_dates.recategorised(activity.due, rule, activity.reference.kind, wait, occasion.now)
    return due if due != activity.due else None


def set_due_date(occasion: Occasion[SetDueDate]) -> Iterable[Event]:
    """By when it is to be done is set by hand, or left to the rule again (SL-1)."""
    activity = occasion.activity
    rule = occasion.process.due_rule(activity.category)
    due = due_dates.set_by_hand(activity.due, rule, occasion.step.at, occasion.now)
    if due.by_hand != activity.due.by_hand:
        yield DueChanged(stamp=occasion.stamp, due=due)


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
    return marked(occasion, new=True)


def read_information(occasion: Occasion[Step]) -> Iterable[Event]:
    """Who lays an activity to rest has read what came in: it leaves the Inbox (ST-10)."""
    return marked(occasion, new=False)


def mark_information(occasion: Occasion[MarkInformation]) -> Iterable[Event]:
    """A user marks what came in as read, or as new again (ST-25)."""
    return marked(occasion, new=occasion.step.new)


def marked(occasion: Occasion[Step], *, new: bool) -> Iterable[Event]:
    """The new-information flag, where it is not so already (ST-25)."""
    if occasion.activity.new_information is not new:
        yield InformationMarked(stamp=occasion.stamp, new=new)


def add_note(occasion: Occasion[AddNote | Assign]) -> Iterable[Event]:
    """An internal note stands in the timeline (ST-22)."""
    yield NoteAdded(stamp=occasion.stamp, note=occasion.context.effect)


def note_to_assignee(occasion: Occasion[Assign]) -> Iterable[Event]:
    """Who gets it may be told why (T8)."""
    if occasion.step.note:
        yield from add_note(occasion)


def keep(occasion: Occasion[KeepWithMe]) -> Iterable[Event]:
    """It stays with whoever has it, or no longer (ST-20)."""
    user = occasion.actor.id if occasion.step.keep else None
    if occasion.activity.keep_with_me != user:
        yield KeepingChanged(stamp=occasion.stamp, user=user)


def keep_if_said(occasion: Occasion[Submit | Reopen]) -> Iterable[Event]:
    """Who submits or reopens may keep it (T5, AMB-5)."""
    if occasion.step.keep_with_me and occasion.activity.keep_with_me != occasion.actor.id:
        yield KeepingChanged(stamp=occasion.stamp, user=occasion.actor.id)


def mark_rejected(occasion: Occasion[RejectWork]) -> Iterable[Event]:
    """The robot's reason is kept as a note, and a person has to look (T10, ST-8)."""
    yield NoteAdded(stamp=occasion.stamp, note=occasion.context.effect)
    yield MarkedForPerson(stamp=occasion.stamp, robot=occasion.actor.id, note=occasion.context.effect)


def mark_stuck(occasion: Occasion[TakeNext]) -> Iterable[Event]:
    """What a robot asks past again and again is taken away for a person (ST-24)."""
    yield MarkedForPerson(stamp=occasion.stamp, robot=occasion.actor.id)


def hand_again(occasion: Occasion[TakeNext]) -> Iterable[Event]:
    """The robot gets again what it has (ST-24)."""
    yield HandedAgain(stamp=occasion.stamp, robot=occasion.actor.id)


def keep_feedback(occasion: Occasion[GiveFeedback]) -> Iterable[Event]:
    """The rating stands in the timeline, with what was said (FB-2)."""
    note = occasion.context.effect if occasion.step.comment else None
    yield FeedbackGiven(stamp=occasion.stamp, rating=occasion.step.rating, note=note)


def request_reply(occasion: Occasion[SendMail | SendAndResolve]) -> Iterable[Event]:
    """notify sends what a person wrote (NT-17)."""
    yield MailRequested(stamp=occasion.stamp, mail=occasion.context.effect, purpose=Purpose.REPLY)


def acknowledge(occasion: Occasion[Step]) -> Iterable[Event]:
    """The primary contact and those in CC learn the reference (NT-1)."""
    return automatic_mail(occasion, Purpose.ACKNOWLEDGEMENT, cc=True)


def acknowledge_sender(occasion: Occasion[MailRouted]) -> Iterable[Event]:
    """As above, if the route wants it (NT-2), and never in answer to automatic mail (IN-17)."""
    if occasion.step.acknowledge and not occasion.step.automatic:
        yield from acknowledge(occasion)


def tell_no_response(occasion: Occasion[Step]) -> Iterable[Event]:
    """The primary contact learns that it was closed for want of an answer (T15, AMB-6)."""
    return automatic_mail(occasion, Purpose.NO_RESPONSE, cc=False)


def automatic_mail(occasion: Occasion[Step], purpose: Purpose, *, cc: bool) -> Iterable[Event]:
    """A mail to the primary contact, if the process has a template for it (NT-1)."""
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
