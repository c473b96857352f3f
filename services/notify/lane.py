"""One way out: the mails of all mailboxes that send through the same account, over a few connections.

The ledger is the only one here who talks to the database. In one transaction it keeps the results of the
attempts that ended and claims as many mails as there are free workers. So a worker gets its next mail only
when the result of its last one is committed, and what a kill can repeat is one mail per connection.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from services.notify import announce, posting, store_queue
from services.notify.domain.delivery import State
from services.notify.pause import Pause
from services.notify.queued import MailKey, QueuedMail, Settled
from services.notify.smtp import Connection, SmtpError
from services.notify.store_queue import Box
from shared.blobs import BlobStore, BlobsUnavailable
from shared.failure import isolate, outlast, sentence
from shared.logs import get_logger
from shared.metrics import OUTGOING_ATTEMPTS, OUTGOING_REPEATS
from shared.settings import SettingsError
from shared.unit_of_work import UnitOfWork

STOP_SECONDS = 15.0
"""How long a stop waits for attempts under way: one that is broken off may arrive twice."""
CLOSING_SECONDS = 5.0
GATHER_SECONDS = 0.01
"""How long a result waits for others: a transaction of its own costs as much as sending ten mails."""
CHECK_AFTER_SECONDS = 1.0
"""A connection that rested for so long is asked whether it still works before a mail is risked on it."""

log = get_logger(__name__)


class Lane:
    """Sends the mails of `boxes`, which may be changed at any time, until it is cancelled."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], Connection],
        work: UnitOfWork,
        blobs: BlobStore,
        *,
        connections: int,
        null_sender: bool,
        idle_seconds: float,
        claim_seconds: float,
        poll_seconds: float,
    ) -> None:
        self.name = name
        self.boxes: frozenset[Box] = frozenset()
        self.pause = Pause(name)
        self._connect = connect
        self._work = work
        self._blobs = blobs
        self._connections = connections
        self._null_sender = null_sender
        self._idle_seconds = idle_seconds
        self._claim = timedelta(seconds=claim_seconds)
        self._poll_seconds = poll_seconds
        self._stirred = asyncio.Event()
        self._stopping = False
        self._free = 0
        self._jobs: asyncio.Queue[QueuedMail | None] = asyncio.Queue()
        self._held: dict[MailKey, QueuedMail] = {}
        self._doubtful: list[QueuedMail] = []
        self._settled: list[Settled] = []
        self._returned: list[tuple[QueuedMail, str]] = []
        self._renew_at = 0.0
        self._next_due: datetime | None = None
        self._trouble: str | None = None

    def stir(self) -> None:
        """There may be something to do."""
        self._stirred.set()

    def not_ready(self) -> str | None:
        """Why nothing is sent at the moment, in a sentence."""
        return self._trouble or self.pause.reason

    async def run(self) -> None:
        """Send until cancelled; then let the attempts under way end and keep their results."""
        workers = [asyncio.create_task(self._send_for_ever()) for _ in range(self._connections)]
        ledger = asyncio.create_task(self._keep_ledger(workers))
        try:
            self.stir()
            await asyncio.wait((*workers, ledger), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping = True
            for _ in workers:
                self._jobs.put_nowait(None)
            await asyncio.wait(workers, timeout=STOP_SECONDS)
            for worker in workers:
                worker.cancel()
            self.stir()
            await asyncio.wait((*workers, ledger), timeout=CLOSING_SECONDS)
            ledger.cancel()
            ended = await asyncio.gather(*workers, ledger, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    # --- workers -----------------------------------------------------------------------------------

    async def _send_for_ever(self) -> None:
        connection: Connection | None = None
        used = 0.0
        loop = asyncio.get_running_loop()
        try:
            while True:
                self._free += 1
                self.stir()
                mail = await self._next_job(connection)
                if mail is None:
                    return
                if connection is not None and loop.time() - used > CHECK_AFTER_SECONDS:
                    connection = await self._checked(connection)
                connection = await self._attempt(mail, connection)
                used = loop.time()
        finally:
            if connection is not None:
                await connection.close()

    async def _next_job(self, connection: Connection | None) -> QueuedMail | None:
        if connection is not None:
            try:
                async with asyncio.timeout(self._idle_seconds):
                    return await self._jobs.get()
            except TimeoutError:
                await connection.close()
        return await self._jobs.get()

    async def _checked(self, connection: Connection) -> Connection | None:
        if connection.usable:
            try:
                await connection.check()
                return connection
            except SmtpError:
                pass
        await connection.close()
        return None

    async def _attempt(self, mail: QueuedMail, connection: Connection | None) -> Connection | None:
        """Send one mail, and note what came of it; return the connection if it is still of use."""
        kept: Connection | None = None
        try:
            if connection is None or not connection.usable:
                connection = self._connect()
                await connection.open()
            result = await posting.post(
                mail,
                connection,
                self._blobs,
                self._work.clock,
                null_sender=self._null_sender,
                way=self.name,
            )
            self._settled.append(result)
            if connection.usable:
                kept = connection
            if kept is not None or result.state is State.SENT:
                self.pause.worked()
            else:
                self.pause.failed(result.reason)
        except (SmtpError, SettingsError, BlobsUnavailable) as error:
            # No attempt: what went wrong has nothing to do with this mail.
            self.pause.failed(str(error))
            self._returned.append((mail, str(error)))
            log.warning("smtp paused", server=self.name, reason=str(error), failures=self.pause.failures)
        except Exception as error:  # a bug of ours, or bytes that are gone, cost this mail only
            log.exception("attempt failed", mail=str(mail.id), server=self.name)
            self._settled.append(posting.failed(mail, sentence(error), self._work.clock))
        finally:
            if connection is not None and kept is None:
                await connection.close()
        return kept

    # --- the ledger --------------------------------------------------------------------------------

    async def _keep_ledger(self, workers: list[asyncio.Task[None]]) -> None:
        while True:
            await self._wait()
            await self._gather()
            if self._stopping and all(worker.done() for worker in workers):
                # Claims that nobody came to work on go back as they were.
                while not self._jobs.empty():
                    if (mail := self._jobs.get_nowait()) is not None:
                        self._returned.append((mail, ""))
                await self._enter()
                return
            await self._enter()

    async def _wait(self) -> None:
        """Until somebody stirs, or the next mail, the end of a pause or of a claim is due."""
        seconds = self._poll_seconds
        if self._free and self._next_due is not None:
            seconds = min(seconds, (self._next_due - self._work.clock.now()).total_seconds())
        if self.pause.seconds:
            seconds = min(self.pause.seconds, self._poll_seconds)
        if self._held:
            seconds = min(seconds, self._claim.total_seconds() / 3)
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._stirred.wait()
        except TimeoutError:
            pass
        self._stirred.clear()

    async def _gather(self) -> None:
        """Let the attempts that end together be one entry."""
        try:
            async with asyncio.timeout(GATHER_SECONDS):
                while self._settled and self._free < self._connections:
                    await self._stirred.wait()
                    self._stirred.clear()
        except TimeoutError:
            pass

    async def _enter(self) -> None:
        """One entry: results and returned claims are kept, claims renewed, and new ones made."""
        settled, self._settled = self._settled, []
        returned, self._returned = self._returned, []
        try:
            claimed = await outlast(
                partial(self._commit, settled, returned, self._wanted()), notice=self._notice
            )
        except Exception:
            # A bug of ours with one result must not hold up the others. Its claim runs out, and the mail
            # comes back as lost, as often as mails are tried.
            log.exception("results not kept together", server=self.name)
            await isolate(self._commit_only, settled, self._drop)
            claimed, self._next_due = [], None
        self._trouble = None
        for result in settled:
            self._held.pop(result.mail.key, None)
        for mail, _ in returned:
            self._held.pop(mail.key, None)
        for mail in claimed:
            if mail.lost:
                OUTGOING_REPEATS.labels("lost").inc()
                log.warning("mail of a dead process is sent again", mail=str(mail.id), attempt=mail.attempts)
            self._held[mail.key] = mail
            self._free -= 1
            self._jobs.put_nowait(mail)

    def _wanted(self) -> int:
        if self._stopping or not self.boxes or self.pause.seconds:
            return 0
        # After a failure one mail goes first, to see whether the server works again.
        return (0 if self._held else 1) if self.pause.failures else self._free

    async def _commit(
        self, settled: Sequence[Settled], returned: Sequence[tuple[QueuedMail, str]], wanted: int
    ) -> list[QueuedMail]:
        loop_now = asyncio.get_running_loop().time()
        async with self._work.begin() as batch:
            connection, now = batch.connection, batch.now
            kept = await store_queue.settle(connection, settled)
            batch.publish(*(announce.settled(result) for result in settled if result.mail.key in kept))
            again = now + timedelta(seconds=self.pause.seconds)
            await store_queue.release(connection, [(mail, again, reason) for mail, reason in returned])
            if self._held and loop_now >= self._renew_at:
                await store_queue.renew(connection, self._held.values(), now + self._claim)
                self._renew_at = loop_now + self._claim.total_seconds() / 4
            # A commit whose answer was lost may have claimed these, and nobody else would know of them.
            claimed = await store_queue.standing(connection, self._doubtful)
            due = None
            if wanted > len(claimed):
                free = wanted - len(claimed)
                found = await store_queue.claim(connection, self.boxes, free, now, now + self._claim)
                self._doubtful += found
                claimed += found
                if len(found) < free:
                    due = await store_queue.next_due(connection, self.boxes)
        self._doubtful = []
        self._next_due = due
        self._count(settled, kept)
        return claimed

    async def _commit_only(self, settled: Sequence[Settled]) -> None:
        await outlast(partial(self._commit, settled, (), 0), notice=self._notice)

    async def _drop(self, result: Settled, error: Exception) -> None:
        log.error("result not kept", mail=str(result.mail.id), reason=sentence(error))

    def _count(self, settled: Sequence[Settled], kept: set[MailKey]) -> None:
        for result in settled:
            if result.mail.key not in kept:
                log.warning("result came too late", mail=str(result.mail.id), attempt=result.mail.attempts)
                continue
            OUTGOING_ATTEMPTS.labels(result.outcome).inc()
            if result.outcome == "unanswered":
                OUTGOING_REPEATS.labels("unanswered").inc()

    def _notice(self, error: BaseException, attempt: int) -> None:
        self._trouble = f"The queue of {self.name} waits after attempt {attempt}: {sentence(error)}"
        log.warning("queue entry begun again", server=self.name, attempt=attempt, reason=sentence(error))
