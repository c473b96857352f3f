"""What ties an activity to another one: links, and the mails of a closed one that it continues."""

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
    COPIED = "copied"
    """The one that it was opened from is linked with it, and links were copied (LK-5)."""


@dataclass(frozen=True, slots=True)
class Link:
    """A loose link to another activity (LK-2) and what made it."""

    activity: UUID
    reference: Reference
    reason: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """A mail of an activity that stands on another one, too: which continues it (IN-14), or began as its
    copy (LK-5)."""

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

    `why` says why it failed, as a word to rely on.
    """

    mail: UUID
    state: DepartureState
    activity: UUID | None = None
    reference: Reference | None = None
    why: str | None = None
