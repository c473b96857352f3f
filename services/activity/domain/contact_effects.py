"""Effects of what becomes of contacts: tags that move, and what is left of a person who is erased."""

from collections.abc import Iterable

from services.activity.domain.contact_steps import EraseContact, ExchangeContact
from services.activity.domain.contacts import Tagged
from services.activity.domain.context import Occasion
from services.activity.domain.events import ContactTagged, Edited, Event
from shared.field_values import FieldValue


def exchange_contact(occasion: Occasion[ExchangeContact]) -> Iterable[Event]:
    """The other one holds what this one held, each tag once (CT-3)."""
    step, contacts = occasion.step, occasion.activity.contacts
    for tagged in sorted(contacts):
        if tagged.contact == step.contact:
            given = Tagged(tagged.tag, step.into)
            yield ContactTagged(stamp=occasion.stamp, tagged=tagged, removed=True)
            if given not in contacts:
                yield ContactTagged(stamp=occasion.stamp, tagged=given)


def erase_contact(occasion: Occasion[EraseContact]) -> Iterable[Event]:
    """Title, description and custom fields go where it is theirs, and then their tags."""
    activity, step = occasion.activity, occasion.step
    if step.texts and (activity.title or activity.description or activity.fields):
        fields = tuple(FieldValue(each.name, None) for each in activity.fields)
        # An Action is called as its Case calls it.
        title = "" if activity.task is None else None
        yield Edited(stamp=occasion.stamp, title=title, description="", fields=fields)
    for tagged in sorted(activity.contacts):
        if tagged.contact in step.contacts:
            yield ContactTagged(stamp=occasion.stamp, tagged=tagged, removed=True)
