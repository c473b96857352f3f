"""What activity tells of timers that are due."""

from datetime import datetime

from services.activity import store_timers
from services.activity.store_timers import Horizon
from shared.gauges import Look, seconds_since
from shared.metrics import TIMER_OLDEST
from shared.organisation import Organisations
from shared.postgres import Connection
from shared.topics import INGEST_MAILS


def looks(organisations: Organisations) -> tuple[Look, ...]:
    """At timers: those that wait for their turn, and those that wait until their mailbox was read."""

    async def timers(connection: Connection, now: datetime) -> None:
        horizon = Horizon.of(await organisations.all(connection), now, INGEST_MAILS.partitions)
        oldest = await store_timers.oldest(connection, horizon)
        TIMER_OLDEST.labels("turn").set(seconds_since(oldest.ready, now))
        TIMER_OLDEST.labels("mailbox").set(seconds_since(oldest.held, now))

    return (Look((TIMER_OLDEST,), timers),)
