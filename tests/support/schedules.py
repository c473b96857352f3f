"""Schedules for the organisation of `hiring.py`, and the Cases that begin by them."""

from typing import Any

from services.activity import configuration
from services.activity.schedules import Schedules
from shared.contracts.activity_organisation import Definition, Process, Schedule
from shared.unit_of_work import Batch
from tests.support.hiring import HIRING, WITH_CASES
from tests.support.office import Office

(OFFICE,) = WITH_CASES.calendars
EVERY_HOUR = Schedule(
    name="hourly", title="Look around", cron="0 * * * *", calendar="office", description="All of it."
)
DAILY = Schedule(
    name="daily",
    title="Close the day",
    cron="30 18 * * *",
    calendar="office",
    description="All of it.",
    fields={"device": "laptop"},
)


def scheduled(*schedules: Schedule, time_zone: str = OFFICE.time_zone, **changes: Any) -> Definition:
    """An office that hires by schedules."""
    hiring = HIRING.model_copy(update={"schedules": schedules, **changes})
    calendar = OFFICE.model_copy(update={"time_zone": time_zone})
    return _with(hiring, calendars=(calendar,))


def _with(hiring: Process, **changes: Any) -> Definition:
    processes = (*(each for each in WITH_CASES.processes if each.name != "hiring"), hiring)
    return WITH_CASES.model_copy(update={"processes": processes, **changes})


async def apply(office: Office, definition: Definition) -> None:
    """Let it be the configuration from now on."""

    async def work(batch: Batch[Any]) -> None:
        await configuration.apply(batch, definition, "operator", office.work)

    await office.unit.run(work)


def component(office: Office, missed: int = 100) -> Schedules:
    return Schedules(office.unit, office.work, missed=missed)


async def all_of(schedules: Schedules) -> int:
    """Begin whatever has come; returns how many Cases that were."""
    count = 0
    while begun := await schedules.begin():
        count += begun
    return count


async def cases(office: Office) -> list[Any]:
    return [row for row in await office.tickets() if row["kind"] == "case"]
