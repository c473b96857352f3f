"""A TCP proxy between a service and a server, so that a test can cut the line between them."""

import asyncio
import struct
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from deploy.local.endpoints import Address
from deploy.local.ports import HOST

_CHUNK = 64 * 1024


class Proxy:
    """Passes everything on until it is cut: then nobody connects, and who was connected is thrown out.

    `address` stays the same for as long as it lives. With `speaks_kafka`, the broker's own address is
    replaced in what it answers (Metadata, FindCoordinator), or its clients would go around.
    """

    def __init__(self, server: Address, *, speaks_kafka: bool = False) -> None:
        self._server = server
        self._speaks_kafka = speaks_kafka
        self._port = 0
        self._listener: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> Address:
        """Where clients find it."""
        return Address(host=HOST, port=self._port)

    async def cut(self) -> None:
        """The server is away."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for line in tuple(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def mend(self) -> None:
        """The server is back; without effect if it was not away."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accepted, HOST, self._port)
            self._port = self._listener.sockets[0].getsockname()[1]

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.create_task(self._connect(reader, writer))
        self._lines.add(line)
        line.add_done_callback(self._lines.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            try:
                answers, requests = await asyncio.open_connection(self._server.host, self._server.port)
                try:
                    back = (
                        _pass_on_frames(answers, writer, self._server, self.address)
                        if self._speaks_kafka
                        else _pass_on(answers, writer)
                    )
                    await _first_to_end(_pass_on(reader, requests), back)
                finally:
                    requests.transport.abort()
            finally:
                writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()


async def _pass_on_frames(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, broker: Address, own: Address
) -> None:
    """Kafka's answers, each behind its length, with the broker's host and port replaced by our own.

    Both take the same room, so no length changes.
    """
    old, new = (each.host.encode() + struct.pack(">i", each.port) for each in (broker, own))
    assert len(old) == len(new)
    while True:
        head = await reader.readexactly(4)
        frame = await reader.readexactly(int.from_bytes(head))
        writer.write(head + frame.replace(old, new))
        await writer.drain()


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
