"""notify's sender as a process of its own, to be killed: settings from the environment, nothing else runs."""

import asyncio

from services.notify.sender import Sender
from services.notify.settings import NotifySettings
from shared.blobs import BlobStore
from shared.organisation import Organisations
from shared.postgres import make_pool, opened
from shared.settings import load
from shared.unit_of_work import UnitOfWork


async def main() -> None:
    settings = load(NotifySettings)
    pool = make_pool(settings.postgres_dsn, schema="notify", application="killed")
    async with opened(pool):
        work = UnitOfWork(pool, service="notify")
        await Sender(settings, work, BlobStore(settings.blobs_url, "notify"), Organisations()).run()


if __name__ == "__main__":
    asyncio.run(main())
