"""What is said on an open SMTP connection: commands go out, replies come back in their order (RFC 5321 4.2).

The library opens connections. It gives one command at a time, behind locks and timeouts of each: that cost
more than everything else of sending, and cannot be pipelined (RFC 2920).
"""

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple

REPLY_LIMIT = 64 * 1024
"""Octets of replies that nobody has read yet; no server has that much to say."""
_LINE = re.compile(rb"(\d{3})([ -]?)(.*)", re.DOTALL)
_LINE_BREAK = re.compile(rb"[\r\n\0]")


class Reply(NamedTuple):
    """A code, and the lines' text joined by line breaks; what is no UTF-8 stands in surrogates."""

    code: int
    text: str

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 300


class Dialogue(asyncio.Protocol):
    """The client's side of an open connection, taken over from whoever opened it.

    After a `ConnectionError` or a `TimeoutError` it is of no more use.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._unread = bytearray()
        self._lines: list[bytes] = []
        self._replies: list[Reply] = []
        self._awaited = 0
        self._waiter: asyncio.Future[None] | None = None
        self._lost: Exception | None = None
        transport.set_protocol(self)

    @property
    def usable(self) -> bool:
        """Whether it is open, as far as we know, and the server has said nothing unasked, such as goodbye."""
        return not (self._lost or self._replies or self._transport.is_closing())

    async def ask(self, *commands: bytes, seconds: float) -> Sequence[Reply]:
        """Give commands, all at once, and return the reply to each. Raises `ValueError` for a line break."""
        if any(_LINE_BREAK.search(command) for command in commands):
            raise ValueError("a command with a line break is two")
        return await self._say(b"\r\n".join((*commands, b"")), len(commands), seconds)

    async def give(self, content: bytes, *, seconds: float) -> Reply:
        """Give a mail's content, whose lines end with CRLF, after DATA; return the reply."""
        stuffed = content.replace(b"\r\n.", b"\r\n..")
        start = b"." if stuffed.startswith(b".") else b""
        end = b".\r\n" if not stuffed or stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
        (reply,) = await self._say(b"".join((start, stuffed, end)), 1, seconds)
        return reply

    def close(self) -> None:
        self._transport.close()

    async def _say(self, said: bytes, replies: int, seconds: float) -> Sequence[Reply]:
        if not self.usable:
            raise self._lost or ConnectionError(_told(self._replies) or "Connection lost")
        self._awaited = replies
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(said)
        try:
            async with asyncio.timeout(seconds):
                await self._waiter
        except TimeoutError:
            raise TimeoutError(f"no answer within {seconds:.0f} s") from None
        finally:
            self._waiter = None
        told, self._replies = self._replies, []
        return told

    # --- what the transport calls --------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._unread += data
        *lines, rest = self._unread.split(b"\n")
        self._unread = rest
        for line in lines:
            self._take(bytes(line))
        if len(self._unread) + sum(map(len, self._lines)) > REPLY_LIMIT:
            self._fail(ConnectionError("The server's answer is too long"))
        elif self._waiter and not self._waiter.done() and len(self._replies) >= self._awaited:
            self._waiter.set_result(None)

    def eof_received(self) -> None:
        self._fail(ConnectionError(_told(self._replies) or "The server ended the connection"))

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(error or ConnectionError(_told(self._replies) or "Connection lost"))

    def _take(self, line: bytes) -> None:
        read = _LINE.fullmatch(line.rstrip(b"\r"))
        if read is None:
            self._fail(
                ConnectionError(f"The server's answer is none: {line[:100].decode('utf-8', 'replace')}")
            )
            return
        self._lines.append(read[3].strip())
        if read[2] != b"-":
            text = b"\n".join(self._lines).decode("utf-8", "surrogateescape")
            self._replies.append(Reply(int(read[1]), text))
            self._lines.clear()

    def _fail(self, error: Exception) -> None:
        self._lost = self._lost or error
        self._transport.close()
        if self._waiter and not self._waiter.done():
            self._waiter.set_exception(self._lost)


def _told(replies: Sequence[Reply]) -> str:
    """The last thing the server said, which may be why it left."""
    return f"{replies[-1].code} {replies[-1].text}" if replies else ""
