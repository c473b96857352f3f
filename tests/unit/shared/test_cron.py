"""The times of schedules: in their time zone, none twice, none missing, whatever the clocks do (CA-1)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cron import first_after, newest, times_after, wrong_with

BRUSSELS = "Europe/Brussels"
ZONES = st.sampled_from(sorted(available_timezones()))
MINUTES = st.sampled_from(["0", "59", "*/20", "5,35", "10-12"])
HOURS = st.sampled_from(["*", "2", "0,1,2,3", "23", "*/2", "0-23"])
DAYS = st.sampled_from(["*", "*", "1", "L", "25-31"])
CRONS = st.tuples(MINUTES, HOURS, DAYS, st.just("*"), st.sampled_from(["*", "*", "SUN"])).map(" ".join)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


def local(text: str, zone: str = BRUSSELS, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def up_to(expression: str, zone: str, since: datetime, until: datetime) -> list[datetime]:
    found = []
    for at in times_after(expression, zone, since):
        if at > until:
            return found
        found.append(at)
    return found


def test_times_are_those_of_the_zone() -> None:
    winter = first_after("0 9 1 * *", BRUSSELS, datetime(2026, 1, 15, tzinfo=UTC))
    summer = first_after("0 9 1 * *", BRUSSELS, datetime(2026, 6, 15, tzinfo=UTC))
    assert winter == datetime(2026, 2, 1, 8, tzinfo=UTC)
    assert summer == datetime(2026, 7, 1, 7, tzinfo=UTC)


def test_a_time_itself_is_not_after_itself() -> None:
    at = first_after("0 9 * * *", BRUSSELS, datetime(2026, 1, 15, tzinfo=UTC))
    assert first_after("0 9 * * *", BRUSSELS, at - timedelta(microseconds=1)) == at
    assert first_after("0 9 * * *", BRUSSELS, at) == at + timedelta(days=1)


@pytest.mark.parametrize("expression", ["30 2 * * *", "0,30 2 * * *", "*/10 2 * * *", "15 2,3 29 * *"])
def test_what_the_clocks_leave_out_comes_when_they_have_jumped(expression: str) -> None:
    """In the night to 29 March 2026 they go from 2 to 3 o'clock."""
    day = up_to(expression, BRUSSELS, local("2026-03-28T12:00"), local("2026-03-29T12:00"))
    assert day[0] == local("2026-03-29T03:00")
    assert day[1:] == ([local("2026-03-29T03:15")] if "3" in expression.split()[1] else [])


def test_what_the_clocks_show_twice_comes_once() -> None:
    """In the night to 25 October 2026 they go from 3 back to 2 o'clock."""
    day = up_to("0,30 2 * * *", BRUSSELS, local("2026-10-24T12:00"), local("2026-10-25T12:00"))
    assert day == [local("2026-10-25T02:00"), local("2026-10-25T02:30")]
    between = local("2026-10-25T02:10", fold=1)
    assert first_after("30 2 * * *", BRUSSELS, between) == local("2026-10-26T02:30")


def test_what_is_for_every_hour_follows_what_has_passed() -> None:
    for expression in ("30 * * * *", "30 0-23 * * *"):
        spring = up_to(expression, BRUSSELS, local("2026-03-29T00:00"), local("2026-03-29T05:00"))
        autumn = up_to(expression, BRUSSELS, local("2026-10-25T00:00"), local("2026-10-25T05:00"))
        assert [at.minute for at in spring] == [30] * 4
        assert [at.minute for at in autumn] == [30] * 6


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("0 9 1 *", "it has to have 5 fields"),
        ("@daily", "it has to have 5 fields"),
        ("0 0 9 1 * *", "it has to have 5 fields"),
        ("60 9 * * *", "bad minute"),
        ("0 nine * * *", "bad hour"),
        ("0 9 30 2 *", "bad day-of-month"),
        ("0 9 32 * *", "bad day-of-month"),
        ("0 9 * * 8", "bad day-of-week"),
        ("0 9 * 5-2 *", "bad month"),
        ("0 " * 200, "longer than 200 characters"),
    ],
)
def test_what_is_no_expression_is_told(expression: str, wrong: str) -> None:
    assert wrong in (wrong_with(expression) or "")


def test_what_never_comes_is_told() -> None:
    assert wrong_with("0 9 31 4,6 *") is not None
    assert wrong_with("0 9 29 2 *") is None


@given(
    st.text(max_size=60) | st.lists(st.text("0123456789*/,-LW#MON ", max_size=6), min_size=5).map(" ".join)
)
def test_whatever_is_written_is_judged(expression: str) -> None:
    if wrong_with(expression) is None:
        assert first_after(expression, BRUSSELS, datetime(2026, 1, 1, tzinfo=UTC))


@given(CRONS, ZONES, MOMENTS)
def test_none_comes_twice_and_none_is_missing(expression: str, zone: str, since: datetime) -> None:
    """Minute by minute, over a few days: what the clocks show for the first time, or jump over."""
    since = since.replace(second=0, microsecond=0)
    until = since + timedelta(days=3)
    found = up_to(expression, zone, since, until)
    assert found == sorted(set(found))
    assert all(at.second == 0 for at in found)
    here = ZoneInfo(zone)
    every_hour = expression.split()[1] in ("*", "0-23")
    wanted = set(_naive(expression, since - timedelta(days=2), until + timedelta(days=2)))
    expected, seen_before = [], since.astimezone(here).replace(tzinfo=None)
    at = since
    while at < until:
        at += timedelta(minutes=1)
        shown = at.astimezone(here)
        plain = shown.replace(tzinfo=None)
        jumped = (
            seen_before + timedelta(minutes=number)
            for number in range(1, max(1, round((plain - seen_before) / timedelta(minutes=1))))
        )
        if every_hour:
            come = plain in wanted
        else:
            first = shown.fold == 0 and plain in wanted
            come = first or any(each in wanted for each in jumped)
        if come:
            expected.append(at)
        seen_before = plain
    assert found == expected


@given(CRONS, ZONES, MOMENTS)
def test_each_time_leads_to_the_next(expression: str, zone: str, since: datetime) -> None:
    """Asked one by one, as they come, they are the same ones."""
    at, times = since, times_after(expression, zone, since)
    for _ in range(20):
        at = first_after(expression, zone, at)
        assert at == next(times)


@given(CRONS, ZONES, MOMENTS, st.integers(0, 40), st.integers(1, 12))
def test_of_those_that_were_missed_the_newest_are_found(
    expression: str, zone: str, since: datetime, passed: int, most: int
) -> None:
    first = first_after(expression, zone, since)
    times = [first]
    while len(times) <= passed:
        times.append(first_after(expression, zone, times[-1]))
    until = times[-1] + timedelta(seconds=1)
    assert newest(expression, zone, first, until, most) == tuple(times[-most:])


def _naive(expression: str, since: datetime, until: datetime) -> list[datetime]:
    """Times by a clock that nobody ever sets."""
    return [at.replace(tzinfo=None) for at in up_to(expression, "UTC", since, until)]
