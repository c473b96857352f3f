"""Which schedules an organisation has, and when each comes next once a configuration holds (CA-1)."""

from datetime import datetime

from services.activity import store_schedules
from services.activity.store_schedules import Planned, ScheduleKey
from shared import cron
from shared.organisation import Organisation
from shared.postgres import Connection


async def settle(connection: Connection, organisation: Organisation, since: datetime) -> None:
    """Let the table say what the configuration says, which holds since then.

    A schedule that is new, or has other times, comes at its first time after that; so do those of a process
    that takes work from now on. What has not changed comes when it would have come.
    """
    known = {each.key: each for each in await store_schedules.of_organisation(connection, organisation.name)}
    wanted = _schedules(organisation)
    come = [
        Planned(key, expression, zone, cron.first_after(expression, zone, since))
        for key, (expression, zone) in wanted.items()
        if key not in known or (known[key].cron, known[key].time_zone) != (expression, zone)
    ]
    await store_schedules.replace(connection, known.keys() - wanted.keys(), come)


def _schedules(organisation: Organisation) -> dict[ScheduleKey, tuple[str, str]]:
    """What the times of each schedule follow from: its expression and time zone.

    A draft begins nothing, and what is in test begins something in test mode alone (GL-5).
    """
    return {
        ScheduleKey(organisation.name, process.name, each.name): (
            each.cron,
            organisation.calendar(each.calendar).time_zone,
        )
        for process in organisation.processes
        if organisation.takes_work(process.name, in_test=True)
        for each in process.schedules
    }
