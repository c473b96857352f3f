"""activity's schedules as a process of its own, to be killed; nothing else runs in it.

python -m tests.support.schedules_process <DSN>
"""

import asyncio
import sys

from services.activity.numbers import Numbers
from services.activity.schedules import Schedules
from services.activity.work import Work
from shared.organisation import Organisations
from shared.postgres import make_pool, opened
from shared.unit_of_work import UnitOfWork


async def main(dsn: str) -> None:
    async with opened(make_pool(dsn, schema="activity", application="killed")) as pool:
        work = Work(Organisations(), Numbers(pool))
        unit = UnitOfWork(pool, service="activity")
        await Schedules(unit, work, poll_seconds=0.1, missed=1000).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
