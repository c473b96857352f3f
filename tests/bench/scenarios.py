"""What is measured, one row each, and how one is run."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.topics import ACTIVITY_ACTIVITIES, INGEST_MAILS, NOTIFY_MAILS, NOTIFY_REQUESTS
from tests.bench import mails, usage
from tests.bench.installation import Installation
from tests.bench.profiling import profiled
from tests.bench.usage import Usage
from tests.bench.witness import Awaited, Witness, witnessing

TOLD = Awaited(INGEST_MAILS, "mail.received")
ASKED = Awaited(NOTIFY_REQUESTS, "mail.compose")
APPENDED = Awaited(ACTIVITY_ACTIVITIES, "ticket.mail_appended")
SENT = Awaited(NOTIFY_MAILS, "mail.sent")
END_OF_ROAD = {"ingest": TOLD, "activity": ASKED, "notify": SENT}
"""What the last service that runs says of a new mail."""


@dataclass
class Measured:
    """One run: `seconds` from the first sight of the mails to the last effect."""

    mails: int
    seconds: float
    used: dict[str, Usage] = field(default_factory=dict)
    memory: list[dict[str, int]] = field(default_factory=list)
    """Resident bytes by process, once a second."""

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.seconds


async def pass_through(
    installation: Installation, waiting: Iterable[bytes], number: int, awaited: Awaited, spied: "Spied | None"
) -> tuple[Measured, Witness]:
    """Let `number` mails lie in the mailbox from one moment on, and wait until each has had its effect.

    The clock begins when the IMAP server first hands them out, and ends with the last effect; processor
    time is counted until all is put away.
    """
    server, user = installation.servers, installation.address.to
    async with AsyncExitStack() as exits:
        witness = await exits.enter_async_context(
            witnessing(server.stack.kafka_bootstrap, installation.prefix, awaited)
        )
        if spied is not None:
            pid = installation.roots()[spied.service]
            await exits.enter_async_context(profiled(pid, spied.path))
        await asyncio.to_thread(server.dovecot.deliver_at_once, user, waiting)
        new = server.dovecot.maildir(user) / "new"
        untouched, before = new.stat().st_mtime_ns, usage.measure(installation.roots())
        while new.stat().st_mtime_ns == untouched:  # noqa: ASYNC110 — another process
            await asyncio.sleep(0.005)
        began = time.monotonic()
        memory = await exits.enter_async_context(watched(installation))
        ended = await witness.until(number)
        await installation.until_idle()
        used = usage.between(before, usage.measure(installation.roots()))
    assert len(witness.values) == number, f"{len(witness.values)} effects of {number} mails"
    return Measured(number, ended - began, used, memory), witness


@dataclass(frozen=True)
class Spied:
    """A service to look into, and where its profile goes."""

    service: str
    path: Path


@asynccontextmanager
async def watched(installation: Installation) -> AsyncIterator[list[dict[str, int]]]:
    """Resident bytes by process, once a second meanwhile."""
    found: list[dict[str, int]] = []

    async def watch() -> None:
        while True:
            found.append({name: use.memory for name, use in usage.measure(installation.roots()).items()})
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch())
    try:
        yield found
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def tickets(
    installation: Installation,
    number: int,
    *,
    kind: str = "plain",
    services: tuple[str, ...] = ("ingest", "activity"),
    spied: Spied | None = None,
) -> Measured:
    """`number` mails of a kind (plain, real, reply) through these services.

    Replies answer as many plain mails that came before them, unmeasured.
    """
    await installation.start("ingest", "activity")
    await installation.configure()
    await installation.start(*(name for name in services if name not in ("ingest", "activity")))
    await installation.stop(*(name for name in ("ingest", "activity") if name not in services))
    awaited = END_OF_ROAD[services[-1]]
    if kind == "reply":
        _, witness = await pass_through(
            installation, mails.plain(installation.address, number), number, ASKED, None
        )
        waiting = mails.replies(
            installation.address,
            installation.keyring(),
            installation.definition.organisation,
            witness.values,
        )
        awaited = APPENDED
    else:
        waiting = {"plain": mails.plain, "real": mails.real}[kind](installation.address, number)
    measured, _ = await pass_through(installation, waiting, number, awaited, spied)
    return measured
