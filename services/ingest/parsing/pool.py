"""Parses pages of mails in child processes, so that the worst mail costs only itself (design §2, §3)."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from services.ingest.domain.mail import ParsedMail
from services.ingest.parsing.frames import Manner, Order, Parsed
from services.ingest.parsing.worker import Worker, WorkerDied, WorkerKilled

ATTEMPTS = 2
"""How often one mail is parsed alone before it is stored unparsed."""

KILLED_PAUSES = (0.1, 0.5, 2.0, 8.0)
"""Seconds after which an attempt is made again whose process was killed from outside.

Where memory is short, several may be killed within seconds. It is most likely not the mail's fault; if it is,
because the kernel gives it less memory than its limit, the last of these kills is held against it.
"""

BeforeSingle = Callable[[int], Awaitable[int]]
"""Told the index of a mail in its page before it is parsed alone; returns which attempt this is, from 1.

The number must be committed before it is returned: only so a mail that kills the whole service is not
tried for ever.
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What parsing may take."""

    memory: int = 512 * 1024**2
    """Bytes of address space of a process."""
    seconds: float = 2.0
    """Of the processor, for one mail: a busy machine blames nobody."""
    patience: float = 60.0
    """Seconds that an answer may take by the clock on the wall."""
    page_bytes: int = 8 * 1024**2
    """A page is cut in pieces of this size, which bounds what is in flight."""


# What is tried on a mail alone, attempt by attempt.
_MANNERS = (Manner.ALONE, Manner.PLAIN)
_MANNERS_OF_DANGEROUS = (Manner.LENIENT, Manner.PLAIN)


class ParserPool:
    """Child processes that parse. Use it as an async context manager; any number of tasks may share it.

    `pages` is how many pages are parsed at once. Processes are started when they are needed.
    """

    def __init__(self, *, pages: int = 1, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._pages = [Worker(self._limits.memory) for _ in range(pages)]
        self._single = Worker(self._limits.memory)
        self._idle: asyncio.Queue[Worker] = asyncio.Queue()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for worker in (*self._pages, self._single):
            self._stack.push_async_callback(worker.close)
        for worker in self._pages:
            self._idle.put_nowait(worker)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def parse_page(
        self, page: Sequence[bytes], before_single: BeforeSingle | None = None
    ) -> list[ParsedMail]:
        """Parse mails, in order. Never fails because of a mail: see `ParsedMail.unparsed_reason`.

        Mails that look dangerous are parsed alone, with limits, as are all mails of a page whose process
        died. What `before_single` raises goes through. Without it, attempts are counted in memory.
        """
        parsed: list[ParsedMail | None] = [None] * len(page)
        dangerous = [False] * len(page)
        for piece in self._pieces(page):
            try:
                answer = await self._together([page[index] for index in piece])
            except WorkerDied:
                continue  # then each of them alone
            for index, mail, lenient in zip(piece, answer.mails, answer.lenient, strict=True):
                parsed[index], dangerous[index] = mail, lenient
        before = before_single or _counted_in_memory()
        return [
            mail if mail is not None else await self._alone(page[index], index, dangerous[index], before)
            for index, mail in enumerate(parsed)
        ]

    def _pieces(self, page: Sequence[bytes]) -> Iterator[list[int]]:
        """Indexes of the page, cut so that no piece of more than one mail is larger than allowed."""
        piece: list[int] = []
        size = 0
        for index, raw in enumerate(page):
            if piece and size + len(raw) > self._limits.page_bytes:
                yield piece
                piece, size = [], 0
            piece.append(index)
            size += len(raw)
        if piece:
            yield piece

    async def _together(self, mails: list[bytes]) -> Parsed:
        worker = await self._idle.get()
        try:
            return await worker.ask(self._order(Manner.PAGE, mails), self._limits.patience)
        finally:
            self._idle.put_nowait(worker)

    async def _alone(self, raw: bytes, index: int, dangerous: bool, before: BeforeSingle) -> ParsedMail:
        manners = _MANNERS_OF_DANGEROUS if dangerous else _MANNERS
        reason = "an earlier attempt to parse it did not end"
        while (attempt := await before(index)) <= ATTEMPTS:
            try:
                return await self._one(manners[attempt - 1], raw)
            except WorkerDied as died:
                reason = str(died)
        try:
            return await self._one(Manner.HEADERS, raw, reason)
        except WorkerDied:
            digest = await asyncio.to_thread(hashlib.sha256, raw)
            return ParsedMail(size=len(raw), digest=digest.hexdigest(), unparsed_reason=reason)

    async def _one(self, manner: Manner, raw: bytes, reason: str = "") -> ParsedMail:
        order = self._order(manner, [raw], reason)
        answer = await self._outlast_kills(lambda: self._single.ask(order, self._limits.patience))
        if len(answer.mails) != 1 or answer.mails[0] is None:
            raise WorkerDied("the parser answered nonsense")
        return answer.mails[0]

    async def _outlast_kills(self, ask: Callable[[], Awaitable[Parsed]]) -> Parsed:
        for pause in KILLED_PAUSES:
            try:
                return await ask()
            except WorkerKilled:
                await asyncio.sleep(pause)
        return await ask()

    def _order(self, manner: Manner, mails: list[bytes], reason: str = "") -> Order:
        return Order(manner, mails, reason, self._limits.seconds)


def _counted_in_memory() -> BeforeSingle:
    attempts: Counter[int] = Counter()

    async def count(index: int) -> int:
        attempts[index] += 1
        return attempts[index]

    return count
