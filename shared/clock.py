"""The time, as a value that is passed in: pure code never asks for it (design §5)."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time, always aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock for tests: stands still until it is told otherwise."""

    def __init__(self, now: datetime) -> None:
        self._now = _utc(now)

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        """Jump to `now`, forwards or backwards."""
        self._now = _utc(now)

    def advance(self, by: timedelta) -> datetime:
        """Move on by `by` and return the new time."""
        self._now += by
        return self._now


def _utc(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError(f"{time.isoformat()} names no time zone; times are aware (UTC) everywhere")
    return time.astimezone(UTC)
