"""All that a run needs, of its own: servers that may be stopped, services, a mail server, a sink."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import asyncpg

from deploy.instance import SERVICES
from deploy.local.endpoints import MAIL_SERVER, Endpoints
from deploy.local.stack import Stack, StackOptions
from services.notify.smtp import SmtpServer, Tls
from tests.faults.chaos.clocks import Clocks
from tests.faults.chaos.disk import Disk, mounted
from tests.faults.chaos.matters import with_cases
from tests.faults.chaos.sink import Sink, running_sink
from tests.support.dovecot import Dovecot, running_dovecot
from tests.support.mailroom import Mailroom
from tests.support.shared_mailroom import running_mailroom

CONNECTIONS: int = SmtpServer.model_fields["connections"].default
"""How many mails one process has under way to the SMTP server at most."""
_COMMAND_SECONDS, _DATA_SECONDS = 5.0, 10.0
_EMPTY_DATABASE = "template1"
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What our own connections to the database raise while that is away, or when they are broken off."""


@dataclass
class World:
    """`ended` are processes that ended although nobody had done anything to them, with their last words."""

    stack: Stack
    mailroom: Mailroom
    dovecot: Dovecot
    sink: Sink
    clocks: Clocks
    disk: Disk
    ended: list[str] = field(default_factory=list)
    _held: dict[str, asyncio.Lock] = field(default_factory=dict)

    def held(self, thing: str) -> asyncio.Lock:
        """Who breaks something has it alone: a process, a line, a server, the disk."""
        return self._held.setdefault(thing, asyncio.Lock())

    @property
    def under_way(self) -> int:
        """How many mails may be under way to the SMTP server at this moment, at most."""
        names = ("notify", "notify-2")
        return CONNECTIONS * sum(self.mailroom.pid(name) is not None for name in names)

    async def kill(self, name: str) -> None:
        """SIGKILL to a process, unless it has ended by itself."""
        with suppress(ProcessLookupError, KeyError):
            await self.mailroom.kill(name)

    async def kill_server(self, name: str) -> None:
        """SIGKILL to a server, as at a power cut; `stack.resume` starts it again."""
        os.kill(self.stack.endpoints.processes[name].pid, signal.SIGKILL)
        await self.stack.halt(name)

    async def calm(self) -> None:
        """Nothing is broken any more; what runs may still have to find that out."""
        self.clocks.correct()
        self.disk.free()
        for line in self.mailroom.lines.values():
            await line.mend(reset=True)
        for name in SERVICES:
            async with self.held(name):
                if self.mailroom.pid(name) is None:
                    await self.mailroom.launch(name)

    async def keep_up(self) -> None:
        """Start again whatever ended unasked, as any supervisor would; until cancelled."""
        while True:
            await asyncio.sleep(0.5)
            for name in SERVICES:
                if not self.held(name).locked() and self.mailroom.pid(name) is None:
                    async with self.held(name):
                        self.ended.append(f"{name}: {self.mailroom.log(name).read_text()[-1000:]}")
                        await self.mailroom.launch(name)


@asynccontextmanager
async def running_world() -> AsyncIterator[World]:
    """Real servers and all services, for as long as this lasts; nothing of them stays behind."""
    home = Path(tempfile.gettempdir()) / f"mailroom-chaos-{uuid4().hex[:10]}"
    stack = Stack(StackOptions(home=home, services=(), fresh=True, temporary=True))
    async with stack as servers, running_dovecot() as dovecot:
        folder = home / "mailroom"
        clocks = Clocks(folder / "clocks")
        clocks.folder.mkdir(parents=True)
        clocks.require_that_they_can_be_set()

        def more(name: str, seen: Endpoints) -> Mapping[str, str]:
            # A server that fell silent is given up sooner than the standard wants, or a run would take hours.
            server = SmtpServer(
                host=seen.smtp.host,
                port=seen.smtp.port,
                tls=Tls.NONE,
                command_seconds=_COMMAND_SECONDS,
                data_seconds=_DATA_SECONDS,
            )
            servers = f'{{"{MAIL_SERVER}": {server.model_dump_json()}}}'
            return {**clocks.environment(name), "MAILROOM_SMTP_SERVERS": servers}

        async with running_sink(folder) as sink:
            servers = servers.model_copy(update={"imap": dovecot.address, "smtp": sink.address})
            async with running_mailroom(servers, _EMPTY_DATABASE, folder, more) as mailroom:
                mailroom.definition = with_cases(mailroom.definition)
                await mailroom.configure(mailroom.definition)
                with mounted(folder / "blobs") as disk:
                    world = World(stack, mailroom, dovecot, sink, clocks, disk)
                    try:
                        yield world
                    finally:
                        await world.calm()
                        await mailroom.end()
