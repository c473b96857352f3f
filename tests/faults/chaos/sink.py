"""The SMTP server at the end of the run: takes every mail, and writes it down before it says so.

A process of its own, outside of what is broken; its journal is the only word that counts about what was sent.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local import ports
from deploy.local.endpoints import Address
from deploy.local.ports import HOST
from deploy.local.processes import Program, Tethered
from deploy.local.server import clean_environment
from tests.faults.chaos.links import link_in
from tests.support.crowd import bare
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Taken:
    """A mail that was taken. Message-IDs are without brackets; `reply_to` is where answers go.

    One that asks for an approval has a `link`.
    """

    message_id: str
    in_reply_to: str
    references: str
    sender: str
    reply_to: str
    recipients: tuple[str, ...]
    link: str = ""


@dataclass
class Sink:
    """The running server, and what its journal says."""

    address: Address
    journal: Path
    taken: list[Taken] = field(default_factory=list)
    _read: int = 0

    def look(self, since: int = 0) -> list[Taken]:
        """What has come by now, without the first ones: `taken` grows by what is new."""
        with self.journal.open("rb") as journal:
            journal.seek(self._read)
            lines = [line for line in journal.readlines() if line.endswith(b"\n")]
        self._read += sum(map(len, lines))
        self.taken += [_read(json.loads(line)) for line in lines]
        return self.taken[since:]


def _read(row: dict[str, str | list[str]]) -> Taken:
    return Taken(**{**row, "recipients": tuple(row["recipients"])})  # type: ignore[arg-type]


@asynccontextmanager
async def running_sink(folder: Path) -> AsyncIterator[Sink]:
    """A server for as long as this lasts; its journal stays in `folder`."""
    port = ports.choose(("smtp",), {}, {})["smtp"]
    sink = Sink(Address(host=HOST, port=port), folder / "sink.jsonl")
    sink.journal.touch()
    running = await Tethered.start(
        Program(
            arguments=(sys.executable, "-m", __name__, str(port), str(sink.journal)),
            environment=clean_environment(os.environ),
            folder=Path(__file__).parents[3],
            log=folder / "sink.log",
        )
    )
    try:
        await eventually(lambda: not ports.is_free(port))
        yield sink
    finally:
        await running.stop()


class _Journal:
    """aiosmtpd's hook: a mail is taken when it stands on the disk."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mail = BytesParser(policy=default).parsebytes(envelope.original_content or b"")
        row = {
            "message_id": bare(mail["Message-ID"]),
            "in_reply_to": bare(mail["In-Reply-To"]),
            "references": str(mail["References"] or ""),
            "sender": mail["From"].addresses[0].addr_spec,
            "reply_to": (mail["Reply-To"] or mail["From"]).addresses[0].addr_spec,
            "recipients": envelope.rcpt_tos,
            "link": link_in(mail),
        }
        os.write(self._file, json.dumps(row).encode() + b"\n")
        os.fdatasync(self._file)
        return "250 OK"


async def _serve(port: int, journal: Path) -> None:
    hook = _Journal(journal)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(hook, hostname="sink.test", loop=loop), HOST, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
