"""What ties an activity to another one: links, splits, merges, and mails that both have."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.references import Reference


class LinkReason(StrEnum):
    """What people made a link by; a mail's reasons are matching's."""

    LINKED = "linked"
    """Two that there were (LK-3)."""
    OPENED_FROM = "opened_from"
    """One was opened from the other (LK-3)."""
    CARRIED = "carried"
    """One was split off, or took over, what the other was linked with (LK-6)."""
    COPIED = "copied"
    """The one that it was opened from is linked with it, and links were copied (LK-5)."""


@dataclass(frozen=True, slots=True)
class Link:
    """A loose link to another activity (LK-2) and what made it."""

    activity: UUID
    reference: Reference
    reason: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another activity: one that was split off, merged in, or merged into (T27, T33, T34)."""

    activity: UUID
    reference: Reference


@dataclass(frozen=True, slots=True)
class Earlier:
    """A mail of an activity that stands on another one, too.

    That one continues it (IN-14), was split off it (T27), took it over (T33), or began as its copy (LK-5).
    """

    mail: UUID
    activity: UUID
    reference: Reference


class DepartureState(StrEnum):
    """How far a mail is on its way to a new activity (CE-7)."""

    REQUESTED = "requested"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Departure:
    """A mail that was appended wrongly and begins a new activity (CE-1): named once it is done.

    `why` says why it failed, as a word to rely on. `asked_on` is the activity that it was asked on, where
    this one has the mail from it: what comes of it there holds here, too.
    """

    mail: UUID
    state: DepartureState
    activity: UUID | None = None
    reference: Reference | None = None
    why: str | None = None
    asked_on: UUID | None = None
