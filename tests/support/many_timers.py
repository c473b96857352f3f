"""Very many timers that are due at once, processes that let them fire, and what has to come of it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from services.activity import store_timers
from shared.postgres import Pool, transaction
from shared.topics import INGEST_MAILS
from tests.bench import stories
from tests.bench.seed import seed
from tests.support.office import ACME, Office

NOTHING: Mapping[str, str] = MappingProxyType({})
ENDS = ("T14", "T15", "T16", "T26")
"""The rows by which a timer ends a wait or a feedback window."""
_LEFT = """
SELECT count(*) FROM timers JOIN unnest($1::uuid[], $2::int[]) AS armed (activity, generation)
    USING (activity, generation)
"""
_ENDED = """
SELECT activity, array_agg(rule) AS rules FROM history
WHERE rule = ANY ($1) AND type = 'ticket.status_changed' AND at >= $2 GROUP BY activity
"""


@dataclass(frozen=True)
class Armed:
    """Timers that are due, by activity, since a moment."""

    pool: Pool
    since: datetime
    generations: Mapping[UUID, int]

    async def left(self) -> int:
        """How many have not fired, nor become stale."""
        left = await self.pool.fetchval(_LEFT, [*self.generations], [*self.generations.values()])
        return int(left)

    async def ended(self, *rules: str) -> Mapping[UUID, list[str]]:
        """By which rows activities have left their wait or window since."""
        rows = await self.pool.fetch(_ENDED, rules, self.since)
        return {row["activity"]: row["rules"] for row in rows}


async def armed(office: Office, dsn: str, number: int, lives: stories.Lives = stories.WAITING) -> Armed:
    """Tickets whose waits and windows have all ended a minute ago, in mailboxes that were read since."""
    await seed(dsn, ACME, number, number, lives=lives)
    return await due_now(office.pool)


async def due_now(pool: Pool) -> Armed:
    """Let all timers be due, and all mailboxes read."""
    now = datetime.now(UTC)
    async with transaction(pool) as connection:
        await connection.execute("UPDATE timers SET due_at = $1", now - timedelta(minutes=1))
        named = await connection.fetch(
            "SELECT DISTINCT organisation, mailbox FROM timers WHERE mailbox <> ''"
        )
        marks = [(*each, partition, now) for each in named for partition in range(INGEST_MAILS.partitions)]
        await store_timers.note_polled(connection, marks)
        rows = await connection.fetch("SELECT activity, generation FROM timers")
    return Armed(pool, now - timedelta(seconds=1), {row["activity"]: row["generation"] for row in rows})


@asynccontextmanager
async def worker(
    dsn: str, page: int, more: Mapping[str, str] = NOTHING
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that lets timers fire until it is killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.timers_process", dsn, str(page)), env={**os.environ, **more}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
