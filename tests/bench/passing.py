"""Mails pass through a pipeline, Mailroom or floor, while somebody watches the clock and the processes."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import psutil

from tests.bench import usage
from tests.bench.profiling import profiled
from tests.bench.usage import Usage
from tests.support.dovecot import Dovecot
from tests.support.waiting import eventually

STANDSTILL_SECONDS = 120.0


class Pipeline(Protocol):
    """What mails pass through."""

    @property
    def dovecot(self) -> Dovecot: ...

    @property
    def user(self) -> str:
        """Whose inbox the mails lie in."""
        ...

    def roots(self) -> dict[str, int]:
        """Name and first process of all that works, servers included."""
        ...

    async def until_idle(self) -> None:
        """Wait until nothing is left to do."""
        ...


class Effects(Protocol):
    """Sees what comes of mails: `done` is when each was done, in order (`time.monotonic`)."""

    done: list[float]

    @property
    def name(self) -> str:
        """What they are, for people."""
        ...


E = TypeVar("E", bound=Effects)


@dataclass
class Measured:
    """One run: `seconds` from the first sight of the mails to the last effect.

    `used` is by process, until all was put away; `others` is the part of the machine (0 to 1) that programs
    had which do not belong here. `memory` is bytes by process, once a second.
    """

    mails: int
    seconds: float
    used: dict[str, Usage]
    others: float
    memory: Sequence[dict[str, int]]

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.seconds

    @property
    def processor_time(self) -> float:
        """Seconds of processor time per mail, of everybody."""
        return sum(use.seconds for name, use in self.used.items() if ":" not in name) / self.mails

    def and_then(self, other: "Measured") -> "Measured":
        """This run and another one as one."""
        seconds = self.seconds + other.seconds
        used = {
            name: Usage(
                sum(each.used[name].seconds for each in (self, other) if name in each.used),
                max(each.used[name].memory for each in (self, other) if name in each.used),
            )
            for name in self.used | other.used
        }
        others = (self.others * self.seconds + other.others * other.seconds) / seconds
        return Measured(self.mails + other.mails, seconds, used, others, [*self.memory, *other.memory])


@dataclass(frozen=True)
class Spy:
    """Services to look into, the folder for their profiles, and those made so far, by run and service."""

    services: tuple[str, ...]
    folder: Path
    profiles: dict[tuple[str, str], Path] = field(default_factory=dict)

    @asynccontextmanager
    async def looking(self, run: str, roots: dict[str, int]) -> AsyncIterator[None]:
        """Profiles those of the services that run, meanwhile."""
        async with AsyncExitStack() as exits:
            for service in self.services:
                if service in roots:
                    path = self.folder / f"profile-{run}-{service}.txt"
                    await exits.enter_async_context(profiled(roots[service], path))
                    self.profiles[run, service] = path
            yield


@dataclass
class Watch:
    """Somebody who looks at the processes of a pipeline for a while."""

    roots: dict[str, int]
    memory: list[dict[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._before = usage.measure(self.roots)
        self._machine, self._bench, self._began = _busy(), _own(), time.monotonic()

    def end(self, mails: int, seconds: float) -> Measured:
        """What was seen since."""
        used = usage.between(self._before, usage.measure(self.roots))
        ours = sum(use.seconds for name, use in used.items() if ":" not in name) + _own() - self._bench
        all_there_was = (time.monotonic() - self._began) * (psutil.cpu_count() or 1)
        others = max(0.0, (_busy() - self._machine - ours) / all_there_was)
        return Measured(mails, seconds, used, others, self.memory)

    async def follow(self) -> None:
        """Note how much memory all have, until cancelled."""
        while True:
            self.memory.append({name: use.memory for name, use in usage.measure(self.roots).items()})
            await asyncio.sleep(1)


async def pass_through(
    pipeline: Pipeline,
    waiting: Iterable[bytes],
    number: int,
    effects: AbstractAsyncContextManager[E],
    spied: AbstractAsyncContextManager[None] | None = None,
) -> tuple[Measured, E]:
    """Let mails lie in the mailbox from one moment on, and wait until each of the `number` has its effect.

    The clock begins when the IMAP server first hands them out, and ends with the last effect.
    """
    async with effects as seen, spied or nullcontext():
        watch = Watch(pipeline.roots())
        seen_by_server = await asyncio.to_thread(pipeline.dovecot.deliver_at_once, pipeline.user, waiting)
        await eventually(seen_by_server, deadline=STANDSTILL_SECONDS, every=0.005)
        began = time.monotonic()
        async with following(watch):
            ended = await until(seen, number)
            await pipeline.until_idle()
        measured = watch.end(number, ended - began)
    assert len(seen.done) == number, f"{len(seen.done)} {seen.name} for {number} mails"
    return measured, seen


@asynccontextmanager
async def following(watch: Watch) -> AsyncIterator[None]:
    """Memory is noted meanwhile."""
    task = asyncio.create_task(watch.follow())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(effects: Effects, number: int) -> float:
    """Wait for so many effects; when the last of them came. Raises `TimeoutError` at a standstill."""
    seen, since = len(effects.done), time.monotonic()
    while len(effects.done) < number:
        await asyncio.sleep(0.01)
        if len(effects.done) > seen:
            seen, since = len(effects.done), time.monotonic()
        elif time.monotonic() - since > STANDSTILL_SECONDS:
            raise TimeoutError(
                f"{seen} of {number} {effects.name}, then nothing for {STANDSTILL_SECONDS:.0f} s"
            )
    return effects.done[number - 1]


def _busy() -> float:
    """Seconds of processor time of the whole machine."""
    times = psutil.cpu_times()
    return float(times.user + times.system)


def _own() -> float:
    """Those of who measures: this process and py-spy."""
    bench = psutil.Process()
    spies = [child for child in bench.children() if child.name() == "py-spy"]
    return sum(sum(process.cpu_times()[:2]) for process in (bench, *spies))
