"""Effects of the steps that tie an activity to others."""

from collections.abc import Iterable

from services.activity.domain.context import Occasion
from services.activity.domain.events import DepartureMarked, Event, Linked, MailCopied, MailShared, Unlinked
from services.activity.domain.link_steps import (
    LinkWith,
    MarkDeparture,
    ShareMail,
    StartNew,
    TakeSharedMail,
    Unlink,
)
from services.activity.domain.links import Departure, DepartureState
from services.activity.domain.steps import Opening


def link(occasion: Occasion[LinkWith]) -> Iterable[Event]:
    """It is linked with each that it was not linked with yet (LK-3)."""
    for each in occasion.step.links:
        if each.activity not in occasion.activity.links:
            yield Linked(stamp=occasion.stamp, link=each)


def unlink(occasion: Occasion[Unlink]) -> Iterable[Event]:
    """It is linked no longer with each that it was linked with (LK-3)."""
    for each in occasion.step.links:
        if each.activity in occasion.activity.links:
            yield Unlinked(stamp=occasion.stamp, link=each)


def copy_communications(occasion: Occasion[Opening]) -> Iterable[Event]:
    """The mails of the one that it was opened from stand in its timeline, as they are now (LK-5)."""
    for earlier in occasion.step.copied:
        yield MailCopied(stamp=occasion.stamp, earlier=earlier)


def share_mail(occasion: Occasion[ShareMail]) -> Iterable[Event]:
    """The timeline says with whom the mail was shared (SH-1)."""
    for each in occasion.step.links:
        yield MailShared(stamp=occasion.stamp, mail=occasion.step.mail, link=each, received=False)


def take_shared_mail(occasion: Occasion[TakeSharedMail]) -> Iterable[Event]:
    """The mail stands in the timeline, with where it came from (SH-1)."""
    yield MailShared(stamp=occasion.stamp, mail=occasion.step.mail, link=occasion.step.link, received=True)


def ask_for_new(occasion: Occasion[StartNew]) -> Iterable[Event]:
    """A new activity is asked for, once; again only where it could not be had (CE-7)."""
    known = occasion.activity.departure(occasion.step.mail)
    if known is None or known.state is DepartureState.FAILED:
        asked = Departure(occasion.step.mail, DepartureState.REQUESTED)
        yield DepartureMarked(stamp=occasion.stamp, departure=asked)


def mark_departure(occasion: Occasion[MarkDeparture]) -> Iterable[Event]:
    """What came of it, for whoever asked; late word of what has come already is dropped (CE-7)."""
    known = occasion.activity.departure(occasion.step.departure.mail)
    if known is not None and known.state is DepartureState.REQUESTED:
        yield DepartureMarked(stamp=occasion.stamp, departure=occasion.step.departure)
