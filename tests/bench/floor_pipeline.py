"""Runs the floor: `floor.py` in its four processes, on the same servers."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from deploy.local.processes import Program, Tethered
from tests.bench import floor, mails
from tests.bench.installation import Servers, execute, fetch_value, fresh_name
from tests.bench.witness import Awaited
from tests.support.dovecot import PASSWORD, Dovecot
from tests.support.waiting import eventually

ASKED = Awaited(floor.ASKED, "mail.compose")
PARTS = {
    "floor ingest": ("ingest",),
    "floor ingest relay": ("relay", "ingest"),
    "floor work": ("work",),
    "floor work relay": ("relay", "work"),
}
_PATIENCE = 60.0


@dataclass
class FloorPipeline:
    """The floor, with a database, topics and a mailbox of its own."""

    servers: Servers
    settings: floor.Settings
    address: mails.Address
    _running: dict[str, Tethered] = field(default_factory=dict)

    @property
    def dovecot(self) -> Dovecot:
        return self.servers.dovecot

    @property
    def prefix(self) -> str:
        return self.settings.prefix

    @property
    def user(self) -> str:
        """Whose inbox it reads."""
        return self.address.to

    async def prepare(self) -> None:
        """Tables and topics."""
        preparing = await Tethered.start(self._program("prepare"))
        assert await preparing.process.wait() == 0, self.log.read_text()[-2000:]

    async def start(self, *names: str) -> None:
        """Start some of its processes."""
        for name in names:
            self._running[name] = await Tethered.start(self._program(*PARTS[name]))

    async def end(self) -> None:
        await asyncio.gather(*(each.stop() for each in self._running.values()))

    def roots(self) -> dict[str, int]:
        """Name and first process of all that works here, servers included."""
        own = {name: running.record.pid for name, running in self._running.items()}
        return {**own, **self.servers.roots()}

    async def until_idle(self) -> None:
        """Wait until the outboxes are empty."""
        rest = "SELECT EXISTS (SELECT FROM ingest.outbox) OR EXISTS (SELECT FROM work.outbox)"

        async def idle() -> bool:
            return not await fetch_value(self.settings.dsn, rest)

        await eventually(idle, deadline=_PATIENCE, every=0.1)

    @property
    def log(self) -> Path:
        return self.servers.folder / "floor.log"

    def _program(self, *arguments: str) -> Program:
        return Program(
            arguments=(sys.executable, floor.__file__, *arguments, self.settings.model_dump_json()),
            environment=os.environ,
            folder=self.servers.folder,
            log=self.log,
        )


@asynccontextmanager
async def fresh_floor(servers: Servers) -> AsyncIterator[FloorPipeline]:
    """The floor with nothing running yet."""
    name = fresh_name()
    settings = floor.Settings(
        dsn=servers.dsn(name),
        bootstrap=servers.stack.kafka_bootstrap,
        prefix=f"{name}.",
        imap_host=servers.dovecot.address.host,
        imap_port=servers.dovecot.address.port,
        user=f"help@{uuid4().hex[:8]}.test",
        password=PASSWORD,
    )
    await execute(servers.stack.postgres_dsn, f"CREATE DATABASE {name}")
    pipeline = FloorPipeline(servers, settings, mails.Address(settings.user, f"{name}.test"))
    try:
        await pipeline.prepare()
        yield pipeline
    finally:
        await pipeline.end()
        await execute(servers.stack.postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)")
