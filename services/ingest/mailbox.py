"""Reads one mailbox: what is new in it is taken in, then moved to its done folder, and deleted there one day.

What is new is the difference between the server's UIDs and those taken in. Nothing is marked as seen, and
nothing is touched on the server before it is committed here (design §2, guarantee 1).
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from services.ingest import store_mailboxes, tracing
from services.ingest.announce import mailbox_polled
from services.ingest.imap import PAGE_UIDS, ImapError, ImapSession
from services.ingest.intake import Intake
from services.ingest.mail_rows import PreparedMail
from services.ingest.reading import ReadLimits, read_page
from services.ingest.rereading import reread_done_folder
from services.ingest.store_mailboxes import Folder, Lease, LeaseLost, State, Taken, Waiting
from services.ingest.timing import Timing
from shared.blobs import BlobError
from shared.contracts.activity_organisation import Imap
from shared.failure import is_transient, outlast, sentence
from shared.logs import get_logger
from shared.metrics import IMAP_FAILURES, MAILS_MOVED, MAILS_SWEPT
from shared.settings import SettingsError
from shared.unit_of_work import Batch

LONGEST_PAUSE_SECONDS = 60.0
LASTING_PAUSE_SECONDS = 300.0
"""Pause at most after an error that somebody has to mend: a wrong password locks accounts."""

T = TypeVar("T")
_log = get_logger(__name__)


class MailboxReader:
    """Reads one mailbox under a lease. `open` connects and logs in."""

    def __init__(
        self,
        intake: Intake,
        mailbox: str,
        imap: Imap,
        open: Callable[[], Awaitable[ImapSession]],
        *,
        timing: Timing,
        limits: ReadLimits,
    ) -> None:
        self.intake = intake
        self._mailbox = mailbox
        self.imap = imap
        self._open = open
        self.timing = timing
        self.limits = limits
        self.state = State.WAITING
        self.swept_at: float | None = None
        self.failures = 0
        """Connections in a row that ended before one look was through: each makes the next pause longer."""

    async def read(self, lease: Lease) -> None:
        """Read for as long as the lease is ours. Raises `LeaseLost`; waits every other failure out."""
        try:
            while True:
                lasting = await self._connected(lease)
                await asyncio.sleep(self._pause(lasting))
        finally:
            self.state = State.WAITING

    async def _connected(self, lease: Lease) -> bool:
        """One connection, to its end; whether somebody has to do something before another helps."""
        session: ImapSession | None = None
        try:
            session = await self._open()
            await _Visit(self, session, lease).stay()
        except LeaseLost:
            raise
        except (ImapError, SettingsError, BlobError) as error:
            reason, lasting = str(error), not _passes(error)
            IMAP_FAILURES.labels("lasting" if lasting else "passing").inc()
            _log.warning("a mailbox cannot be read", mailbox=self._mailbox, reason=reason)
        except Exception as error:
            reason, lasting = sentence(error), not is_transient(error)
            _log.exception("reading a mailbox failed", mailbox=self._mailbox)
        finally:
            if session is not None:
                await session.close()
        await self.show(lease, State.FAILING, reason)
        return lasting

    async def show(self, lease: Lease, state: State, error: str | None = None) -> None:
        """Tell people how the mailbox stands."""
        self.state = state
        await self.write(
            lease, lambda batch: store_mailboxes.show(batch.connection, lease, state, error, batch.now)
        )

    async def write(self, lease: Lease, work: Callable[[Batch[object]], Awaitable[T]]) -> T:
        """One transaction, fenced by the lease. Raises `LeaseLost`; waits for as long as Postgres is away."""

        async def once() -> T:
            async with self.intake.work.begin() as batch:
                await store_mailboxes.fence(batch.connection, lease)
                return await work(batch)

        return await outlast(once)

    def _pause(self, lasting: bool) -> float:
        self.failures += 1
        longest = LASTING_PAUSE_SECONDS if lasting else LONGEST_PAUSE_SECONDS
        return random.uniform(0.5, 1.0) * min(longest, 0.5 * (1 << min(self.failures, 16)))  # noqa: S311


@dataclass(frozen=True, slots=True)
class _Page:
    """A page whose mails are parsed; `done` are the UIDs that it deals with."""

    done: Sequence[int]
    oldest: datetime | None
    mails: Sequence[PreparedMail]


class _Visit:
    """One connection to the mailbox's server: looks, takes in, puts away, waits, looks again."""

    def __init__(self, reader: MailboxReader, session: ImapSession, lease: Lease) -> None:
        self._reader = reader
        self._session = session
        self._lease = lease
        self._imap = reader.imap
        self._folder = Folder(lease.organisation, lease.mailbox, self._imap.folder, 0)
        self._taken: dict[int, Taken] = {}
        self._put_away_at = 0.0
        self._found_at = -math.inf
        self._has_done_folder = False
        self._polled_at: datetime | None = None

    async def stay(self) -> None:
        """Until something fails."""
        reader = self._reader
        await reread_done_folder(
            self._session, self._lease, self._imap.done_folder, reader.intake, reader.limits, self._write
        )
        uidvalidity = await self._session.select(self._imap.folder)
        folder = Folder(self._lease.organisation, self._lease.mailbox, self._imap.folder, uidvalidity)
        self._folder = folder
        self._taken = await self._write(lambda batch: store_mailboxes.enter(batch.connection, folder))
        await self._reader.show(self._lease, State.CONNECTED)
        while True:
            looked_at = self._reader.intake.work.clock.now()
            present = await self._session.uids()
            new = [uid for uid in present if uid not in self._taken]
            drained = await self._take_in(new)
            await self._put_away([uid for uid in present if self._taken.get(uid) in _TO_PUT_AWAY])
            await self._forget(set(present))
            self._reader.failures = 0
            if drained:
                await self._tell_polled(looked_at)
            await self._sweep()
            now = asyncio.get_running_loop().time()
            self._found_at = now if new else self._found_at
            await self._session.wait(self._reader.timing.pause(now - self._found_at))

    async def _take_in(self, new: Sequence[int]) -> bool:
        """Take these in, page by page; whether all that the server had of them is taken in.

        The next page is fetched and parsed while one is stored.
        """
        drained = True
        page = await self._next_page(new)
        while page.done:
            new = new[len(page.done) :]
            ahead = asyncio.create_task(self._next_page(new))
            try:
                waiting = Waiting(len(new), page.oldest if new else None)
                mails = await self._reader.intake.take(self._lease, self._folder, page.mails, waiting)
            except BaseException:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
                raise
            # A mail that vanished is not in the next list; until that is sure, it counts as waiting.
            drained = drained and len(mails) == len(page.done)
            self._taken |= dict.fromkeys(mails, Taken.TAKEN)
            page = await ahead
            await self._put_away(list(mails))
        return drained

    async def _next_page(self, uids: Sequence[int]) -> _Page:
        """The first of these, ready to be taken in."""
        began = time.time_ns()
        read = await read_page(self._session, uids, self._reader.limits)
        read = tracing.fetched(read, self._folder, began)
        mails = await self._reader.intake.prepare(self._lease, self._folder, read) if read.mails else []
        return _Page(read.done, read.oldest, mails)

    async def _put_away(self, uids: Sequence[int]) -> None:
        """Move what is taken in to the done folder. What cannot be moved stays and is tried again later."""
        if not uids or asyncio.get_running_loop().time() < self._put_away_at:
            return
        try:
            if not self._has_done_folder:
                await self._session.ensure_folder(self._imap.done_folder)
                self._has_done_folder = True
            for chunk in _chunks(uids):
                await self._put_away_chunk(chunk)
        except ImapError as error:
            if not error.usable:
                raise
            self._put_away_at = asyncio.get_running_loop().time() + LASTING_PAUSE_SECONDS
            await self._reader.show(self._lease, State.CONNECTED, f"Mails stay where they are: {error}")

    async def _put_away_chunk(self, uids: Sequence[int]) -> None:
        """In one step where the server can. Elsewhere, what was copied is noted and not copied again."""
        done = self._imap.done_folder
        fresh = [uid for uid in uids if self._taken[uid] is Taken.TAKEN]
        if fresh and self._session.can_move:
            await self._session.move(fresh, done)
            await self._mark(fresh, Taken.MOVED)
        elif fresh:
            await self._session.copy(fresh, done)
            await self._mark(fresh, Taken.COPIED)
        copied = [uid for uid in uids if self._taken[uid] is Taken.COPIED]
        if copied:
            await self._session.delete(copied)
            await self._mark(copied, Taken.MOVED)
        MAILS_MOVED.inc(len(uids))

    async def _mark(self, uids: Sequence[int], taken: Taken) -> None:
        await self._write(lambda batch: store_mailboxes.mark(batch.connection, self._folder, uids, taken))
        self._taken |= dict.fromkeys(uids, taken)

    async def _forget(self, present: set[int]) -> None:
        """Rows of UIDs that the server lists no longer are of no use."""
        gone = [uid for uid in self._taken if uid not in present]
        if gone:
            await self._write(lambda batch: store_mailboxes.forget(batch.connection, self._folder, gone))
            for uid in gone:
                del self._taken[uid]

    async def _tell_polled(self, until: datetime) -> None:
        """All that lay here at `until` is committed: timers that are due by then may close (design §5)."""
        pause = timedelta(seconds=self._reader.timing.poll)
        if self._polled_at is not None and until - self._polled_at < pause:
            return
        lease = self._lease

        async def tell(batch: Batch[object]) -> None:
            batch.publish(*mailbox_polled(lease.organisation, lease.mailbox, until))
            await store_mailboxes.note_polled(batch.connection, lease, until)

        await self._write(tell)
        self._polled_at = until

    async def _sweep(self) -> None:
        """Delete from the done folder what has lain there for longer than the configuration keeps it."""
        now = asyncio.get_running_loop().time()
        last = self._reader.swept_at
        if last is not None and now - last < self._reader.timing.sweep:
            return
        self._reader.swept_at = now
        lease, done = self._lease, self._imap.done_folder
        try:
            uidvalidity = await self._session.select(done)
        except ImapError as error:
            if not error.usable:
                raise
        else:
            folder = Folder(lease.organisation, lease.mailbox, done, uidvalidity)
            keep = timedelta(days=self._imap.keep_days)
            uids = await self._session.uids()
            old = await self._write(
                lambda batch: store_mailboxes.kept_too_long(batch.connection, folder, uids, batch.now, keep)
            )
            for chunk in _chunks(old):
                await self._session.delete(chunk)
                MAILS_SWEPT.inc(len(chunk))
        if await self._session.select(self._imap.folder) != self._folder.uidvalidity:
            raise ImapError(f"{self._imap.folder} has got another UIDVALIDITY", transient=True)

    async def _write(self, work: Callable[[Batch[object]], Awaitable[T]]) -> T:
        return await self._reader.write(self._lease, work)


_TO_PUT_AWAY = (Taken.TAKEN, Taken.COPIED)


def _chunks(uids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(uids), PAGE_UIDS):
        yield uids[start : start + PAGE_UIDS]


def _passes(error: Exception) -> bool:
    return isinstance(error, BlobError) or (isinstance(error, ImapError) and error.transient)
