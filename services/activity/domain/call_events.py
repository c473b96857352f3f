"""The events of an Action that calls an external system (A23)."""

from datetime import datetime

from msgspec import Struct

from services.activity.domain.family_events import Stamp
from services.activity.domain.vocabulary import CallOutcome


class Called(Struct, frozen=True, kw_only=True):
    """An Action called an external system, for the `attempt`-th time.

    `retry` is which try it is because the system could not be reached: 0 where it was called anew.
    """

    stamp: Stamp
    call: str
    attempt: int
    answer_by: datetime
    retry: int = 0


class CallAnswered(Struct, frozen=True, kw_only=True):
    """A connector said what became of a try; it is tried again at `again_at`, if it is."""

    stamp: Stamp
    attempt: int
    outcome: CallOutcome
    again_at: datetime | None = None
