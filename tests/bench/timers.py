"""Very many timers that are due at once, while customers go on writing."""

import asyncio
import smtplib
import time
from collections.abc import Iterator
from threading import Event

from deploy.local.endpoints import Address
from shared.topics import ACTIVITY_ACTIVITIES
from tests.bench import mails, stories
from tests.bench.bench import Bench
from tests.bench.figures import TIMER_RATE, Figure, at_percent, figure
from tests.bench.installation import execute, fresh_installation
from tests.bench.passing import Watch, following, until
from tests.bench.seed import seed
from tests.bench.witness import Awaited

TIMERS = 100_000
MAIL_RATE = 20
"""Mails a second, meanwhile."""
ENDED, OPENED = (
    Awaited(ACTIVITY_ACTIVITIES.name, type_, ACTIVITY_ACTIVITIES.partitions)
    for type_ in ("ticket.status_changed", "ticket.opened")
)
WORKERS = ("activity", "activity-2")
_DUE = "UPDATE activity.timers SET due_at = now() - interval '1 minute'"
_WAITING = "SELECT count(*) FROM timers"


async def due_at_once(bench: Bench, _: frozenset[str]) -> dict[str, Figure]:
    """Waits and feedback windows that all ended while activity was away; two processes of it come back.

    From the first effect that can be read from Kafka to the last one. `mail_p99` is how many seconds it took
    from the post office to a Ticket that can be read there, for the mails that were sent meanwhile.
    """
    number = bench.number(TIMERS)
    async with fresh_installation(bench.servers) as installation:
        await bench.warm(installation)
        await installation.stop("activity")
        dsn = installation.database.dsn_of("activity")
        await seed(dsn, installation.definition.organisation, number, number, lives=stories.WAITING)
        await execute(installation.database.dsn, _DUE)
        waiting = int(str(await installation.ask("activity", _WAITING)))
        letters = mails.plain(installation.address, 10 * number, kind="meanwhile")
        sending = Sending(bench.servers.post.address, installation.user, letters)
        opened = bench.witnessing(installation, OPENED)
        async with opened as answered, bench.witnessing(installation, ENDED) as seen:
            await installation.start(*WORKERS)
            watch = Watch(installation.roots())
            async with following(watch), bench.spy.looking("timers", installation.roots()):
                posting = asyncio.create_task(asyncio.to_thread(sending.go_on))
                try:
                    last = await until(seen, waiting)
                finally:
                    sending.over.set()
                    await posting
                await until(answered, len(sending.sent))
                await installation.until_idle()
            measured = watch.end(waiting, last - seen.done[0])
        assert await installation.ask("activity", _WAITING) == 0, "a timer was forgotten"
    assert len(seen.done) == waiting, f"{len(seen.done)} ends for {waiting} timers"
    waits = [done - sent for sent, done in zip(sending.sent, answered.done, strict=True)]
    more = {
        "mails_meanwhile": len(waits),
        "mail_p50": at_percent(waits, 50),
        "mail_p99": at_percent(waits, 99),
    }
    return {"timers": figure(measured, unit=TIMER_RATE, more=more)}


class Sending:
    """Customers write, one mail every 1/MAIL_RATE s, until it is over. `sent` is when (`time.monotonic`)."""

    def __init__(self, address: Address, to: str, letters: Iterator[bytes]) -> None:
        self.over = Event()
        self.sent: list[float] = []
        self._address, self._to, self._letters = address, to, letters

    def go_on(self) -> None:
        with smtplib.SMTP(self._address.host, self._address.port) as smtp:
            began = time.monotonic()
            for index, letter in enumerate(self._letters):
                if self.over.wait(max(0.0, began + index / MAIL_RATE - time.monotonic())):
                    return
                smtp.sendmail("customer@mailroom.test", [self._to], letter)
                self.sent.append(time.monotonic())
