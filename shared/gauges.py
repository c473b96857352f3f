"""The component that looks now and then how much waits and how old it is: gauges that a query knows.

Every process of a service looks by itself and tells the same, so that whoever reads takes the largest.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Gauge

from shared import outbox
from shared.failure import is_transient, sentence
from shared.logs import get_logger
from shared.metrics import OUTBOX_OLDEST
from shared.postgres import Connection, acquired
from shared.unit_of_work import UnitOfWork

LOOK_SECONDS = 15.0

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """One cheap query: `take` sets `gauges` to what is true now."""

    gauges: tuple[Gauge, ...]
    take: Callable[[Connection, datetime], Awaitable[None]]


class Gauges:
    """Takes the looks of a service, and that at its outbox."""

    name = "gauges"

    def __init__(
        self, work: UnitOfWork, looks: Sequence[Look] = (), *, seconds: float = LOOK_SECONDS
    ) -> None:
        self._work = work
        self._looks = (Look((OUTBOX_OLDEST,), self._look_at_outbox), *looks)
        self._seconds = seconds

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._seconds)

    def not_ready(self) -> str | None:
        """Nobody's work waits for this."""
        return None

    async def look(self) -> None:
        """Look once. What could not be seen is told as unknown, not as it was."""
        for look in self._looks:
            try:
                async with acquired(self._work.pool) as connection:
                    await look.take(connection, await self._work.time(connection))
            except Exception as error:
                if not is_transient(error):
                    log.exception("a gauge cannot be read")
                else:
                    log.warning("a gauge cannot be read", reason=sentence(error))
                for gauge in look.gauges:
                    _unknown(gauge)

    async def _look_at_outbox(self, connection: Connection, now: datetime) -> None:
        oldest = await outbox.oldest(connection)
        OUTBOX_OLDEST.labels(self._work.service).set(seconds_since(oldest, now))


def seconds_since(moment: datetime | None, now: datetime) -> float:
    """An age in seconds; of nothing, 0."""
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


def tell(gauge: Gauge, values: Mapping[str, float]) -> None:
    """Let a gauge of one label tell these values by it, and no others.

    Whoever reads meanwhile sees each of these: what is gone goes last.
    """
    for label, value in values.items():
        gauge.labels(label).set(value)
    (name,) = gauge._labelnames
    known = [sample.labels[name] for metric in gauge.collect() for sample in metric.samples]
    for label in known:
        if label not in values:
            gauge.remove(label)


def _unknown(gauge: Gauge) -> None:
    if gauge._labelnames:
        gauge.clear()
    else:
        gauge.set(math.nan)
