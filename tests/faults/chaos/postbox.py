"""Puts mails into mailboxes over IMAP, and learns from the server which UIDs they got.

Not through the proxy, and not by any of our services: where a mail lies in its mailbox is the mail server's
word. Several mails in one APPEND (RFC 3502), whose literals need no go-ahead (RFC 7888), and which is
answered with their UIDs (RFC 4315).
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from deploy.local.endpoints import Address

_APPENDED = re.compile(rb"append OK \[APPENDUID \d+ (\d+)(?::(\d+))?\]")


class Postbox:
    """A connection to one mailbox."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def put(self, mails: Sequence[bytes]) -> list[int]:
        """The UIDs of the mails, which lie in the inbox now, in this order. Raises `ConnectionError`."""
        literals = b" ".join(b"{%d+}\r\n%b" % (len(mail), mail) for mail in mails)
        self._writer.write(b"append APPEND INBOX %b\r\n" % literals)
        while (line := await self._reader.readline()).startswith(b"*"):
            pass
        said = _APPENDED.match(line)
        uids = range(int(said[1]), int(said[2] or said[1]) + 1) if said else ()
        if len(uids) != len(mails):
            raise ConnectionError(f"the mail server did not take {len(mails)} mails: {line!r}")
        return list(uids)


@asynccontextmanager
async def opened_postbox(server: Address, user: str, password: str) -> AsyncIterator[Postbox]:
    """The inbox of a user, for as long as this lasts."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        await reader.readline()
        writer.write(f"login LOGIN {user} {password}\r\n".encode())
        while not (line := await reader.readline()).startswith(b"login "):
            pass
        if not line.startswith(b"login OK"):
            raise ConnectionError(f"the mail server does not let {user} in: {line!r}")
        yield Postbox(reader, writer)
    finally:
        writer.close()
