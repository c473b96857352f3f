"""A mail server for measuring, as a process of its own: it takes mail by SMTP, and nobody waits for it.

    python -m tests.bench.post_office <JSON of PostOffice>

Each accepted mail is a line of the journal, written before the server says so. Who has a maildir in Dovecot's
folder gets it there (a plus address is its base mailbox); mail to anybody else is thrown away.
"""

import asyncio
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self, TextIO, cast

import uvloop
from pydantic import BaseModel

from deploy.local.ports import HOST
from tests.support.dovecot import Dovecot

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>]+)>", re.IGNORECASE | re.MULTILINE)
_IN_REPLY_TO = re.compile(rb"^In-Reply-To:\s*<([^>]+)>", re.IGNORECASE | re.MULTILINE)
_PATH = re.compile(rb"<([^>]*)>")
_END = b"\r\n.\r\n"


class PostOffice(BaseModel):
    """Where it listens and writes; `dovecot` is the folder of a running one."""

    port: int
    journal: Path
    dovecot: Path


class Accepted(NamedTuple):
    """A line of the journal. `at` is `time.monotonic()`, which all processes share; ids without brackets."""

    at: float
    message_id: str
    in_reply_to: str

    def line(self) -> str:
        return "\t".join((repr(self.at), self.message_id, self.in_reply_to)) + "\n"

    @classmethod
    def of(cls, line: str) -> Self:
        at, message_id, in_reply_to = line.rstrip("\n").split("\t")
        return cls(float(at), message_id, in_reply_to)


class _Desk:
    """What becomes of mail."""

    def __init__(self, options: PostOffice, journal: TextIO) -> None:
        self._dovecot = Dovecot(options.dovecot, port=0)
        self._journal = journal

    def take(self, recipients: list[str], mail: bytes) -> None:
        for recipient in recipients:
            local, _, domain = recipient.rpartition("@")
            user = f"{local.partition('+')[0]}@{domain}"
            if self._dovecot.maildir(user).is_dir():
                self._dovecot.deliver(user, mail)
        head = mail[: mail.find(b"\r\n\r\n")]
        ids = (_MESSAGE_ID.search(head), _IN_REPLY_TO.search(head))
        self._journal.write(
            Accepted(time.monotonic(), *(found[1].decode() if found else "" for found in ids)).line()
        )
        self._journal.flush()


class _Client(asyncio.Protocol):
    """One connection; commands may come several at a time."""

    def __init__(self, desk: _Desk) -> None:
        self._desk = desk
        self._read = bytearray()
        self._recipients: list[str] = []
        self._in_mail = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 post office\r\n")

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._read += data
        self._transport.writelines(self._answers())

    def _answers(self) -> Iterator[bytes]:
        while True:
            end = _END if self._in_mail else b"\r\n"
            at = self._read.find(end)
            if at < 0:
                return
            said = bytes(self._read[:at])
            del self._read[: at + len(end)]
            if self._in_mail:
                self._in_mail = False
                self._desk.take(self._recipients, said.replace(b"\r\n..", b"\r\n.") + b"\r\n")
                yield b"250 taken\r\n"
            else:
                yield self._answer(said)

    def _answer(self, command: bytes) -> bytes:
        verb = command[:4].upper()
        if verb == b"EHLO":
            return b"250-post office\r\n250-8BITMIME\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250 SIZE\r\n"
        if verb == b"MAIL":
            self._recipients = []
        elif verb == b"RCPT":
            path = _PATH.search(command)
            self._recipients.append(path[1].decode() if path else "")
        elif verb == b"DATA":
            self._in_mail = True
            return b"354 go on\r\n"
        elif verb == b"QUIT" and self._transport is not None:
            self._transport.write(b"221 goodbye\r\n")
            self._transport.close()
            return b""
        return b"250 fine\r\n"


async def _serve(options: PostOffice) -> None:
    with options.journal.open("a") as journal:
        desk = _Desk(options, journal)
        server = await asyncio.get_running_loop().create_server(lambda: _Client(desk), HOST, options.port)
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(PostOffice.model_validate_json(sys.argv[1])))
