"""A relay while somebody holds an old snapshot open, so that dead rows of the outbox stay."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from shared.outbox import pack_headers
from shared.topics import ACTIVITY_ACTIVITIES
from tests.bench import floor
from tests.bench.bench import Bench
from tests.bench.figures import EVENT_RATE, Figure, figure
from tests.bench.floor_pipeline import fresh_floor
from tests.bench.installation import fresh_installation
from tests.bench.passing import Measured, Watch, following, until
from tests.bench.witness import Awaited, Witness, witnessing

ROWS_AT_ONCE = 500
ROWS_AHEAD = 20_000
"""So many rows wait at most, as if the relay were a little behind."""
FLOOR_EVENTS = 100_000
_TYPE = "ticket.opened"
_VALUE = json.dumps({"activity": "0" * 36, "details": "x" * 500}).encode()
_ADD = (
    "INSERT INTO {schema}.outbox (topic, key, value, headers) "
    "SELECT $1, convert_to('acme/' || number, 'UTF8'), $2, $3 "
    "FROM generate_series($4::int, $5::int) AS number"
)


async def old_snapshot(bench: Bench, _: frozenset[str]) -> dict[str, Figure]:
    """activity's relay under an old snapshot, beside the floor's relay without one.

    `first_tenth` and `last_tenth` are the rates of the first and the last events.
    """
    number = bench.number(500_000)
    async with fresh_installation(bench.servers) as installation:
        await installation.start("activity")
        headers = pack_headers([("ce_type", _TYPE.encode()), ("ce_id", b"0" * 36)])
        events = Events(installation.database.dsn, "activity", ACTIVITY_ACTIVITIES.name, headers)
        spied = bench.spy.looking("relay_old_snapshot", installation.roots())
        async with _snapshot(events.dsn), spied:
            measured, seen = await _published(
                bench, installation.prefix, events, number, installation.roots()
            )
    async with fresh_floor(bench.servers) as pipeline:
        await pipeline.start("floor work relay")
        headers = json.dumps({"ce_type": _TYPE, "ce_id": "0" * 36})
        events = Events(pipeline.settings.dsn, "work", floor.ASKED, headers)
        fewer = min(number, FLOOR_EVENTS)
        beside, _seen = await _published(bench, pipeline.prefix, events, fewer, pipeline.roots())
    tenth = max(2, number // 10)
    more = {"first_tenth": _rate(seen.done[:tenth]), "last_tenth": _rate(seen.done[-tenth:])}
    return {"relay_old_snapshot": figure(measured, beside, unit=EVENT_RATE, more=more)}


@dataclass(frozen=True)
class Events:
    """What is put into an outbox: where, and with which headers. `topic` is without the prefix."""

    dsn: str
    schema: str
    topic: str
    headers: str


async def _published(
    bench: Bench, prefix: str, events: Events, number: int, roots: dict[str, int]
) -> tuple[Measured, Witness]:
    """Fill an outbox, a little ahead of its relay, until `number` events are published.

    A few go first and are not measured.
    """
    bootstrap = bench.servers.stack.kafka_bootstrap
    async with witnessing(bootstrap, prefix, Awaited(events.topic, _TYPE)) as seen:
        await _fill(events, prefix, seen, ROWS_AT_ONCE)
        await until(seen, ROWS_AT_ONCE)
        seen.done.clear()
        began = time.monotonic()
        watch = Watch(roots)
        async with following(watch):
            await _fill(events, prefix, seen, number)
            ended = await until(seen, number)
        return watch.end(number, ended - began), seen


async def _fill(events: Events, prefix: str, seen: Witness, number: int) -> None:
    connection = await asyncpg.connect(events.dsn)
    try:
        for start in range(0, number, ROWS_AT_ONCE):
            while start - len(seen.done) > ROWS_AHEAD:  # noqa: ASYNC110 — another process
                await asyncio.sleep(0.01)
            end = min(start + ROWS_AT_ONCE, number) - 1
            async with connection.transaction():
                await connection.execute(
                    _ADD.format(schema=events.schema),
                    prefix + events.topic,
                    _VALUE,
                    events.headers,
                    start,
                    end,
                )
                await connection.execute(f"NOTIFY {events.schema}_outbox")
    finally:
        await connection.close()


@asynccontextmanager
async def _snapshot(dsn: str) -> AsyncIterator[None]:
    """Somebody reads for a long time: a backup, a forgotten session."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.fetchval("SELECT count(*) FROM pg_class")
            yield
    finally:
        await connection.close()


def _rate(done: Sequence[float]) -> float:
    return (len(done) - 1) / max(done[-1] - done[0], 0.001)
