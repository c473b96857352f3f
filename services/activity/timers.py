"""The component that lets timers fire: waits, feedback windows (design §5).

Due timers are found without a lock and claimed by locking their activities' families with SKIP LOCKED; then
their activities are read again and worked on like everything else, which drops what has become stale. Every
process goes through all that are due, a page in a transaction, and passes over what another one has at the
moment: so several share the work, and what was passed over is found the next time.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.activity import store_configuration, store_families, store_timers
from services.activity.store_timers import FIRST, Horizon
from services.activity.work import Work
from services.activity.work_timers import fired
from shared import metrics, tracing_records
from shared.failure import sentence
from shared.logs import get_logger
from shared.organisation import Organisations
from shared.polling import Polling
from shared.postgres import Connection, acquired
from shared.strands import BATCH_RECORDS
from shared.topics import INGEST_MAILS
from shared.unit_of_work import Batch, Culprit, UnitOfWork

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
        page: int = BATCH_RECORDS,
        partitions: int = INGEST_MAILS.partitions,
    ) -> None:
        """`partitions` is in how many partitions ingest tells how far a mailbox was read."""
        self._unit = unit
        self._work = work
        self._organisations = organisations
        self._page = page
        self._partitions = partitions
        self._resting: dict[UUID, datetime] = {}
        self._after = FIRST
        self._polling = Polling(self.name, self._fire_page, seconds=poll_seconds)

    async def run(self) -> None:
        """Fire what is due until cancelled; whatever goes wrong passes or is written down."""
        await self._polling.run()

    def not_ready(self) -> str | None:
        """What keeps timers from firing."""
        return self._polling.trouble

    async def _fire_page(self) -> bool:
        return await self.fire() >= self._page

    async def fire(self) -> int:
        """Let the next page of due timers fire; returns how many were found due."""
        async with acquired(self._unit.pool) as connection:
            now = await self._unit.time(connection)
            self._resting = {activity: until for activity, until in self._resting.items() if until > now}
            horizon = await self._horizon(connection, now)
            due = await store_timers.due(connection, horizon, self._page, self._after, self._resting.keys())
        if due:
            records = [
                fired(each.organisation, each.activity, each.generation, each.due_at, closes=each.closes)
                for each in due
            ]
            culprits = await self._unit.run_each(self._claim_and_fire, records, patience=PATIENCE_SECONDS)
            self._lay_aside(culprits, now)
        self._after = due[-1].place if len(due) == self._page else FIRST
        return len(due)

    async def _claim_and_fire(self, batch: Batch[Any]) -> None:
        """Of a page, those that nobody else works on: once they are locked, the rules see which are stale.

        The configuration is held first, as whoever applies one does, so that none waits for the other.
        """
        organisations = sorted({each.envelope.organisation for each in batch.records})
        await store_configuration.hold(batch.connection, organisations)
        keys = {(each.envelope.organisation, each.message.activity) for each in batch.records}
        free = await store_families.lock_free(batch.connection, keys)
        records = [
            each for each in batch.records if (each.envelope.organisation, each.message.activity) in free
        ]
        if records:
            with tracing_records.handling("fire timer", records) as traced:
                await self._work.perform(batch, traced)

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
