"""An office in Paris, its rules for due dates, and their days."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.activity.domain.due_dates import (
    DueRule,
    DueUnit,
)
from services.activity.domain.steps import PickUp, WaitForMoreInformation
from services.activity.domain.vocabulary import SYSTEM
from services.activity.domain.working_time import Shift, WorkingCalendar
from shared.references import ReferenceKind
from tests.unit.activity.tickets import (
    MAIL_ROUTED,
    WINDOW,
    Life,
)

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)
OFFICE = WorkingCalendar(PARIS, (*[(Shift(time(9), time(17)),)] * 5, (), ()))
TICKET = ReferenceKind.TICKET
# NOW is a Sunday, 10 o'clock in Paris.
EIGHT_HOURS = DueRule(
    name="eight-hours", amount=8, unit=DueUnit.WORKING_HOURS, calendar=OFFICE, add_wait_time=True
)
TWO_DAYS = DueRule(name="two-days", amount=2, unit=DueUnit.DAYS, allow_override=True, add_wait_time=True)
PROCESS = replace(WINDOW, due_date=TWO_DAYS, due_dates={"software": EIGHT_HOURS})


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def in_paris(instant: datetime | None) -> str | None:
    return instant and instant.astimezone(PARIS).strftime("%Y-%m-%d %H:%M")


def waiting(process: Any = PROCESS, category: str = "hardware") -> Life:
    """A Ticket that began an hour ago and waits for information for five days."""
    life = Life(process)
    life.take(replace(MAIL_ROUTED, category=category), SYSTEM)
    life.take(PickUp())
    life.now += HOUR
    life.take(WaitForMoreInformation(5))
    return life
