"""Working calendars: when people work, and how much of it lies between two instants (SL-1).

Instants are aware and come back in UTC. A period is half open: it has its first instant, not its last.
Where the clock is put back, what begins in the hour that comes twice begins in the first of the two, and
what ends there ends in the second. Where it is put forward, what would begin or end in the hour that does
not come begins or ends when the clock jumps. So a night shift lasts as long as the people are there.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Self
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
NOTHING = timedelta()
_LONGEST_PAUSE = 366 * 5
"""Days without any work in a row after which a calendar is taken to have none at all."""
_YEARS_WITHOUT_WORK = _LONGEST_PAUSE // 366 + 1
_DAYS_KEPT, _YEARS_KEPT = 4096, 64

Period = tuple[datetime, datetime]


class NoWork(ValueError):
    """The calendar has no working time where it was looked for, which its definition should not allow."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Work from one time of a day to another; to the next day's where it ends no later than it begins."""

    start: time
    end: time

    @property
    def over_midnight(self) -> bool:
        return self.end <= self.start


@dataclass(frozen=True, slots=True)
class _Year:
    """What work begins in a year: periods by their starts and ends, and how much was worked up to each end.

    Waits last for months, and are reckoned for every one that ends: so no day of them is looked at.
    """

    starts: list[datetime]
    ends: list[datetime]
    up_to: list[timedelta]

    @classmethod
    def of(cls, periods: Sequence[Period]) -> Self:
        up_to = list(accumulate(end - start for start, end in periods))
        return cls([start for start, _ in periods], [end for _, end in periods], up_to)

    @property
    def worked(self) -> timedelta:
        return self.up_to[-1] if self.up_to else NOTHING

    def worked_before(self, instant: datetime) -> timedelta:
        place = bisect_right(self.starts, instant) - 1
        return self.up_to[place] - max(self.ends[place] - instant, NOTHING) if place >= 0 else NOTHING

    def first_after(self, worked: timedelta) -> datetime:
        """The first instant before which so much was worked, which is more than nothing."""
        place = bisect_left(self.up_to, worked)
        return self.ends[place] - (self.up_to[place] - worked)

    def last_after(self, worked: timedelta) -> datetime:
        """The last instant before which no more was worked, which is not all."""
        place = bisect_right(self.up_to, worked)
        return self.ends[place] - (self.up_to[place] - worked)


@dataclass(frozen=True)
class WorkingCalendar:
    """The shifts of the seven weekdays, Monday first, in a time zone, and the dates on which none begins.

    A shift belongs to the date on which it begins, also for its hours after midnight.
    """

    zone: ZoneInfo
    hours: tuple[tuple[Shift, ...], ...]
    holidays: frozenset[date] = frozenset()
    _known: dict[date, tuple[Period, ...]] = field(default_factory=dict, compare=False, repr=False)
    _years: dict[int, _Year] = field(default_factory=dict, compare=False, repr=False)

    def local_date(self, instant: datetime) -> date:
        """The date that people in the calendar's zone write then."""
        return instant.astimezone(self.zone).date()

    def works_on(self, day: date) -> bool:
        """Whether work begins on this date."""
        return bool(self.periods(day))

    def periods(self, day: date) -> tuple[Period, ...]:
        """When work goes on that began on a date, in order, without what began the day before.

        Shifts that meet or overlap are one.
        """
        known = self._known.get(day)
        if known is None:
            if len(self._known) >= _DAYS_KEPT:
                self._known.clear()
            night = self._shifts(day - DAY)
            covered = night[-1][1] if night else None
            known = self._known[day] = tuple(
                (max(start, covered) if covered else start, end)
                for start, end in self._shifts(day)
                if covered is None or covered < end
            )
        return known

    def add(self, instant: datetime, working: timedelta) -> datetime:
        """The instant when so much working time has passed since, or before if it is negative.

        Of several such instants it is the one nearest to `instant`; nothing leads to `instant` itself.
        Raises `NoWork`.
        """
        instant = instant.astimezone(UTC)
        if not working:
            return instant
        forward, left = working > NOTHING, working
        number = self._first_day(instant).year if forward else self.local_date(instant).year
        pause = 0
        while pause < _YEARS_WITHOUT_WORK:
            year = self._year(number)
            sought = year.worked_before(instant) + left
            if (NOTHING < sought <= year.worked) if forward else (NOTHING <= sought < year.worked):
                return year.first_after(sought) if forward else year.last_after(sought)
            # What is left is counted from the end of this year, or from its beginning.
            left = sought - year.worked if forward else sought
            number += 1 if forward else -1
            pause = 0 if year.worked else pause + 1
        raise NoWork(f"the calendar has no working time for years near {instant}")

    def between(self, since: datetime, until: datetime) -> timedelta:
        """The working time from one instant to another; negative where `until` is the earlier."""
        if until < since:
            return -self.between(until, since)
        since, until = since.astimezone(UTC), until.astimezone(UTC)
        years = map(self._year, range(self._first_day(since).year, self.local_date(until).year + 1))
        return sum((each.worked_before(until) - each.worked_before(since) for each in years), NOTHING)

    def add_days(self, instant: datetime, days: int) -> datetime:
        """The same time of day so many days later, or earlier if negative."""
        local = instant.astimezone(self.zone)
        return self._instant(local.date() + days * DAY, local.time().replace(fold=0))

    def add_working_days(self, instant: datetime, days: int) -> datetime:
        """The same time of day so many working days later, or earlier if negative. Raises `NoWork`."""
        local = instant.astimezone(self.zone)
        day, step = local.date(), DAY if days > 0 else -DAY
        for _ in range(abs(days)):
            day = self._next_working_day(day + step, step)
        return self._instant(day, local.time().replace(fold=0))

    def next_morning(self, instant: datetime) -> datetime:
        """When work begins next, if the working day is over or none is; a break in a day is part of it."""
        instant = instant.astimezone(UTC)
        if self._working_day(instant) is not None:
            return instant
        day = self._first_day(instant)
        while True:
            day = self._next_working_day(day, DAY)
            morning = self.periods(day)[0][0]
            if morning > instant:
                return morning
            day += DAY

    def end_of_day(self, instant: datetime) -> datetime:
        """When work ends on the working day that goes on then, or has just ended.

        Outside of all working days it is the end of the date's own, which may be earlier, or else of the
        next date's that is one. Raises `NoWork`.
        """
        instant = instant.astimezone(UTC)
        day = self._working_day(instant, until_its_end=True)
        if day is None:
            day = self._next_working_day(self.local_date(instant), DAY)
        return self.periods(day)[-1][1]

    def _working_day(self, instant: datetime, *, until_its_end: bool = False) -> date | None:
        """The date whose first shift has begun and whose last has not ended."""
        yesterday = self._first_day(instant)
        for day in (yesterday, yesterday + DAY):
            periods = self.periods(day)
            if periods and periods[0][0] <= instant:
                end = periods[-1][1]
                if instant < end or (until_its_end and instant == end):
                    return day
        return None

    def _first_day(self, instant: datetime) -> date:
        """The first date whose shifts may still go on at an instant."""
        return self.local_date(instant) - DAY

    def _year(self, number: int) -> _Year:
        known = self._years.get(number)
        if known is None:
            day, periods = date(number, 1, 1), list[Period]()
            while day.year == number:
                periods += self.periods(day)
                day += DAY
            if len(self._years) >= _YEARS_KEPT:
                self._years.clear()
            known = self._years[number] = _Year.of(periods)
        return known

    def _next_working_day(self, day: date, step: timedelta) -> date:
        for _ in range(_LONGEST_PAUSE):
            if self.works_on(day):
                return day
            day += step
        raise NoWork(f"the calendar has no working day near {day}")

    def _shifts(self, day: date) -> tuple[Period, ...]:
        if day in self.holidays:
            return ()
        found = sorted(
            (
                self._instant(day, shift.start),
                self._instant(day + DAY if shift.over_midnight else day, shift.end, last=True),
            )
            for shift in self.hours[day.weekday()]
        )
        merged: list[Period] = []
        for start, end in found:
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            elif start < end:
                merged.append((start, end))
        return tuple(merged)

    def _instant(self, day: date, at: time, *, last: bool = False) -> datetime:
        """When the clocks of the zone show this; the last time, or else the first, if they do so twice."""
        local = datetime.combine(day, at, self.zone)
        first, second = local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)
        if first <= second:
            return second if last else first
        # The clocks jump over it. Of an hour that does not come, `fold` tells the two sides apart.
        return _jump(self.zone, second, first)


def _jump(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """When, later than the one and no later than the other, the clocks of a zone are put forward."""
    later = after.astimezone(zone).utcoffset()
    low, high = math.floor(before.timestamp()), math.ceil(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == later:
            high = middle
        else:
            low = middle
    return datetime.fromtimestamp(high, UTC)
