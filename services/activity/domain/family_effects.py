"""Effects of splits and merges: pointers on both sides, and what one takes over (T27, T33, T34)."""

from collections.abc import Iterable

from services.activity.domain.context import Occasion
from services.activity.domain.effects import automatic_mail, marked
from services.activity.domain.events import (
    Converted,
    DepartureMarked,
    Event,
    Linked,
    MailContinued,
    Merged,
    TookOver,
    WasSplit,
)
from services.activity.domain.family_steps import Convert, MergeInto, Split, SplitOff, TakeOver
from services.activity.domain.links import DepartureState
from services.activity.domain.steps import MailRouted
from services.activity.domain.vocabulary import Purpose


def point_to_parts(occasion: Occasion[Split]) -> Iterable[Event]:
    """The timeline says into which Tickets it was split (T27)."""
    yield WasSplit(stamp=occasion.stamp, into=tuple(part.off for part in occasion.step.parts))


def tell_split(occasion: Occasion[Split]) -> Iterable[Event]:
    """The primary contact learns into which Tickets it was split (T27, NT-1)."""
    return automatic_mail(occasion, Purpose.SPLIT, cc=False)


def point_to_case(occasion: Occasion[Convert]) -> Iterable[Event]:
    """The timeline says as what it goes on (T30)."""
    yield Converted(stamp=occasion.stamp, into=occasion.step.case, process=occasion.step.process)


def tell_case_launched(occasion: Occasion[Convert]) -> Iterable[Event]:
    """The primary contact learns that it is a Case now (T30, NT-1)."""
    return automatic_mail(occasion, Purpose.CASE_LAUNCHED, cc=False)


def point_to_target(occasion: Occasion[MergeInto]) -> Iterable[Event]:
    """The timeline says into what it was merged (T33)."""
    yield Merged(stamp=occasion.stamp, into=occasion.step.target)


def point_to_source(occasion: Occasion[TakeOver]) -> Iterable[Event]:
    """The timeline says what was merged into it (T33, T34)."""
    yield TookOver(stamp=occasion.stamp, source=occasion.step.source)


def carry_links(occasion: Occasion[TakeOver]) -> Iterable[Event]:
    """It is linked with what that one was linked with (LK-6)."""
    for link in occasion.step.links:
        yield Linked(stamp=occasion.stamp, link=link)


def flag_thread(occasion: Occasion[TakeOver]) -> Iterable[Event]:
    """The communications that it takes over are new here, if there are any (T33, ST-25)."""
    return marked(occasion, new=True) if occasion.step.thread else ()


def continue_thread(occasion: Occasion[MailRouted | SplitOff | TakeOver]) -> Iterable[Event]:
    """The mails of what it continues, was split off or takes over stand in its timeline (IN-14, T27, T33)."""
    for earlier in occasion.step.thread:
        yield MailContinued(stamp=occasion.stamp, earlier=earlier)


def carry_departures(occasion: Occasion[MailRouted | SplitOff | TakeOver]) -> Iterable[Event]:
    """A mail that has left that one for a new activity, or is about to, leaves this one, too (CE-4, CE-7)."""
    for departure in occasion.step.departures:
        known = occasion.activity.departure(departure.mail)
        if known is None or known.state is DepartureState.FAILED:
            yield DepartureMarked(stamp=occasion.stamp, departure=departure)
