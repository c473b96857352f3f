"""The component that lets Cases begin by schedules (CA-1).

The table says when each schedule comes next. Those whose time has come are found without a lock and claimed
with SKIP LOCKED, so that of several processes one begins the Case; in the same transaction the schedule moves
on to its next time. What was missed while nothing ran is begun one after the other: of each schedule the
newest, up to a number.
"""

from datetime import datetime, timedelta
from typing import Any

from services.activity import store_configuration, store_schedules
from services.activity.store_schedules import Planned, ScheduleKey
from services.activity.work import Work
from services.activity.work_schedules import ScheduleCame, came, key_of
from shared import cron, metrics, tracing_records
from shared.failure import sentence
from shared.logs import get_logger
from shared.polling import Polling
from shared.postgres import acquired
from shared.unit_of_work import Batch, Incoming, UnitOfWork

PATIENCE_SECONDS = 15.0
FAILED_REST = timedelta(minutes=10)
PAGE = 50

log = get_logger(__name__)


class Schedules:
    """Looks for schedules whose time has come, again and again."""

    name = "schedules"

    def __init__(self, unit: UnitOfWork, work: Work, *, poll_seconds: float = 1.0, missed: int = 100) -> None:
        """Of the times that a schedule has missed, at most `missed` are made up for."""
        self._unit = unit
        self._work = work
        self._missed = missed
        self._resting: dict[ScheduleKey, datetime] = {}
        self._polling = Polling(self.name, self._begin_some, seconds=poll_seconds)

    async def run(self) -> None:
        """Begin what has come until cancelled; whatever goes wrong passes or is written down."""
        await self._polling.run()

    def not_ready(self) -> str | None:
        """What keeps Cases from beginning."""
        return self._polling.trouble

    async def _begin_some(self) -> bool:
        return await self.begin() > 0

    async def begin(self) -> int:
        """Let the schedules that have come begin a Case each, for their oldest time; returns how many did."""
        async with acquired(self._unit.pool) as connection:
            now = await self._unit.time(connection)
            self._resting = {key: until for key, until in self._resting.items() if until > now}
            due = await store_schedules.due(connection, now, PAGE, self._resting.keys())
        records: list[Incoming[ScheduleCame]] = []
        moved: list[tuple[Planned, datetime]] = []
        for planned in due:
            try:
                found = self._next(planned, now)
                if found is None:
                    moved.append((planned, cron.first_after(planned.cron, planned.time_zone, now)))
                else:
                    records.append(found)
            except Exception as error:
                self._lay_aside(planned.key, error, now)
        if moved:
            await self._unit.run(lambda batch: _move_on(batch, moved), patience=PATIENCE_SECONDS)
        begun: set[ScheduleKey] = set()

        async def claim_and_begin(batch: Batch[Any]) -> None:
            begun.update(await self._claim_and_begin(batch))

        culprits = await self._unit.run_each(claim_and_begin, records, patience=PATIENCE_SECONDS)
        for culprit in culprits:
            self._lay_aside(key_of(culprit.incoming), culprit.error, now)
        return len(begun)

    def _next(self, planned: Planned, now: datetime) -> Incoming[ScheduleCame] | None:
        """The oldest of its times that is made up for; those before it are passed over.

        None where there is none: rules of its time zone that came later have moved the one that was planned.
        """
        times = cron.newest(planned.cron, planned.time_zone, planned.next_at, now, self._missed)
        if not times:
            return None
        at = times[0]
        if at > planned.next_at:
            log.warning(
                "times of a schedule passed over",
                organisation=planned.key.organisation,
                process=planned.key.process,
                schedule=planned.key.name,
                first=planned.next_at.isoformat(),
                until=at.isoformat(),
            )
        following = times[1] if len(times) > 1 else cron.first_after(planned.cron, planned.time_zone, at)
        return came(planned, at, following)

    async def _claim_and_begin(self, batch: Batch[Any]) -> set[ScheduleKey]:
        """Of a page, those that nobody else works on; returns them.

        The configuration is held first, as whoever applies one does, so that none waits for the other.
        """
        organisations = sorted({each.envelope.organisation for each in batch.records})
        await store_configuration.hold(batch.connection, organisations)
        wanted = [(key_of(each), each.message.planned_at) for each in batch.records]
        free = await store_schedules.claim(batch.connection, wanted)
        records = [each for each in batch.records if key_of(each) in free]
        if records:
            with tracing_records.handling("begin by schedule", records) as traced:
                await self._work.perform(batch, traced)
            following = [(key_of(each), each.message.following) for each in records]
            await store_schedules.advance(batch.connection, following)
        return free

    def _lay_aside(self, key: ScheduleKey, error: Exception, now: datetime) -> None:
        """A schedule that fails by itself must not hold up the others, and is tried again."""
        self._resting[key] = now + FAILED_REST
        metrics.SCHEDULES_FAILED.inc()
        log.error(
            "schedule failed",
            organisation=key.organisation,
            process=key.process,
            schedule=key.name,
            reason=sentence(error),
        )


async def _move_on(batch: Batch[Any], moved: list[tuple[Planned, datetime]]) -> None:
    """Let schedules come next at these times without a Case for what was planned, unless others did."""
    await store_configuration.hold(batch.connection, sorted({each.key.organisation for each, _ in moved}))
    free = await store_schedules.claim(batch.connection, [(each.key, each.next_at) for each, _ in moved])
    following = [(each.key, at) for each, at in moved if each.key in free]
    await store_schedules.advance(batch.connection, following)
    for key, at in following:
        log.warning(
            "planned time of a schedule is none any more",
            organisation=key.organisation,
            process=key.process,
            schedule=key.name,
            next=at.isoformat(),
        )
