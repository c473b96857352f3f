"""Rules about working calendars and due-date rules (SL-1, SL-4)."""

from collections.abc import Iterator, Mapping
from functools import cache
from zoneinfo import available_timezones

from shared.contracts.activity_organisation import (
    Definition,
    DueDateMethod,
    DueDateRule,
    DueDateUnit,
    Weekday,
)
from shared.organisation_finding import Finding, Path, Rule

_WORKING = (DueDateUnit.WORKING_HOURS, DueDateUnit.WORKING_DAYS)
_LARGEST_ADJUSTMENT = 3650
_WHOLE = (DueDateUnit.DAYS, DueDateUnit.WORKING_DAYS)


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def calendars_can_be_kept(definition: Definition) -> Iterator[Finding]:
    """Each has a time zone of the IANA database, and hours in order that leave some time to work in."""
    for index, calendar in enumerate(definition.calendars):
        where: Path = ("calendars", index)
        if calendar.time_zone not in _time_zones():
            yield Finding(
                (*where, "time_zone"),
                f"there is no time zone {calendar.time_zone!r}; the IANA names are such as Europe/Brussels",
            )
        if not any(calendar.hours.values()):
            yield Finding(
                (*where, "hours"), f"{calendar.name!r} has no hours, so that no work would ever end"
            )
        yield from _hours((*where, "hours"), calendar.hours)
        if len(set(calendar.holidays)) < len(calendar.holidays):
            yield Finding((*where, "holidays"), f"a holiday stands twice in {calendar.name!r}")


def _hours(where: Path, hours: Mapping[Weekday, tuple[str, ...]]) -> Iterator[Finding]:
    """The hours of a week follow each other. Those of a night (`22:00-06:00`) end on the day after."""
    days = list(Weekday)
    for day, spans in hours.items():
        yesterday = hours.get(days[days.index(day) - 1], ())
        ended = max((end for start, end in map(_ends, yesterday) if end <= start), default="")
        for position, span in enumerate(spans):
            start, end = _ends(span)
            place: Path = (*where, day.value, position)
            if start == end:
                yield Finding(place, f"{span} ends where it begins; a whole day is 00:00-24:00")
            elif start < ended:
                yield Finding(place, f"{span} begins before {ended}, where the hours before it end")
            ended = end if end > start else "24:00"


def _ends(span: str) -> tuple[str, str]:
    start, _, end = span.partition("-")
    return start, end


def due_dates_can_be_reckoned(definition: Definition) -> Iterator[Finding]:
    """A rule has the calendar that it needs, and its parts do not contradict each other."""
    for index, rule in enumerate(definition.due_dates):
        where: Path = ("due_dates", index)
        if rule.calendar is None and (why := _needs_a_calendar(rule)):
            yield Finding((*where, "calendar"), f"{rule.name!r} {why} and needs a calendar")
        if not abs(rule.adjust) <= _LARGEST_ADJUSTMENT:
            yield Finding((*where, "adjust"), f"it is at most {_LARGEST_ADJUSTMENT} either way")
            continue
        if rule.unit in _WHOLE and rule.adjust != int(rule.adjust):
            yield Finding((*where, "adjust"), f"{rule.unit} are counted whole, and {rule.adjust:g} is not")
        if rule.method is DueDateMethod.AFTER_START and rule.adjust < 0:
            yield Finding((*where, "adjust"), "a due date is not before the start that it is reckoned from")
        if rule.method is DueDateMethod.BY_HAND and rule.adjust:
            yield Finding((*where, "adjust"), "there is nothing to adjust in a due date that is set by hand")
        if rule.method is DueDateMethod.BY_HAND and not rule.allow_override:
            yield Finding((*where, "allow_override"), "a due date that is set by hand has to allow_override")
        if rule.move_to_next_morning and rule.move_to_end_of_day:
            yield Finding(
                (*where, "move_to_end_of_day"), "it cannot move to the next morning and to the day's end"
            )
        if rule.stops_the_clock is not None and not rule.add_wait_time:
            yield Finding((*where, "stops_the_clock"), "without add_wait_time no wait stops the clock (SL-4)")


def _needs_a_calendar(rule: DueDateRule) -> str | None:
    if rule.unit in _WORKING:
        return f"counts {rule.unit}"
    if rule.method is DueDateMethod.END_OF_MONTH:
        return "reckons from the end of a month"
    if rule.move_to_next_morning or rule.move_to_end_of_day:
        return "moves to an hour of work"
    return None


RULES: tuple[Rule, ...] = (calendars_can_be_kept, due_dates_can_be_reckoned)
