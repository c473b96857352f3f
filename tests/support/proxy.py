"""A TCP proxy between a service and a server, so that a test can spoil the line between them.

Four ways in which networks fail: nobody answers (`cut`), all takes long (`slow`), a line breaks in the middle
of a command (`tear`), or nothing comes any more and nobody says so (`silence`). `mend` ends them all.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from deploy.local.endpoints import Address
from deploy.local.ports import HOST

_CHUNK = 64 * 1024
_HALF_OPEN_SECONDS = 30.0
"""After which a server finds out by itself that its client is gone, as by TCP's keepalive."""


@dataclass(eq=False)
class _Line:
    """One connection through the proxy. A dead one passes nothing on and tells neither end."""

    dead: bool = False


class Proxy:
    """Passes everything on until it is told otherwise.

    `address` stays the same for as long as it lives. With `speaks_kafka`, the broker's own address is
    replaced in what it answers (Metadata, FindCoordinator), or its clients would go around.
    """

    def __init__(self, server: Address, *, speaks_kafka: bool = False) -> None:
        self._server = server
        self._speaks_kafka = speaks_kafka
        self._port = 0
        self._listener: asyncio.Server | None = None
        self._lines: dict[asyncio.Task[None], _Line] = {}
        self._pause = 0.0
        self._silent = False
        self._until_torn: int | None = None

    @property
    def address(self) -> Address:
        """Where clients find it."""
        return Address(host=HOST, port=self._port)

    async def cut(self) -> None:
        """The server is away: nobody connects, and who was connected is thrown out."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self._throw_out(list(self._lines))

    def slow(self, seconds: float) -> None:
        """Each piece of what is said, in both directions, takes so much longer."""
        self._pause = seconds

    def tear(self, after: int) -> None:
        """After so many more bytes, the line that carries them breaks in the middle of what it says."""
        self._until_torn = after

    def silence(self) -> None:
        """Nothing goes through any more, on new lines and on those there are; neither end is told.

        Those lines stay dead for good: the server behind is back after `mend`, but has forgotten them.
        """
        self._silent = True
        for line in self._lines.values():
            line.dead = True

    async def mend(self, *, reset: bool = False) -> None:
        """All is well again; without effect if it was.

        With `reset`, the ends of dead lines are told, as by a server that was started anew; without, they
        have to find out by themselves.
        """
        self._pause, self._silent, self._until_torn = 0.0, False, None
        if reset:
            await self._throw_out([task for task, line in self._lines.items() if line.dead])
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accepted, HOST, self._port)
            self._port = self._listener.sockets[0].getsockname()[1]

    async def _throw_out(self, lines: list[asyncio.Task[None]]) -> None:
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = _Line(dead=self._silent)
        task = asyncio.create_task(self._connect(line, reader, writer))
        self._lines[task] = line
        task.add_done_callback(self._lines.pop)

    async def _connect(self, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            try:
                if self._silent:
                    await _swallow(reader)
                    return
                answers, requests = await asyncio.open_connection(self._server.host, self._server.port)
                try:
                    await _first_to_end(
                        self._pass_on(line, _pieces(reader), requests),
                        self._answer(line, self._answers(answers), writer),
                    )
                    if line.dead:  # the client has given up, and the server does not hear of it
                        writer.transport.abort()
                        await asyncio.sleep(_HALF_OPEN_SECONDS)
                finally:
                    requests.transport.abort()
            finally:
                writer.transport.abort()

    def _answers(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        return _frames(reader, self._server, self.address) if self._speaks_kafka else _pieces(reader)

    async def _answer(self, line: _Line, pieces: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await self._pass_on(line, pieces, writer)
        if line.dead:  # the server has given up, and the client does not hear of it
            await asyncio.get_running_loop().create_future()

    async def _pass_on(self, line: _Line, pieces: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
        async for piece in pieces:
            if self._pause:
                await asyncio.sleep(self._pause)
            if line.dead:
                continue
            if self._until_torn is not None and len(piece) > self._until_torn:
                writer.write(piece[: self._until_torn])
                self._until_torn = None
                writer.close()  # in order, so that what was said so far arrives
                await writer.wait_closed()
                return
            if self._until_torn is not None:
                self._until_torn -= len(piece)
            writer.write(piece)
            await writer.drain()


async def _pieces(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while data := await reader.read(_CHUNK):
        yield data


async def _frames(reader: asyncio.StreamReader, broker: Address, own: Address) -> AsyncIterator[bytes]:
    """Kafka's answers, each behind its length, with the broker's host and port replaced by our own.

    Both take the same room, so no length changes.
    """
    old, new = (each.host.encode() + struct.pack(">i", each.port) for each in (broker, own))
    assert len(old) == len(new)
    with suppress(asyncio.IncompleteReadError):
        while True:
            head = await reader.readexactly(4)
            frame = await reader.readexactly(int.from_bytes(head))
            yield head + frame.replace(old, new)


async def _swallow(reader: asyncio.StreamReader) -> None:
    async for _ in _pieces(reader):
        pass


async def _first_to_end(*ways: Coroutine[Any, Any, None]) -> None:
    """A line whose one way has ended is dead; its error, too, is only that."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def proxy(server: Address, *, speaks_kafka: bool = False) -> AsyncIterator[Proxy]:
    """A proxy for as long as this lasts."""
    made = Proxy(server, speaks_kafka=speaks_kafka)
    await made.mend()
    try:
        yield made
    finally:
        await made.cut()
