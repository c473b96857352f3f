"""Working calendars: when people work, and how much of it lies between two instants (SL-1).

Instants are aware and come back in UTC. A period is half open: it has its first instant, not its last.
Where the clock is put back, what begins in the hour that comes twice begins in the first of the two, and
what ends there ends in the second. Where it is put forward, what would begin or end in the hour that does
not come begins or ends when the clock jumps. So a night shift lasts as long as the people are there.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
NOTHING = timedelta()
_LONGEST_PAUSE = 366 * 5
"""Days without any work in a row after which a calendar is taken to have none at all."""
_DAYS_KEPT = 4096

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


@dataclass(frozen=True)
class WorkingCalendar:
    """The shifts of the seven weekdays, Monday first, in a time zone, and the dates on which none begins.

    A shift belongs to the date on which it begins, also for its hours after midnight.
    """

    zone: ZoneInfo
    hours: tuple[tuple[Shift, ...], ...]
    holidays: frozenset[date] = frozenset()
    _known: dict[date, tuple[Period, ...]] = field(default_factory=dict, compare=False, repr=False)

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
        instant, left = instant.astimezone(UTC), abs(working)
        if not left:
            return instant
        forward = working > NOTHING
        periods = self._after(instant) if forward else self._before(instant)
        while True:
            start, end = next(periods)
            if left <= end - start:
                return start + left if forward else end - left
            left -= end - start

    def between(self, since: datetime, until: datetime) -> timedelta:
        """The working time from one instant to another; negative where `until` is the earlier."""
        if until < since:
            return -self.between(until, since)
        since, until = since.astimezone(UTC), until.astimezone(UTC)
        worked = NOTHING
        day, last = self._first_day(since), self.local_date(until)
        while day <= last:
            for start, end in self.periods(day):
                worked += max(min(end, until) - max(start, since), NOTHING)
            day += DAY
        return worked

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

    def _after(self, instant: datetime) -> Iterator[Period]:
        """Working periods from an instant on, in order."""
        day = self._first_day(instant)
        while True:
            day = self._next_working_day(day, DAY)
            for start, end in self.periods(day):
                if instant < end:
                    yield max(start, instant), end
            day += DAY

    def _before(self, instant: datetime) -> Iterator[Period]:
        """Working periods up to an instant, the last first."""
        day = self.local_date(instant)
        while True:
            day = self._next_working_day(day, -DAY)
            for start, end in reversed(self.periods(day)):
                if start < instant:
                    yield start, min(end, instant)
            day -= DAY

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
