"""What an IMAP session makes of a connection that ends while it waits in IDLE."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import chain, repeat
from unittest.mock import DEFAULT, Mock

import pytest

from services.ingest.imap import ImapError, ImapServer
from services.ingest.imap_aioimaplib import AioimaplibSession

HOST = "127.0.0.1"
LONG, SHORT = 30.0, 0.01
"""Seconds to wait: past everything that happens here, and hardly at all."""


@asynccontextmanager
async def session_with(
    in_idle: Callable[[asyncio.StreamWriter], object] = lambda writer: None,
) -> AsyncIterator[AioimaplibSession]:
    """A session, in a folder, with a server that does something as soon as somebody waits at it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n")
        while words := (await reader.readline()).split():
            tag, command = words[0], words[1:2]
            if command == [b"IDLE"]:
                writer.write(b"+ idling\r\n")
                in_idle(writer)
            elif command:
                if command == [b"CAPABILITY"]:
                    writer.write(b"* CAPABILITY IMAP4rev1 IDLE\r\n")
                if command == [b"SELECT"]:
                    writer.write(b"* OK [UIDVALIDITY 1] valid\r\n")
                writer.write(tag + b" OK done\r\n")
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        session = await AioimaplibSession.connect(ImapServer(host=HOST, port=port, tls=False), "me", "secret")
        try:
            await session.select("INBOX")
            yield session
        finally:
            await session.close()


async def test_a_server_that_leaves_is_an_error_that_passes() -> None:
    async with session_with(asyncio.StreamWriter.close) as session:
        with pytest.raises(ImapError, match="IDLE: the server closed the connection") as left:
            await session.wait(LONG)
    assert left.value.transient


async def test_a_connection_that_ends_in_the_moment_the_wait_is_over_is_an_error_that_passes() -> None:
    """uvloop lets nobody write from the end of the stream on, and tells the protocol of it a turn later."""
    closed = RuntimeError("the handler is closed")
    async with session_with() as session:
        protocol = session._client.protocol
        protocol.transport = Mock(wraps=protocol.transport)
        protocol.transport.write.side_effect = chain([DEFAULT], repeat(closed))  # IDLE still goes out
        with pytest.raises(ImapError, match=f"IDLE: {closed}") as ended:
            await session.wait(SHORT)
    assert ended.value.transient
