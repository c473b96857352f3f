"""Parts of an organisation's configuration about time: working calendars and due-date rules."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from shared.contracts.organisation_strict import Strict, Titled
from shared.contracts.record import Name

OpenHours = Annotated[
    str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")
]
"""Local wall-clock time from which and up to which there is work: `09:00-17:30`; a day ends at
`24:00`, and the hours of a night on the day after: `22:00-06:00`."""


class Weekday(StrEnum):
    """A day of the week, Monday first, as ISO 8601 numbers them."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Calendar(Titled):
    """When there is work (SL-1): hours of each weekday in a time zone of the IANA database, but on holidays.

    A weekday that is left out is free.
    """

    time_zone: str
    hours: dict[Weekday, tuple[OpenHours, ...]]
    holidays: tuple[date, ...] = ()


class DueDateMethod(StrEnum):
    """From where a due date is reckoned (SL-1)."""

    AFTER_START = "after_start"
    """From when the activity was submitted, or came in."""
    END_OF_MONTH = "end_of_month"
    """From the end of the month in which that was, in the calendar's time zone."""
    BY_HAND = "by_hand"
    """Not at all: it has none until somebody sets one."""


class DueDateUnit(StrEnum):
    """What `adjust` counts: hours or days of the clock, or of a calendar's work (SL-1)."""

    HOURS = "hours"
    WORKING_HOURS = "working_hours"
    DAYS = "days"
    WORKING_DAYS = "working_days"


class Halt(StrEnum):
    """A wait that may stop the clock of a due date (SL-4)."""

    MORE_INFORMATION = "more_information"
    UNTIL = "until"
    PAUSE = "pause"
    SPLIT = "split"
    CASE_LAUNCHED = "case_launched"


class DueDateRule(Strict):
    """How a due date is found, and what may change it (SL-1).

    `adjust` counts `unit`s and may be negative where the method reckons from an end. `stops_the_clock` None
    stands for the table of SL-4; it matters only with `add_wait_time`.
    """

    name: Name
    method: DueDateMethod = DueDateMethod.AFTER_START
    adjust: float = 0
    unit: DueDateUnit = DueDateUnit.HOURS
    calendar: Name | None = None
    allow_override: bool = False
    add_wait_time: bool = False
    move_to_next_morning: bool = False
    move_to_end_of_day: bool = False
    stops_the_clock: tuple[Halt, ...] | None = None
