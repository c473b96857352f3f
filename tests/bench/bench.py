"""What every part of a run shares: servers, who looks into services, and the floor, once per kind."""

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from shared.topics import ACTIVITY_ACTIVITIES, INGEST_MAILS, NOTIFY_REQUESTS
from tests.bench import floor_pipeline, mails
from tests.bench.floor_pipeline import FloorPipeline, fresh_floor
from tests.bench.installation import Installation, Servers
from tests.bench.passing import Measured, Spy, pass_through
from tests.bench.witness import Awaited, Witness, witnessing

TOLD = Awaited(INGEST_MAILS.name, "mail.received", INGEST_MAILS.partitions)
ASKED = Awaited(NOTIFY_REQUESTS.name, "mail.compose", NOTIFY_REQUESTS.partitions)
APPENDED = Awaited(ACTIVITY_ACTIVITIES.name, "ticket.mail_appended", ACTIVITY_ACTIVITIES.partitions)
WARMING = 40
"""Mails that go first and are not measured: they fill pools, caches and prepared statements."""

Writer = Callable[[mails.Address], Iterable[bytes]]


@dataclass
class Bench:
    """One run. `mails` is a number for every part instead of its own."""

    servers: Servers
    spy: Spy
    mails: int | None = None
    _floors: dict[str, Measured] = field(default_factory=dict)

    def number(self, usual: int) -> int:
        """How many mails a part takes."""
        return self.mails or usual

    async def floor(self, kind: str, number: int, write: Writer) -> Measured:
        """The floor with `number` mails of a kind."""
        if kind not in self._floors:
            self._floors[kind] = await self._measure_floor(number, write)
        return self._floors[kind]

    async def plain_floor(self, number: int) -> Measured:
        """The floor with plain mails; beyond what it needs to show its rate, more would show no other."""
        number = min(number, 20_000)
        return await self.floor("plain", number, lambda address: mails.plain(address, number))

    async def _measure_floor(self, number: int, write: Writer) -> Measured:
        async with fresh_floor(self.servers) as pipeline:
            await pipeline.start(*floor_pipeline.PARTS)
            for waiting, count in (
                (mails.plain(pipeline.address, WARMING, kind="warming"), WARMING),
                (write(pipeline.address), number),
            ):
                effects = self.witnessing(pipeline, floor_pipeline.ASKED)
                measured, _ = await pass_through(pipeline, waiting, count, effects)
        return measured

    async def warm(self, installation: Installation, *services: str) -> None:
        """Start services, apply the configuration, and let a few mails through, as far as that goes."""
        await installation.start("ingest", "activity")
        await installation.configure()
        await installation.start(*(name for name in services if name not in ("ingest", "activity")))
        waiting = mails.plain(installation.address, WARMING, kind="warming")
        effects = self.witnessing(installation, ASKED)
        await pass_through(installation, waiting, WARMING, effects)

    def witnessing(
        self, pipeline: Installation | FloorPipeline, awaited: Awaited, *, keep: bool = False
    ) -> AbstractAsyncContextManager[Witness]:
        """Watch one of its topics."""
        return witnessing(self.servers.stack.kafka_bootstrap, pipeline.prefix, awaited, keep=keep)
