"""The events of who has an activity, beside its status, and of what its customer thinks of it."""

from uuid import UUID

from msgspec import Struct

from services.activity.domain.family_events import Stamp


class KeepingChanged(Struct, frozen=True, kw_only=True):
    """Somebody said that it stays with him; with None nobody does any more (ST-20)."""

    stamp: Stamp
    user: str | None


class MarkedForPerson(Struct, frozen=True, kw_only=True):
    """No robot gets it from now on, until a person had it (ST-8, ST-24).

    `robot` gave it up, or had it taken away. `note` says why, where it did.
    """

    stamp: Stamp
    robot: str
    note: UUID | None = None


class HandedAgain(Struct, frozen=True, kw_only=True):
    """A robot that asked for more work while it had this got this again (ST-24)."""

    stamp: Stamp
    robot: str


class FeedbackGiven(Struct, frozen=True, kw_only=True):
    """A customer rated it, 1 to 5 (FB-2); `note` is the comment, where there is one."""

    stamp: Stamp
    rating: int
    note: UUID | None = None
