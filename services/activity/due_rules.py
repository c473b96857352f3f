"""Working calendars and due-date rules of the configuration, as the domain wants them (SL-1)."""

from datetime import time
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.activity.domain.due_dates import DueMethod, DueRule, DueUnit
from services.activity.domain.working_time import Shift, WorkingCalendar
from shared.contracts.activity_organisation import Weekday
from shared.organisation import Organisation

_MIDNIGHT = "24:00"


def due_rule(organisation: Organisation, process: str, category: str | None = None) -> DueRule | None:
    """The rule for due dates of a process's category, or of the process. Raises `Unknown`."""
    found = organisation.due_date(process, category)
    return _rule(organisation, found.name) if found else None


def due_rule_called(organisation: Organisation, name: str) -> DueRule | None:
    """The rule of this name; None where it is there no longer: a Case may have begun with it."""
    known = any(each.name == name for each in organisation.due_dates)
    return _rule(organisation, name) if known else None


@lru_cache(maxsize=1024)
def _rule(organisation: Organisation, name: str) -> DueRule:
    found = next(each for each in organisation.due_dates if each.name == name)
    stops = found.stops_the_clock
    return DueRule(
        name=found.name,
        method=DueMethod(found.method.value),
        amount=found.adjust,
        unit=DueUnit(found.unit.value),
        calendar=_calendar(organisation, found.calendar) if found.calendar else None,
        allow_override=found.allow_override,
        add_wait_time=found.add_wait_time,
        next_morning=found.move_to_next_morning,
        end_of_day=found.move_to_end_of_day,
        stops=None if stops is None else frozenset(each.value for each in stops),
    )


@lru_cache(maxsize=256)
def _calendar(organisation: Organisation, name: str) -> WorkingCalendar:
    found = organisation.calendar(name)
    return WorkingCalendar(
        zone=ZoneInfo(found.time_zone),
        hours=tuple(tuple(map(_shift, found.hours.get(day, ()))) for day in Weekday),
        holidays=frozenset(found.holidays),
    )


def _shift(hours: str) -> Shift:
    start, _, end = hours.partition("-")
    return Shift(time.fromisoformat(start), time() if end == _MIDNIGHT else time.fromisoformat(end))
