"""Working calendars: hours, holidays, zones, nights, and the clock put forward and back (SL-1)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activity.domain.working_time import NoWork, Shift, WorkingCalendar

PARIS = ZoneInfo("Europe/Paris")
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Paris",
        "America/New_York",
        "Asia/Kolkata",
        "Australia/Lord_Howe",  # its clocks move by half an hour
    )
]
HOUR = timedelta(hours=1)
NINE_TO_FIVE = Shift(time(9), time(17))
WEEK = (*[(NINE_TO_FIVE,)] * 5, (), ())
OFFICE = WorkingCalendar(PARIS, WEEK, frozenset({date(2026, 12, 25), date(2027, 1, 1)}))
NIGHT = WorkingCalendar(PARIS, ((Shift(time(22), time(6)),),) * 7)


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def in_paris(instant: datetime) -> str:
    return instant.astimezone(PARIS).strftime("%Y-%m-%d %H:%M")


# 2026-11-23 is a Monday.
@pytest.mark.parametrize(
    ("since", "hours", "until"),
    [
        ("2026-11-23 10:00", 3, "2026-11-23 13:00"),
        ("2026-11-23 10:00", 8, "2026-11-24 10:00"),
        ("2026-11-23 09:00", 8, "2026-11-23 17:00"),
        ("2026-11-27 16:00", 2, "2026-11-30 10:00"),
        ("2026-11-28 11:00", 1, "2026-11-30 10:00"),
        ("2026-12-24 16:00", 2, "2026-12-28 10:00"),
        ("2026-11-24 10:00", -2, "2026-11-23 16:00"),
        ("2026-11-30 09:00", -1, "2026-11-27 16:00"),
        ("2026-11-28 11:00", 0, "2026-11-28 11:00"),
    ],
)
def test_working_hours_pass_while_people_work(since: str, hours: int, until: str) -> None:
    assert in_paris(OFFICE.add(paris(since), hours * HOUR)) == until
    assert OFFICE.between(paris(since), paris(until)) == hours * HOUR


@pytest.mark.parametrize(
    ("since", "days", "until"),
    [
        ("2026-11-27 16:30", 1, "2026-11-30 16:30"),
        ("2026-11-28 11:00", 1, "2026-11-30 11:00"),
        ("2026-12-24 08:00", 1, "2026-12-28 08:00"),
        ("2026-11-30 10:00", -2, "2026-11-26 10:00"),
        ("2026-11-28 11:00", 0, "2026-11-28 11:00"),
        ("2026-03-27 02:30", 2, "2026-03-31 02:30"),
    ],
)
def test_working_days_leave_the_time_of_day_as_it_is(since: str, days: int, until: str) -> None:
    assert in_paris(OFFICE.add_working_days(paris(since), days)) == until


def test_days_are_those_of_the_clock_on_the_wall() -> None:
    """A day is 23 or 25 hours long when the clocks are moved."""
    assert in_paris(OFFICE.add_days(paris("2026-03-28 12:00"), 1)) == "2026-03-29 12:00"
    assert in_paris(OFFICE.add_days(paris("2026-10-25 12:00"), -1)) == "2026-10-24 12:00"
    assert in_paris(OFFICE.add_days(paris("2026-03-28 02:30"), 1)) == "2026-03-29 03:00", (
        "the hour is left out"
    )


def test_a_night_shift_is_an_hour_shorter_when_the_clock_is_put_forward_and_longer_when_back() -> None:
    plain, forward, back = (paris(f"2026-{day} 22:00") for day in ("02-10", "03-28", "10-24"))
    assert [NIGHT.between(start, start + timedelta(hours=13)) for start in (plain, forward, back)] == [
        8 * HOUR,
        7 * HOUR,
        9 * HOUR,
    ]
    assert in_paris(NIGHT.add(forward, 7 * HOUR)) == "2026-03-29 06:00"
    assert in_paris(NIGHT.add(back, 9 * HOUR)) == "2026-10-25 06:00"
    assert NIGHT.add(back, 5 * HOUR) == datetime(2026, 10, 25, 1, tzinfo=UTC), "the second two o'clock"


def test_a_shift_in_the_hour_that_comes_twice_lasts_through_both() -> None:
    calendar = WorkingCalendar(PARIS, ((Shift(time(2), time(3)),),) * 7)
    assert calendar.periods(date(2026, 10, 25)) == (
        (datetime(2026, 10, 25, 0, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC)),
    )


def test_a_shift_in_the_hour_that_does_not_come_is_none() -> None:
    calendar = WorkingCalendar(PARIS, ((Shift(time(2), time(3)),),) * 7)
    assert calendar.periods(date(2026, 3, 29)) == ()
    assert calendar.works_on(date(2026, 3, 28))
    longer = WorkingCalendar(PARIS, ((Shift(time(2, 30), time(4)),),) * 7)
    assert longer.between(paris("2026-03-29 00:00"), paris("2026-03-29 12:00")) == HOUR


def test_a_day_that_a_zone_left_out_has_no_work() -> None:
    """Samoa went from the 29th of December 2011 to the 31st."""
    calendar = WorkingCalendar(ZoneInfo("Pacific/Apia"), ((NINE_TO_FIVE,),) * 7)
    assert [calendar.works_on(date(2011, 12, day)) for day in (29, 30, 31)] == [True, False, True]


def test_shifts_that_meet_or_overlap_count_once() -> None:
    calendar = WorkingCalendar(PARIS, ((Shift(time(20), time(12)), Shift(time(8), time(14))),) * 7)
    midnight = paris("2026-11-24 00:00")
    assert calendar.between(midnight, midnight + timedelta(days=1)) == 18 * HOUR
    assert in_paris(calendar.add(midnight, 13 * HOUR)) == "2026-11-24 13:00"
    assert in_paris(calendar.add(paris("2026-11-24 13:00"), -13 * HOUR)) == "2026-11-24 00:00"


@pytest.mark.parametrize(
    ("instant", "morning"),
    [
        ("2026-11-23 12:00", "2026-11-23 12:00"),
        ("2026-11-23 09:00", "2026-11-23 09:00"),
        ("2026-11-23 17:00", "2026-11-24 09:00"),
        ("2026-11-24 03:00", "2026-11-24 09:00"),
        ("2026-11-27 17:00", "2026-11-30 09:00"),
        ("2026-12-25 12:00", "2026-12-28 09:00"),
    ],
)
def test_after_the_end_of_a_day_comes_the_next_morning(instant: str, morning: str) -> None:
    assert in_paris(OFFICE.next_morning(paris(instant))) == morning


def test_a_break_is_part_of_the_day() -> None:
    calendar = WorkingCalendar(PARIS, ((Shift(time(9), time(12)), Shift(time(14), time(18))),) * 7)
    assert in_paris(calendar.next_morning(paris("2026-11-23 12:00"))) == "2026-11-23 12:00"
    assert in_paris(calendar.end_of_day(paris("2026-11-23 12:30"))) == "2026-11-23 18:00"


@pytest.mark.parametrize(
    ("instant", "end"),
    [
        ("2026-11-23 12:00", "2026-11-23 17:00"),
        ("2026-11-23 17:00", "2026-11-23 17:00"),
        ("2026-11-23 18:00", "2026-11-23 17:00"),
        ("2026-11-23 06:00", "2026-11-23 17:00"),
        ("2026-11-28 12:00", "2026-11-30 17:00"),
    ],
)
def test_the_end_of_the_day_is_that_of_its_last_shift(instant: str, end: str) -> None:
    assert in_paris(OFFICE.end_of_day(paris(instant))) == end


def test_after_midnight_it_is_still_the_night_s_day() -> None:
    assert in_paris(NIGHT.end_of_day(paris("2026-11-24 02:00"))) == "2026-11-24 06:00"
    assert in_paris(NIGHT.next_morning(paris("2026-11-24 06:00"))) == "2026-11-24 22:00"


def test_a_calendar_without_work_is_told_from_one_with_long_holidays() -> None:
    with pytest.raises(NoWork):
        WorkingCalendar(PARIS, ((),) * 7).add(paris("2026-11-23 12:00"), HOUR)
    year = frozenset(date(2026, 1, 1) + timedelta(days=day) for day in range(365))
    assert (
        in_paris(WorkingCalendar(PARIS, WEEK, year).add(paris("2026-01-01 12:00"), HOUR))
        == "2027-01-01 10:00"
    )


instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 2, 1), timezones=st.just(UTC))
amounts = st.timedeltas(-200 * HOUR, 200 * HOUR)
shifts = st.builds(Shift, st.times(), st.times())


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    hours = [tuple(draw(st.lists(shifts, max_size=3))) for _ in range(7)]
    hours[draw(st.integers(0, 6))] += (Shift(time(8), time(draw(st.integers(9, 23)))),)
    holidays = draw(st.frozensets(st.dates(date(2026, 1, 1), date(2027, 2, 1)), max_size=5))
    return WorkingCalendar(draw(st.sampled_from(ZONES)), tuple(hours), holidays)


@given(calendars(), instants, amounts)
def test_what_is_added_is_what_is_measured(
    calendar: WorkingCalendar, instant: datetime, amount: timedelta
) -> None:
    assert calendar.between(instant, calendar.add(instant, amount)) == amount


@given(calendars(), instants, amounts)
def test_adding_and_taking_away_comes_back_but_for_time_without_work(
    calendar: WorkingCalendar, instant: datetime, amount: timedelta
) -> None:
    back = calendar.add(calendar.add(instant, amount), -amount)
    assert calendar.between(instant, back) == timedelta()
    # From within working time there is no other instant to come back to.
    within = calendar.add(calendar.add(instant, amount), -amount)
    assert calendar.add(calendar.add(within, amount), -amount) == within


@given(calendars(), instants, instants, amounts, amounts)
def test_later_beginnings_and_longer_amounts_never_end_earlier(
    calendar: WorkingCalendar, one: datetime, other: datetime, less: timedelta, more: timedelta
) -> None:
    one, other = sorted((one, other))
    less, more = sorted((less, more))
    assert calendar.add(one, less) <= calendar.add(one, more)
    assert calendar.add(one, less) <= calendar.add(other, less)
    assert calendar.next_morning(one) <= calendar.next_morning(other)
    assert calendar.end_of_day(one) <= calendar.end_of_day(other)


@given(calendars(), instants, instants, instants)
def test_working_time_adds_up(
    calendar: WorkingCalendar, one: datetime, two: datetime, three: datetime
) -> None:
    whole = calendar.between(one, three)
    assert whole == calendar.between(one, two) + calendar.between(two, three)
    assert whole == -calendar.between(three, one)
    assert abs(whole) <= abs(three - one)


@given(calendars(), instants, amounts, st.sampled_from(ZONES), st.integers(-20, 20))
def test_the_zone_in_which_an_instant_is_written_changes_nothing(
    calendar: WorkingCalendar, instant: datetime, amount: timedelta, zone: ZoneInfo, days: int
) -> None:
    """Also not in the hour that comes twice: the two are told apart by the instant."""
    written = instant.astimezone(zone)
    assert calendar.add(written, amount) == calendar.add(instant, amount)
    assert calendar.add_days(written, days) == calendar.add_days(instant, days)
    assert calendar.add_working_days(written, days) == calendar.add_working_days(instant, days)
    assert calendar.end_of_day(written) == calendar.end_of_day(instant)


@given(calendars(), instants)
def test_a_morning_and_an_end_of_day_stay_what_they_are(calendar: WorkingCalendar, instant: datetime) -> None:
    morning, evening = calendar.next_morning(instant), calendar.end_of_day(instant)
    assert instant <= morning <= calendar.end_of_day(morning)
    assert calendar.next_morning(morning) == morning
    assert calendar.end_of_day(evening) == evening
