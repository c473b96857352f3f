"""The post office as those who measure have it: started, and its journal read."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import ports
from deploy.local.endpoints import Address
from deploy.local.ports import HOST
from deploy.local.processes import Program, Tethered
from tests.bench.post_office import Accepted, PostOffice
from tests.support.dovecot import greets
from tests.support.waiting import eventually


@dataclass
class Post:
    """A running post office."""

    port: int
    folder: Path
    dovecot: Path
    _running: Tethered | None = None

    @property
    def address(self) -> Address:
        return Address(host=HOST, port=self.port)

    @property
    def pid(self) -> int:
        assert self._running is not None
        return self._running.record.pid

    @property
    def _journal(self) -> Path:
        return self.folder / "journal"

    @property
    def _log(self) -> Path:
        return self.folder / "post.log"

    async def start(self) -> None:
        """Start it; returns when it answers."""
        options = PostOffice(port=self.port, journal=self._journal, dovecot=self.dovecot)
        self._running = await Tethered.start(
            Program(
                arguments=(sys.executable, "-m", "tests.bench.post_office", options.model_dump_json()),
                environment=os.environ,
                folder=Path.cwd(),
                log=self._log,
            )
        )

        async def answers() -> bool:
            assert self._running is not None
            if self._running.exit_code is not None:
                raise RuntimeError(f"the post office has ended:\n{self._log.read_text()[-2000:]}")
            return await greets(self.address, b"220")

        await eventually(answers, every=0.1)

    async def stop(self) -> None:
        if self._running is not None:
            await self._running.stop()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator["Deliveries"]:
        """What is accepted from now on."""
        start = self._journal.stat().st_size if self._journal.exists() else 0
        with self._journal.open() as journal:
            journal.seek(start)
            deliveries = Deliveries()

            async def follow() -> None:
                rest = ""
                while True:
                    *lines, rest = (rest + journal.read()).split("\n")
                    for line in lines:
                        deliveries.note(Accepted.of(line))
                    await asyncio.sleep(0.02)

            following = asyncio.create_task(follow())
            try:
                yield deliveries
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)


@dataclass
class Deliveries:
    """What the post office has accepted since, by Message-ID: when each mail came, and its first answer.

    `done` are the times of those answers, in order. All times are of `time.monotonic`.
    """

    came: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    done: list[float] = field(default_factory=list)
    name = "answers at the post office"

    def note(self, accepted: Accepted) -> None:
        """One more."""
        self.came.setdefault(accepted.message_id, accepted.at)
        if accepted.in_reply_to and accepted.in_reply_to not in self.answered:
            self.answered[accepted.in_reply_to] = accepted.at
            self.done.append(accepted.at)


@asynccontextmanager
async def running_post(folder: Path, dovecot: Path) -> AsyncIterator[Post]:
    """A post office for as long as this lasts."""
    post = Post(ports.choose(("smtp",), {}, {})["smtp"], folder, dovecot)
    try:
        await post.start()
        yield post
    finally:
        await post.stop()
