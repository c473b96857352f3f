"""SMTP servers that do not answer, or not as they should (design §7)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from services.notify.domain.delivery import Recipient, Result
from services.notify.smtp import SmtpConnection, SmtpError, SmtpServer, Tls
from tests.support.fake_smtp import ANNA, Script, letter, scripted_server


async def test_a_server_that_does_not_listen_blames_no_mail() -> None:
    async with scripted_server(Script()) as gone:
        connection = SmtpConnection(gone)
    with pytest.raises(SmtpError) as refused:
        await connection.open()
    assert refused.value.blameless
    assert refused.value.transient


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[SmtpServer]:
    """A server that `serve` is all of."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield SmtpServer(host="127.0.0.1", port=port, tls=Tls.NONE)
    server.close()


async def test_a_server_that_says_nothing_does_not_hold_us_for_ever() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with listening(mute) as server:
        connection = SmtpConnection(server.model_copy(update={"command_seconds": 0.1}))
        with pytest.raises(SmtpError) as refused:
            await connection.open()
        assert refused.value.blameless


async def test_an_answer_in_another_charset_can_be_stored() -> None:
    """A result that no table takes would never be noted, and its mail sent again and again (design §2)."""
    answers = {
        b"EHLO": b"250 here\r\n",
        b"RCPT": "550 Empf\u00e4nger unbekannt\0\r\n".encode("latin-1"),
    }

    async def abroad(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            writer.write(answers.get(line[:4].upper(), b"250 ok\r\n"))
        writer.close()

    async with listening(abroad) as server:
        connection = SmtpConnection(server)
        await connection.open()
        (answer,) = await connection.deliver(letter(ANNA))
        await connection.close()
    assert answer == Recipient(ANNA, Result.REFUSED, 550, "Empf\ufffdnger unbekannt")


async def test_a_server_that_wants_a_mail_for_nobody_gets_an_empty_one() -> None:
    """RFC 2920 3.1: DATA may have been accepted before the client hears that no recipient was."""
    heard: list[bytes] = []
    answers = {b"EHLO": b"250-here\r\n250 PIPELINING\r\n", b"RCPT": b"550 no\r\n", b"DATA": b"354 go on\r\n"}

    async def eager(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            heard.append(line)
            writer.write(answers.get(line[:4].upper(), b"250 ok\r\n"))
        writer.close()

    async with listening(eager) as server:
        connection = SmtpConnection(server)
        await connection.open()
        (answer,) = await connection.deliver(letter(ANNA))
        assert answer == Recipient(ANNA, Result.REFUSED, 550, "no")
        assert heard[-3:] == [b"DATA\r\n", b".\r\n", b"RSET\r\n"]
        assert connection.usable
        await connection.close()
