"""The programs of one instance while they run: started, halted, kept alive, written down."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from deploy.local import ports
from deploy.local.failure import StackFailure
from deploy.local.home import Home
from deploy.local.processes import ProcessRecord, Program, Tethered
from deploy.local.progress import Phase, Progress, Report

_SECONDS_TO_START = 120.0
_SECONDS_BETWEEN_LOOKS = 0.05
# A program that keeps ending is started again after 1, 2, 4 … seconds; one that held out is forgiven.
_LONGEST_PAUSE = 30.0
_SECONDS_TO_BE_FORGIVEN = 60.0


@dataclass(frozen=True)
class Unit:
    """Something that runs, listens on `ports`, and can be asked whether it is ready."""

    name: str
    program: Program
    is_ready: Callable[[], Awaitable[bool]]
    ports: tuple[int, ...]


@dataclass
class Units:
    """All of an instance. What runs is always written down first, so that a later start can end it."""

    home: Home
    report: Report
    on_resumed: Callable[[], None]
    _known: dict[str, Unit] = field(default_factory=dict)
    _running: dict[str, Tethered] = field(default_factory=dict)

    def records(self) -> dict[str, ProcessRecord]:
        """What runs now, by name."""
        return {name: running.record for name, running in self._running.items()}

    async def make(self, name: str, maker: Program) -> None:
        """Runs a program that makes a server's data, to its end."""
        making = await self._begin(f"{name} data", maker)
        code = await making.process.wait()
        self._forget(f"{name} data")
        if code != 0:
            self.home.require_space()
            raise StackFailure(f"{name} could not make its data: {_last_words(maker)}")

    async def start(self, unit: Unit) -> None:
        """Adds one and starts it; returns when it is ready."""
        self._known[unit.name] = unit
        await self.resume(unit.name)

    async def resume(self, name: str) -> None:
        """Starts one that was halted or has ended, as before; returns when it is ready."""
        unit = self._known[name]
        self.report(Progress(step=name, phase=Phase.WORKING))
        running = await self._begin(name, unit.program)
        try:
            async with asyncio.timeout(_SECONDS_TO_START):
                while running.exit_code is None and not await unit.is_ready():  # noqa: ASYNC110 — another process
                    await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        except TimeoutError as late:
            raise StackFailure(
                f"{name} is not ready after {_SECONDS_TO_START:.0f} s: {_last_words(unit.program)}"
            ) from late
        if running.exit_code is not None:
            self.home.require_space()
            raise StackFailure(_why_it_ended(unit))
        self.on_resumed()
        self.report(Progress(step=name, phase=Phase.READY, detail=", ".join(map(str, unit.ports))))

    async def halt(self, name: str) -> None:
        """Ends one, which `watch` then leaves alone."""
        running = self._running.pop(name)
        await running.stop()
        self._write_down()
        self.report(Progress(step=name, phase=Phase.ENDED))

    async def halt_all(self, first: Iterable[str]) -> None:
        """Ends everything, `first` before the rest."""
        await together(self.halt(name) for name in first if name in self._running)
        await together(self.halt(name) for name in tuple(self._running))

    async def watch(self) -> None:
        """Starts again whatever ends unasked; runs until cancelled."""
        await together(self._keep(name) for name in self._known)

    async def _keep(self, name: str) -> None:
        pause, loop = 0.5, asyncio.get_running_loop()
        while running := self._running.get(name):
            began = loop.time()
            code = await running.process.wait()
            if self._running.get(name) is not running:
                continue  # halted, and perhaps resumed
            held_out = loop.time() - began > _SECONDS_TO_BE_FORGIVEN
            pause = 1.0 if held_out else min(pause * 2, _LONGEST_PAUSE)
            news = f"exit code {code}, again in {pause:.0f} s, see {running.program.log}"
            self.report(Progress(step=name, phase=Phase.ENDED, detail=news))
            await running.stop()  # what it had started itself may live on
            await asyncio.sleep(pause)
            try:
                await self.resume(name)
            except StackFailure as failure:
                self.report(Progress(step=name, phase=Phase.ENDED, detail=str(failure)))

    async def _begin(self, name: str, program: Program) -> Tethered:
        running = self._running[name] = await Tethered.start(program)
        self._write_down()
        return running

    def _forget(self, name: str) -> None:
        del self._running[name]
        self._write_down()

    def _write_down(self) -> None:
        self.home.record(self.records())


async def together(jobs: Iterable[Awaitable[None]]) -> None:
    """Does all at once; the first failure ends the others and is raised as it is."""

    async def do(job: Awaitable[None]) -> None:
        await job

    try:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(do(job))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


def _why_it_ended(unit: Unit) -> str:
    for port in unit.ports:
        if not ports.is_free(port):
            return f"Another program has taken port {port} of {unit.name} meanwhile: start again."
    return f"{unit.name} ended while it started: {_last_words(unit.program)}"


def _last_words(program: Program) -> str:
    """The last line of its log, and where the rest is."""
    lines = program.log.read_text(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return f"{last} (all of it in {program.log})"
