"""A mail's trace begins where it is fetched: its spans in this service."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from services.ingest.mail_rows import PreparedMail
from services.ingest.reading import FetchedMail, ReadPage
from services.ingest.store_mailboxes import Folder
from shared import tracing
from shared.tracing import Span
from shared.tracing_records import messaging

SYSTEM = "imap"


def fetched(page: ReadPage, folder: Folder, began: int) -> ReadPage:
    """The page, whose mails were all fetched since `began` (ns since 1970).

    If tracing is on, each begins its trace.
    """
    if not tracing.on():
        return page
    now = time.time_ns()
    return replace(page, mails=tuple(_traced(mail, folder, began, now) for mail in page.mails))


def _traced(mail: FetchedMail, folder: Folder, began: int, ended: int) -> FetchedMail:
    about: dict[str, str | int | None] = {
        "mailroom.organisation": folder.organisation,
        "mailroom.imap.uid": mail.uid,
        "messaging.message.body.size": mail.size,
    }
    fetch = tracing.start(
        f"fetch {folder.mailbox}",
        parent=None,
        kind="CLIENT",
        attributes={**messaging("fetch", "receive", folder.mailbox, SYSTEM), **about},
        at=began,
    )
    fetch.end(ended)
    # Ends with the commit; of a mail that is never taken in, only its fetch is told.
    process = tracing.start(
        f"process {folder.mailbox}",
        parent=fetch.traceparent,
        kind="CONSUMER",
        attributes={**messaging("process", "process", folder.mailbox, SYSTEM), **about},
        at=ended,
    )
    return replace(mail, span=process)


def retrying(mailbox: str) -> AbstractContextManager[Span | None]:
    """Around a mail that somebody asked to decide about again."""
    about = messaging("process", "process", mailbox, SYSTEM)
    return tracing.span(f"process {mailbox}", parent=tracing.current(), attributes=about)


@contextmanager
def taking(prepared: Sequence[PreparedMail]) -> Iterator[dict[int, str] | None]:
    """Around the taking in of mails, to be told what became of them, by UID: then their spans end.

    Nobody wants to be told while tracing is off.
    """
    if not tracing.on():
        yield None
        return
    outcomes: dict[int, str] = {}
    try:
        yield outcomes
    except BaseException as error:
        for one in prepared:
            if one.fetched.span:
                one.fetched.span.fail(error)
        raise
    finally:
        _end(prepared, outcomes)


def _end(prepared: Sequence[PreparedMail], outcomes: Mapping[int, str]) -> None:
    for one in prepared:
        if one.fetched.span:
            one.fetched.span.note(outcome=outcomes.get(one.fetched.uid, "not taken in"))
            one.fetched.span.end()
