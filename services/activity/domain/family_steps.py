"""The steps that tie activities into one family: splits and merges (T27, T28, T33, T34)."""

from dataclasses import dataclass
from datetime import datetime

from services.activity.domain.contacts import Tagged
from services.activity.domain.files import Brought
from services.activity.domain.links import Departure, Earlier, Link, Other
from services.activity.domain.steps import Opening, Step


@dataclass(frozen=True, slots=True)
class Part:
    """What one of the Tickets that one is split into is about; `off` is its id and reference."""

    title: str
    description: str
    category: str | None
    off: Other


@dataclass(frozen=True, slots=True)
class Split(Step):
    """Split it into at least two Tickets, and wait until all of them are closed (T27)."""

    name = "split"
    participle = "split"
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOff(Opening):
    """A part of a Ticket that is split becomes one of its own (T27), with what that one had at this moment.

    `parent` is the Ticket that is split, and `counts_since` when its work began (SL-6); contacts, fields,
    links, files and `thread` are a snapshot of it (LK-1).
    """

    name = "open_from_split"
    participle = "split off"
    parent: Other
    thread: tuple[Earlier, ...] = ()
    departures: tuple[Departure, ...] = ()

    @property
    def tags(self) -> tuple[Tagged, ...]:
        """Who is who on the Ticket that is split, as it stands there."""
        return tuple(sorted(self.contacts))


@dataclass(frozen=True, slots=True)
class Convert(Step):
    """Let it go on as a Case, and wait until that is closed (T30)."""

    name = "convert"
    participle = "converted into a Case"
    case: Other
    process: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedFrom(SplitOff):
    """A Ticket goes on as a Case with its number (T30, GL-7), which has all that the Ticket has (LK-1)."""

    name = "open_from_ticket"
    participle = "made of a Ticket"


@dataclass(frozen=True, slots=True)
class CaseClosed(Step):
    """The Case that it was converted into is closed, however it came to that (T31, AMB-17)."""

    name = "case_closed"
    participle = "closed with its Case"


@dataclass(frozen=True, slots=True)
class PartsClosed(Step):
    """Every Ticket that it was split into is closed; the last was resolved at `resolved_at` (T28, AMB-16)."""

    name = "parts_closed"
    participle = "closed with its parts"
    resolved_at: datetime


@dataclass(frozen=True, slots=True)
class MergeInto(Step):
    """Merge it into another activity, which closes it (T33). `running` says whether that one is (ST-12)."""

    name = "merge_into"
    participle = "merged"
    target: Other
    running: bool


@dataclass(frozen=True, slots=True)
class TakeOver(Step):
    """Another was merged into it, with the mails in `thread`, its links and its files (T33, T34, LK-6)."""

    name = "merge"
    participle = "merged with others"
    source: Other
    thread: tuple[Earlier, ...] = ()
    links: tuple[Link, ...] = ()
    departures: tuple[Departure, ...] = ()
    files: tuple[Brought, ...] = ()
