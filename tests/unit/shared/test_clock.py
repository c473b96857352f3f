"""Time is an aware value in UTC (design §5), and the same for all processes of a service."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.clock import ASK_SECONDS, DatabaseClock, FixedClock, SystemClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_the_system_s_clock_is_aware() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_a_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock(NOON)
    assert clock.now() == clock.now() == NOON
    assert clock.advance(timedelta(days=1)) == clock.now() == NOON + timedelta(days=1)
    clock.set(NOON.astimezone(timezone(timedelta(hours=5))))
    assert clock.now() == NOON
    assert clock.now().utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        FixedClock(datetime(2026, 11, 22))


class Database:
    """Tells the time when it is asked."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.asked = 0

    async def fetchval(self, query: str) -> datetime:
        self.asked += 1
        return self.now


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The machine's steady clock, to be moved by hand."""
    seconds = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    return seconds


async def test_a_machine_that_is_wrong_about_the_time_goes_by_the_database(steady: list[float]) -> None:
    database = Database(NOON)
    clock = DatabaseClock(FixedClock(NOON + timedelta(hours=1)))
    assert clock.now() == NOON + timedelta(hours=1)
    await clock.follow(database)
    assert clock.now() == NOON


async def test_between_two_questions_the_steady_clock_counts(steady: list[float]) -> None:
    database = Database(NOON)
    clock = DatabaseClock()
    await clock.follow(database)
    steady[0] += ASK_SECONDS / 2
    await clock.follow(database)
    assert (clock.now(), database.asked) == (NOON + timedelta(seconds=ASK_SECONDS / 2), 1)
    steady[0] += ASK_SECONDS
    database.now += timedelta(seconds=10)
    await clock.follow(database)
    assert (clock.now(), database.asked) == (NOON + timedelta(seconds=10), 2)
