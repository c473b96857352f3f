"""Reads a done folder again, after the database was put back to a time before some of it came there.

A mail that is known is not taken in twice, so it does not matter if this is broken off and begun again.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from services.ingest import store_rereading
from services.ingest.imap import ImapError, ImapSession
from services.ingest.intake import Intake
from services.ingest.reading import ReadLimits, read_page
from services.ingest.store_mailboxes import Folder, Lease, Waiting
from shared.logs import get_logger
from shared.unit_of_work import Batch

T = TypeVar("T")
_log = get_logger(__name__)


class Write(Protocol):
    """One transaction, fenced by the lease."""

    async def __call__(self, work: Callable[[Batch[Any]], Awaitable[T]]) -> T: ...


async def reread_done_folder(
    session: ImapSession, lease: Lease, done_folder: str, intake: Intake, limits: ReadLimits, write: Write
) -> None:
    """Take in what lies there unknown, if that is asked for (`recover.py`). Leaves another folder open."""
    if not await write(lambda batch: store_rereading.marked(batch.connection, lease)):
        return
    try:
        uidvalidity = await session.select(done_folder)
    except ImapError as error:
        if not error.usable:
            raise
        _log.warning("there is no done folder to read again", mailbox=lease.mailbox, reason=str(error))
    else:
        folder = Folder(lease.organisation, lease.mailbox, done_folder, uidvalidity)
        known = await write(lambda batch: store_rereading.known(batch.connection, folder))
        uids = [uid for uid in await session.uids() if uid not in known]
        _log.info("a done folder is read again", mailbox=lease.mailbox, mails=len(uids))
        while uids:
            page = await read_page(session, uids, limits)
            uids = uids[len(page.done) :]
            if page.mails:
                mails = await intake.prepare(lease, folder, page)
                await intake.take(lease, folder, mails, Waiting(len(uids), page.oldest if uids else None))
    await write(lambda batch: store_rereading.unmark(batch.connection, lease))
