"""The proxy spoils a line in the way it is told, and in no other: what it does not break, no test proves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.local.endpoints import Address
from deploy.local.ports import HOST
from tests.support.proxy import Proxy, proxy

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
OVER = (ConnectionError, asyncio.IncompleteReadError)
SOON = 0.2
"""Seconds in which nothing must come: long for a local line that works."""


@pytest.fixture
async def server() -> AsyncIterator[Address]:
    """Says back what it is told."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1024):
            writer.write(data)
        writer.close()

    listening = await asyncio.start_server(echo, HOST, 0)
    async with listening:
        yield Address(host=HOST, port=listening.sockets[0].getsockname()[1])


@asynccontextmanager
async def line_through(between: Proxy) -> AsyncIterator[Ends]:
    reader, writer = await asyncio.open_connection(between.address.host, between.address.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def said_back(line: Ends, text: bytes) -> bytes:
    """What comes until there is as much as was said, or the line ends."""
    reader, writer = line
    writer.write(text)
    try:
        return await reader.readexactly(len(text))
    except asyncio.IncompleteReadError as cut:
        return cut.partial


async def comes_nothing(line: Ends, text: bytes) -> bool:
    try:
        async with asyncio.timeout(SOON):
            await said_back(line, text)
    except TimeoutError:
        return True
    return False


async def test_a_mended_proxy_passes_everything_on(server: Address) -> None:
    async with proxy(server) as between, line_through(between) as line:
        assert await said_back(line, b"one") == b"one"


async def test_a_cut_proxy_throws_everybody_out_and_lets_nobody_in(server: Address) -> None:
    async with proxy(server) as between, line_through(between) as line:
        await said_back(line, b"one")
        await between.cut()
        with pytest.raises(OVER):
            await line[0].readexactly(1)
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(between.address.host, between.address.port)
        await between.mend()
        async with line_through(between) as anew:
            assert await said_back(anew, b"two") == b"two"


async def test_a_torn_line_breaks_in_the_middle_of_what_it_says_and_the_next_one_works(
    server: Address,
) -> None:
    async with proxy(server) as between, line_through(between) as line:
        between.tear(6)  # three in one direction, two in the other, one of the next
        assert await said_back(line, b"one") == b"one"
        assert await said_back(line, b"two") == b""
        async with line_through(between) as anew:
            assert await said_back(anew, b"three") == b"three"


async def test_an_answer_is_torn_like_a_question(server: Address) -> None:
    async with proxy(server) as between, line_through(between) as line:
        between.tear(5)
        assert await said_back(line, b"one") == b"on"


async def test_a_silent_line_says_nothing_and_does_not_end(server: Address) -> None:
    async with proxy(server) as between, line_through(between) as before:
        await said_back(before, b"one")
        between.silence()
        assert await comes_nothing(before, b"two")
        async with line_through(between) as meanwhile:
            assert await comes_nothing(meanwhile, b"three")
        await between.mend()
        assert await comes_nothing(before, b"four")
        async with line_through(between) as anew:
            assert await said_back(anew, b"five") == b"five"
        await between.mend(reset=True)
        with pytest.raises(OVER):
            await before[0].readexactly(1)


async def test_a_slow_line_says_everything_late(server: Address) -> None:
    async with proxy(server) as between, line_through(between) as line:
        between.slow(2 * SOON)
        assert await comes_nothing(line, b"one")
        await between.mend()
        assert await line[0].readexactly(3) == b"one"
