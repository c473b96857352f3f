"""Holds a mailbox: one process reads it, and who went silent loses it to another (design §8)."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from services.ingest import store_mailboxes
from services.ingest.store_mailboxes import Lease, LeaseLost
from shared.failure import is_transient
from shared.logs import get_logger
from shared.unit_of_work import UnitOfWork

RELEASE_SECONDS = 5.0

_log = get_logger(__name__)


class LeaseHolder:
    """Takes one mailbox, keeps it while it is read, and lets go of it."""

    def __init__(
        self, work: UnitOfWork, organisation: str, mailbox: str, *, holder: str, seconds: float
    ) -> None:
        self._work = work
        self._organisation = organisation
        self._mailbox = mailbox
        self._holder = holder
        self._lasts = timedelta(seconds=seconds)
        self._pause = seconds / 3

    async def hold(self, read: Callable[[Lease], Awaitable[None]]) -> None:
        """Wait for the mailbox, then `read` it until that ends. Raises `LeaseLost` when another has it."""
        lease = await self._acquire()
        tasks = [asyncio.ensure_future(read(lease)), asyncio.create_task(self._renew(lease))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._release(lease)

    async def _acquire(self) -> Lease:
        while True:
            try:
                async with self._work.begin() as batch:
                    lease = await store_mailboxes.acquire(
                        batch.connection,
                        self._organisation,
                        self._mailbox,
                        self._holder,
                        batch.now,
                        self._lasts,
                    )
                if lease is not None:
                    return lease
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("a lease cannot be asked for", mailbox=self._mailbox, reason=str(error))
            await asyncio.sleep(self._pause)

    async def _renew(self, lease: Lease) -> None:
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while True:
            await asyncio.sleep(self._pause)
            asked = loop.time()
            try:
                async with self._work.begin() as batch:
                    await store_mailboxes.renew(batch.connection, lease, batch.now, self._lasts)
                renewed = asked
            except Exception as error:
                if not is_transient(error):
                    raise
                if loop.time() - renewed > self._lasts.total_seconds():
                    raise LeaseLost(f"the lease on {lease.mailbox} could not be renewed") from error

    async def _release(self, lease: Lease) -> None:
        # What cannot be released expires.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(RELEASE_SECONDS), self._work.begin() as batch:
                await store_mailboxes.release(batch.connection, lease, batch.now)
