"""What ties an activity to another one: links, and the mails of a closed one that it continues."""

from dataclasses import dataclass
from uuid import UUID

from shared.references import Reference


@dataclass(frozen=True, slots=True)
class Link:
    """A loose link to another activity (LK-2) and what made it."""

    activity: UUID
    reference: Reference
    reason: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """A mail of a closed activity that another one continues (IN-14)."""

    mail: UUID
    activity: UUID
    reference: Reference
