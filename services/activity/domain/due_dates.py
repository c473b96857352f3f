"""By when an activity is to be done: what a rule says, what a person says, and waits that do not count.

Everything is decided by the rule as it is configured at that moment (SL-1 to SL-6); what was decided stands
in the events, so that no later configuration changes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.activity.domain.states import Status, WaitType
from services.activity.domain.working_time import WorkingCalendar
from shared.references import ReferenceKind


class DueMethod(StrEnum):
    """From where a due date is reckoned."""

    AFTER_START = "after_start"
    END_OF_MONTH = "end_of_month"
    BY_HAND = "by_hand"


class DueUnit(StrEnum):
    """What a rule counts."""

    HOURS = "hours"
    WORKING_HOURS = "working_hours"
    DAYS = "days"
    WORKING_DAYS = "working_days"


STOPPING: Mapping[ReferenceKind, frozenset[str]] = {
    ReferenceKind.TICKET: frozenset({WaitType.MORE_INFO}),
    ReferenceKind.CASE: frozenset({WaitType.MORE_INFO}),
    ReferenceKind.ACTION: frozenset({WaitType.MORE_INFO, WaitType.UNTIL}),
}
"""Which waits stop the clock where a rule adds wait time and says no more (SL-4, AMB-12)."""

_ALWAYS = WorkingCalendar(ZoneInfo("UTC"), ((),) * 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRule:
    """A due-date rule (SL-1). `amount` counts units and may be negative.

    `stops` names the waits that stop the clock, None those of `STOPPING`; it matters with `add_wait_time`
    only. A calendar is there where working time is counted; days without one are UTC's.
    """

    name: str
    method: DueMethod = DueMethod.AFTER_START
    amount: float = 0
    unit: DueUnit = DueUnit.HOURS
    calendar: WorkingCalendar | None = None
    allow_override: bool = False
    add_wait_time: bool = False
    next_morning: bool = False
    end_of_day: bool = False
    stops: frozenset[str] | None = None

    def due(self, start: datetime) -> datetime | None:
        """By when what starts then is to be done, waits left out; None where only a person may say."""
        if self.method is DueMethod.BY_HAND:
            return None
        calendar = self.calendar or _ALWAYS
        base = start if self.method is DueMethod.AFTER_START else _end_of_month(start, calendar.zone)
        due = self._adjusted(base, calendar)
        if self.calendar and self.next_morning:
            due = self.calendar.next_morning(due)
        if self.calendar and self.end_of_day:
            due = self._at_end_of_day(due, start, self.calendar)
        return due.astimezone(UTC)

    def stops_in(self, kind: ReferenceKind, wait: WaitType) -> bool:
        """Whether the clock stands while an activity waits so (SL-4)."""
        stops = STOPPING[kind] if self.stops is None else self.stops
        return self.add_wait_time and wait in stops

    def elapsed(self, since: datetime, until: datetime) -> timedelta:
        """The time between two instants as this rule counts it; negative where `until` is the earlier."""
        calendar = self._working
        return calendar.between(since, until) if calendar else until - since

    def later(self, due: datetime, by: timedelta) -> datetime:
        """A due date put off by so much time as this rule counts it (SL-5)."""
        calendar = self._working
        return calendar.add(due, by) if calendar else due + by

    @property
    def _working(self) -> WorkingCalendar | None:
        return self.calendar if self.unit in (DueUnit.WORKING_HOURS, DueUnit.WORKING_DAYS) else None

    def _adjusted(self, base: datetime, calendar: WorkingCalendar) -> datetime:
        match self.unit:
            case DueUnit.HOURS:
                return base.astimezone(UTC) + timedelta(hours=self.amount)
            case DueUnit.WORKING_HOURS:
                return calendar.add(base, timedelta(hours=self.amount))
            case DueUnit.DAYS:
                return calendar.add_days(base, int(self.amount))
            case DueUnit.WORKING_DAYS:
                return calendar.add_working_days(base, int(self.amount))

    def _at_end_of_day(self, due: datetime, start: datetime, calendar: WorkingCalendar) -> datetime:
        end = calendar.end_of_day(due)
        if self.method is DueMethod.AFTER_START and end < start:
            # What comes in after hours is not late from the beginning.
            return calendar.end_of_day(calendar.next_morning(start))
        return end


@dataclass(frozen=True, slots=True)
class Waited:
    """A time in which the clock stood."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An activity's due date (SL-1).

    - `since` is from when the rule reckons; None while nobody has handed the activity in (SL-2).
    - `by_rule` and `by_hand` are what the two say, with all waits that are over added (SL-5).
    - `paused` is since when the clock stands, `left` the time that was left then, as the rule counts it:
      negative where it was overdue (SL-3).
    - `waits` are those in which the clock stood, for when another rule has to reckon anew (T37).
    """

    since: datetime | None = None
    by_rule: datetime | None = None
    by_hand: datetime | None = None
    paused: datetime | None = None
    left: timedelta | None = None
    waits: tuple[Waited, ...] = ()

    @property
    def at(self) -> datetime | None:
        """The due date that counts: the one set by hand, or else the rule's."""
        return self.by_hand or self.by_rule


NO_DUE = Due()
"""Of what nobody has handed in yet."""


def first_due(status: Status, since: datetime) -> Due:
    """Of what came into being in this status where no rule and nobody said anything."""
    return NO_DUE if status is Status.DRAFT else Due(since=since)


def started(due: Due, rule: DueRule | None, since: datetime) -> Due:
    """The rule begins to reckon; what was set by hand before stays (T2, T3, T5)."""
    return replace(due, since=since, by_rule=rule.due(since) if rule else None)


def in_wait(due: Due, rule: DueRule | None, kind: ReferenceKind, wait: WaitType | None, now: datetime) -> Due:
    """The clock stands or runs as this wait, or none, wants it (SL-4); what was waited is added (SL-5)."""
    stops = wait is not None and rule is not None and rule.stops_in(kind, wait)
    if stops == (due.paused is not None):
        return due
    return _stopped(due, rule, now) if stops else _resumed(due, rule, now)


def set_by_hand(due: Due, rule: DueRule | None, at: datetime | None, now: datetime) -> Due:
    """A person says by when, or with None leaves it to the rule again.

    Where the clock stands, it stands on, and what is left is reckoned from now.
    """
    if due.paused is None:
        return replace(due, by_hand=at)
    return _stopped(replace(_resumed(due, rule, now), by_hand=at), rule, now)


def recategorised(
    due: Due, rule: DueRule | None, kind: ReferenceKind, wait: WaitType | None, now: datetime
) -> Due:
    """Another rule reckons, from the same start and, if it adds wait time, with the same waits (T37).

    What was set by hand stays only where the new rule lets people set it.
    """
    if due.since is None:
        return due if rule is None or rule.allow_override else replace(due, by_hand=None)
    by_rule = rule.due(due.since) if rule else None
    due = _resumed(due, rule, now)
    if rule and rule.add_wait_time and by_rule:
        for waited in due.waits:
            by_rule = rule.later(by_rule, rule.elapsed(waited.since, waited.until))
    kept = due.by_hand if rule is None or rule.allow_override else None
    return in_wait(replace(due, by_rule=by_rule, by_hand=kept), rule, kind, wait, now)


def _stopped(due: Due, rule: DueRule | None, now: datetime) -> Due:
    left = None if due.at is None else _elapsed(rule, now, due.at)
    return replace(due, paused=now, left=left)


def _resumed(due: Due, rule: DueRule | None, now: datetime) -> Due:
    if due.paused is None:
        return due
    waited = Waited(due.paused, now)
    time = _elapsed(rule, waited.since, waited.until)
    return replace(
        due,
        by_rule=due.by_rule and _later(rule, due.by_rule, time),
        by_hand=due.by_hand and _later(rule, due.by_hand, time),
        paused=None,
        left=None,
        waits=(*due.waits, waited),
    )


def _elapsed(rule: DueRule | None, since: datetime, until: datetime) -> timedelta:
    return rule.elapsed(since, until) if rule else until - since


def _later(rule: DueRule | None, due: datetime, by: timedelta) -> datetime:
    return rule.later(due, by) if rule else due + by


def _end_of_month(start: datetime, zone: ZoneInfo) -> datetime:
    """The last minute of the month, as a date on which something is due is written."""
    local = start.astimezone(zone)
    next_month = (local.replace(day=1) + timedelta(days=32)).replace(day=1).date()
    return datetime.combine(next_month - timedelta(days=1), time(23, 59), zone)
