"""The time, as a value that is passed in: pure code never asks for it (design §5)."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

ASK_SECONDS = 5.0


class Clock(Protocol):
    """Tells the time, always aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class _Asked(Protocol):
    """A connection to the database."""

    async def fetchval(self, query: str) -> Any: ...


class DatabaseClock:
    """The database's clock, by which all processes of a service live.

    What one of them writes down (until when a lease or a claim holds, when a mail is due), another judges: if
    each went by its own machine, one that is an hour ahead would keep the others from its work for an hour.
    It is asked now and then. In between, the machine's steady clock counts on, which nobody sets; before the
    first time, the machine's own has to do.
    """

    def __init__(self, machine: Clock | None = None) -> None:
        self._told = (machine or SystemClock()).now()
        self._told_at = time.monotonic()
        self._ask_at = self._told_at

    def now(self) -> datetime:
        return self._told + timedelta(seconds=time.monotonic() - self._told_at)

    async def follow(self, connection: _Asked) -> None:
        """Ask the database, if that is some time ago."""
        if time.monotonic() < self._ask_at:
            return
        self._told = await connection.fetchval("SELECT clock_timestamp()")
        self._told_at = time.monotonic()
        self._ask_at = self._told_at + ASK_SECONDS


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
