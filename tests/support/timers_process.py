"""activity's timers as a process of its own, to be killed; nothing else runs in it.

python -m tests.support.timers_process <DSN> <timers in a transaction>
"""

import asyncio
import sys

from services.activity.numbers import Numbers
from services.activity.timers import Timers
from services.activity.work import Work
from shared.organisation import Organisations
from shared.postgres import make_pool, opened
from shared.unit_of_work import UnitOfWork


async def main(dsn: str, page: str) -> None:
    async with opened(make_pool(dsn, schema="activity", application="killed")) as pool:
        organisations = Organisations()
        unit = UnitOfWork(pool, service="activity")
        await Timers(
            unit, Work(organisations, Numbers(pool)), organisations, poll_seconds=0.1, page=int(page)
        ).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
