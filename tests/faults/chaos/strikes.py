"""How each kind of fault is done to a running Mailroom, and undone again."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import psutil

from deploy.instance import SERVICES
from tests.faults.chaos.moments import PUBLISHING, until_at_work, until_so
from tests.faults.chaos.schedule import KILL, LINES, PARSER, RELAY, Strike
from tests.faults.chaos.world import AWAY, World
from tests.support.waiting import eventually

HOUR = 3600.0
_PARSER = "services.ingest.parsing.child"
_PARSER_SECONDS = 600.0
"""For so long, other faults may keep ingest from reading any mail."""


async def carry_out(world: World, strike: Strike) -> None:
    """Do it, for as long as it lasts, and undo it. Who has been killed is started, and not waited for."""
    await until_at_work(world, strike.target)
    await DO[strike.kind](world, strike, random.Random(strike.seed))


async def _kill(world: World, strike: Strike, chance: random.Random) -> None:
    if strike.target == PARSER:
        await _kill_parser(world, chance)
    elif strike.target == RELAY:
        await _kill_relay(world, strike, chance)
    else:
        async with world.held(strike.target):
            await world.kill(strike.target)
            await asyncio.sleep(strike.seconds)
            await world.mailroom.launch(strike.target)


async def _kill_parser(world: World, chance: random.Random) -> None:
    """One of ingest's children, whatever it is at. They are there once a mail was read."""
    children = await eventually(lambda: list(_parsers(world)), deadline=_PARSER_SECONDS, every=0.1)
    with suppress(psutil.NoSuchProcess):
        chance.choice(children).kill()


def _parsers(world: World) -> Iterator[psutil.Process]:
    for pid in filter(None, (world.mailroom.pid(name) for name in ("ingest", "ingest-2"))):
        with suppress(psutil.NoSuchProcess):
            yield from (child for child in psutil.Process(pid).children() if _PARSER in child.cmdline())


async def _kill_relay(world: World, strike: Strike, chance: random.Random) -> None:
    """While it has something to publish: its whole process, or its session in the database."""
    service = chance.choice(SERVICES)
    async with world.held(service):
        await until_so(world, service, PUBLISHING)
        if chance.random() < 0.5:
            await world.kill(service)
            await asyncio.sleep(strike.seconds)
            await world.mailroom.launch(service)
        else:
            with suppress(*AWAY):
                async with world.mailroom.tables(service) as tables:
                    await tables.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
                        f"mailroom {service} relay",
                    )


@asynccontextmanager
async def _on_line(world: World, strike: Strike, *, reset: bool = True) -> AsyncIterator[None]:
    async with world.held(f"line to {strike.target}"):
        try:
            yield
            await asyncio.sleep(strike.seconds)
        finally:
            await world.mailroom.lines[strike.target].mend(reset=reset)


async def _unreachable(world: World, strike: Strike, chance: random.Random) -> None:
    async with _on_line(world, strike):
        await world.mailroom.lines[strike.target].cut()


async def _slow(world: World, strike: Strike, chance: random.Random) -> None:
    async with _on_line(world, strike):
        world.mailroom.lines[strike.target].slow(chance.uniform(0.02, 0.3))


async def _torn(world: World, strike: Strike, chance: random.Random) -> None:
    """In the middle of a command or of its answer: of a short one, or of a page of mails."""
    async with _on_line(world, strike):
        world.mailroom.lines[strike.target].tear(round(10 ** chance.uniform(0, 5)))


async def _half_open(world: World, strike: Strike, chance: random.Random) -> None:
    """The longer ones are never told that their connections are dead."""
    async with _on_line(world, strike, reset=strike.seconds < 10 or chance.random() < 0.5):
        world.mailroom.lines[strike.target].silence()


async def _stopped(world: World, strike: Strike, chance: random.Random) -> None:
    """A server ends in order, or as at a power cut."""
    async with world.held(strike.target + " server"):
        if chance.random() < 0.5:
            await world.stack.halt(strike.target)
        else:
            await world.kill_server(strike.target)
        await asyncio.sleep(strike.seconds)
        await world.stack.resume(strike.target)


async def _doubled(world: World, strike: Strike, chance: random.Random) -> None:
    """A second process of a service comes and goes again: with a signal or without, ready or not."""
    name = f"{strike.target}-2"
    async with world.held(name):
        await world.mailroom.launch(name)
        if chance.random() < 0.7:
            with suppress(AssertionError):
                await world.mailroom.until_ready(name)
        await asyncio.sleep(strike.seconds)
        if chance.random() < 0.5:
            await world.mailroom.stop(name)
        else:
            await world.kill(name)


async def _frozen(world: World, strike: Strike, chance: random.Random) -> None:
    """A process sleeps past whatever it held, alone or with another one that takes its place."""
    async with AsyncExitStack() as exits:
        await exits.enter_async_context(world.held(strike.target))
        other = f"{strike.target}-2"
        if chance.random() < 0.5:
            await exits.enter_async_context(world.held(other))
            await world.mailroom.launch(other)
            exits.push_async_callback(world.mailroom.stop, other)
            with suppress(AssertionError):
                await world.mailroom.until_ready(other)
        if world.mailroom.pid(strike.target) is not None:
            world.mailroom.freeze(strike.target)
            exits.callback(world.mailroom.thaw, strike.target)
        await asyncio.sleep(strike.seconds)


async def _clock_jumps(world: World, strike: Strike, chance: random.Random) -> None:
    """One process believes that it is earlier or later than all others do, and then is set right."""
    async with world.held(f"clock of {strike.target}"):
        world.clocks.set(strike.target, chance.choice((-1, 1)) * chance.choice((5, 60, HOUR, 24 * HOUR)))
        await asyncio.sleep(strike.seconds)
        world.clocks.set(strike.target, 0)


async def _disk_full(world: World, strike: Strike, chance: random.Random) -> None:
    async with world.held("disk"):
        await asyncio.to_thread(world.disk.fill)
        await asyncio.sleep(strike.seconds)
        world.disk.free()


async def _outage(world: World, strike: Strike, chance: random.Random) -> None:
    """Nothing can be reached, and an hour has gone by for all services before anything can be again."""
    async with AsyncExitStack() as exits:
        for name in (
            *(f"clock of {service}" for service in SERVICES),
            *(f"line to {line}" for line in LINES),
        ):
            await exits.enter_async_context(world.held(name))
        for line in LINES:
            await world.mailroom.lines[line].cut()
        await asyncio.sleep(strike.seconds / 2)
        for service in SERVICES:
            world.clocks.set(service, HOUR)
        await asyncio.sleep(strike.seconds / 2)
        for line in LINES:
            await world.mailroom.lines[line].mend()
        await asyncio.sleep(strike.seconds / 2)
        for service in SERVICES:
            world.clocks.set(service, 0)


DO: Mapping[str, Callable[[World, Strike, random.Random], Awaitable[None]]] = {
    KILL: _kill,
    "unreachable": _unreachable,
    "slow": _slow,
    "torn": _torn,
    "half-open": _half_open,
    "stopped": _stopped,
    "doubled": _doubled,
    "frozen": _frozen,
    "clock jumps": _clock_jumps,
    "disk full": _disk_full,
    "outage of an hour": _outage,
}
