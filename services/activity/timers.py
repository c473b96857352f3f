"""The component that lets timers fire: waits, feedback windows (design §5).

Due timers are found without a lock and claimed by locking their activities' families with SKIP LOCKED, so
that several processes share the work; then read again and worked on like everything else.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.activity import store_families, store_timers
from services.activity.store_timers import Horizon
from services.activity.work import Work
from services.activity.work_timers import fired
from shared import metrics, tracing_records
from shared.failure import is_transient, sentence
from shared.logs import get_logger
from shared.organisation import Organisations
from shared.postgres import Connection, acquired
from shared.topics import INGEST_MAILS
from shared.unit_of_work import Batch, Culprit, UnitOfWork

LONGEST_PAUSE_SECONDS = 30.0
PATIENCE_SECONDS = 15.0
FAILED_REST = timedelta(minutes=10)

log = get_logger(__name__)


class Timers:
    """Looks for timers that are due, again and again."""

    name = "timers"

    def __init__(
        self,
        unit: UnitOfWork,
        work: Work,
        organisations: Organisations,
        *,
        poll_seconds: float = 1.0,
        page: int = 200,
        partitions: int = INGEST_MAILS.partitions,
    ) -> None:
        """`partitions` is in how many partitions ingest tells how far a mailbox was read."""
        self._unit = unit
        self._work = work
        self._organisations = organisations
        self._poll_seconds = poll_seconds
        self._page = page
        self._partitions = partitions
        self._trouble: str | None = None
        self._resting: dict[UUID, datetime] = {}

    async def run(self) -> None:
        """Fire what is due until cancelled; whatever goes wrong passes or is written down."""
        failures = 0
        while True:
            pause = self._poll_seconds
            try:
                if await self.fire() >= self._page:
                    pause = 0.0
                failures, self._trouble = 0, None
            except Exception as error:
                failures += 1
                pause = min(LONGEST_PAUSE_SECONDS, self._poll_seconds * 2.0 ** min(failures, 6))
                self._trouble = f"Timers wait: {sentence(error)}"
                if is_transient(error):
                    log.warning("timers wait", reason=sentence(error))
                else:
                    log.exception("timers failed")
            await asyncio.sleep(pause)

    def not_ready(self) -> str | None:
        """What keeps timers from firing."""
        return self._trouble

    async def fire(self) -> int:
        """Let one page of due timers fire; returns how many were found due."""
        now = self._unit.clock.now()
        self._resting = {activity: until for activity, until in self._resting.items() if until > now}
        async with acquired(self._unit.pool) as connection:
            horizon = await self._horizon(connection, now)
            due = await store_timers.due(connection, horizon, self._page, self._resting.keys())
        if due:
            records = [fired(each.organisation, each.activity, each.generation, each.due_at) for each in due]
            culprits = await self._unit.run_each(self._claim_and_fire, records, patience=PATIENCE_SECONDS)
            self._lay_aside(culprits, now)
        return len(due)

    async def _claim_and_fire(self, batch: Batch[Any]) -> None:
        """Of a page, those that nobody else works on and that are still due once they are locked."""
        keys = {(each.envelope.organisation, each.message.activity) for each in batch.records}
        free = await store_families.lock_free(batch.connection, keys)
        if not free:
            return
        horizon = await self._horizon(batch.connection, batch.now)
        still_due = await store_timers.reread(batch.connection, horizon, free)
        records = [
            fired(each.organisation, each.activity, each.generation, each.due_at) for each in still_due
        ]
        if records:
            with tracing_records.handling("fire timer", records) as traced:
                await self._work.perform(batch, traced)
            metrics.TIMERS_FIRED.inc(len(records))

    async def _horizon(self, connection: Connection, now: datetime) -> Horizon:
        return Horizon.of(await self._organisations.all(connection), now, self._partitions)

    def _lay_aside(self, culprits: list[Culprit], now: datetime) -> None:
        """A timer that fails by itself must not hold up those behind it."""
        for culprit in culprits:
            self._resting[culprit.incoming.message.activity] = now + FAILED_REST
            metrics.TIMERS_FAILED.inc()
            log.error(
                "timer failed",
                activity=str(culprit.incoming.message.activity),
                reason=sentence(culprit.error),
            )
