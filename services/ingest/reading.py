"""Reads mails from a session in pages of bounded memory, whatever the server says of their size."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.ingest.imap import PAGE_UIDS, ImapSession, Listed
from shared.tracing import Span

HEAD_BYTES = 64 * 1024
"""What is kept at most of the head of a mail that is too large."""


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Bytes. A mail past `mail_bytes` is not taken whole; a page holds about `page_bytes`."""

    mail_bytes: int = 50 * 1024**2
    page_bytes: int = 8 * 1024**2
    first_bytes: int = 256 * 1024
    """How much of each mail is asked for at once with its page; the rest comes in parts of `part_bytes`."""
    part_bytes: int = 4 * 1024**2


@dataclass(frozen=True, slots=True)
class FetchedMail:
    """A mail as it came. `truncated`: it is too large, and `raw` is its head only."""

    uid: int
    raw: bytes
    size: int
    arrived: datetime | None
    truncated: bool = False
    span: Span | None = None
    """What becomes of it, as far as this service goes; None while tracing is off."""

    @property
    def traceparent(self) -> str | None:
        return self.span.traceparent if self.span else None


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Mails ascending by UID, and all UIDs that this page has dealt with: those of vanished mails, too."""

    mails: tuple[FetchedMail, ...]
    done: tuple[int, ...]
    oldest: datetime | None


async def read_page(session: ImapSession, uids: Sequence[int], limits: ReadLimits) -> ReadPage:
    """Read the first of `uids` (ascending), as many as fit into a page. Raises `ImapError`."""
    if not uids:
        return ReadPage((), (), None)
    asked = uids[:PAGE_UIDS]
    listed = {each.uid: each for each in await session.sizes(asked)}
    chosen = _fitting(asked, listed, limits)
    present = [listed[uid] for uid in chosen if uid in listed]
    bodies = await session.fetch([each.uid for each in present], limits.first_bytes) if present else {}
    mails: list[FetchedMail] = []
    taken = 0
    for each in present:
        start = bodies.get(each.uid)
        if start is None:  # gone meanwhile
            continue
        if taken > limits.page_bytes and len(start) >= limits.first_bytes:
            # Sizes were lies, and the page is full: this large one begins the next.
            chosen = [uid for uid in chosen if uid < each.uid]
            break
        mail = await _whole(session, each, start, limits)
        if mail is not None:
            mails.append(mail)
            taken += len(mail.raw)
    dates = [each.arrived for each in present if each.arrived is not None]
    return ReadPage(tuple(mails), tuple(chosen), min(dates, default=None))


def _fitting(asked: Sequence[int], listed: dict[int, Listed], limits: ReadLimits) -> list[int]:
    chosen: list[int] = []
    room = limits.page_bytes
    for uid in asked:
        room -= min(listed[uid].size, limits.mail_bytes) if uid in listed else 0
        if room < 0 and chosen:
            break
        chosen.append(uid)
    return chosen


async def _whole(
    session: ImapSession, listed: Listed, start: bytes, limits: ReadLimits
) -> FetchedMail | None:
    """The mail with its further parts; None if it vanished before all of them came.

    Its size is what has come, for what the server says may be wrong.
    """
    if listed.size > limits.mail_bytes:
        return _head(listed, start)
    parts = [start]
    size = len(start)
    wanted = limits.first_bytes
    while len(parts[-1]) >= wanted:
        if size > limits.mail_bytes:
            return _head(listed, start)
        wanted = limits.part_bytes
        parts.append(await session.fetch_part(listed.uid, size, wanted))
        size += len(parts[-1])
    if not parts[-1] and not await session.sizes([listed.uid]):
        return None  # nothing more came because it is gone, which the end of a mail looks just like
    return FetchedMail(listed.uid, b"".join(parts), size, listed.arrived)


def _head(listed: Listed, start: bytes) -> FetchedMail:
    head, separator, _ = start[:HEAD_BYTES].partition(b"\r\n\r\n")
    return FetchedMail(
        listed.uid, head + separator, max(listed.size, len(start)), listed.arrived, truncated=True
    )
