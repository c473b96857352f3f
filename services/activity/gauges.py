"""What activity tells of timers and schedules that are due, and of Cases that wait for people."""

from datetime import datetime

from services.activity import store_attention, store_schedules, store_timers
from services.activity.store_timers import Horizon
from shared.gauges import Look, seconds_since, tell
from shared.metrics import ATTENTION_OLDEST, CASES_NEEDING_ATTENTION, SCHEDULE_OLDEST, TIMER_OLDEST
from shared.organisation import Organisations
from shared.postgres import Connection
from shared.topics import INGEST_MAILS


def looks(organisations: Organisations) -> tuple[Look, ...]:
    """At timers: those that wait for their turn, and those that wait until their mailbox was read.

    At schedules: those that have come, and have not begun what they are for. At Cases that need attention.
    """

    async def timers(connection: Connection, now: datetime) -> None:
        horizon = Horizon.of(await organisations.all(connection), now, INGEST_MAILS.partitions)
        oldest = await store_timers.oldest(connection, horizon)
        TIMER_OLDEST.labels("turn").set(seconds_since(oldest.ready, now))
        TIMER_OLDEST.labels("mailbox").set(seconds_since(oldest.held, now))

    async def schedules(connection: Connection, now: datetime) -> None:
        SCHEDULE_OLDEST.set(seconds_since(await store_schedules.oldest(connection, now), now))

    async def attention(connection: Connection, now: datetime) -> None:
        found = await store_attention.needing(connection)
        tell(CASES_NEEDING_ATTENTION, {each.process: each.cases for each in found})
        ATTENTION_OLDEST.set(seconds_since(min((each.since for each in found), default=None), now))

    return (
        Look((TIMER_OLDEST,), timers),
        Look((SCHEDULE_OLDEST,), schedules),
        Look((CASES_NEEDING_ATTENTION, ATTENTION_OLDEST), attention),
    )
