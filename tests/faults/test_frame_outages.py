"""Kafka or Postgres go away while consumer and relay work: all goes on by itself afterwards (guarantee 6)."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.endpoints import Endpoints
from deploy.local.stack import Stack, StackOptions
from shared.kafka import Consumers
from shared.migrations import migrate, migrations_of, role_of
from shared.postgres import Pool, make_pool, opened
from shared.relay import Relay
from shared.topics import INGEST_MAILS
from shared.unit_of_work import Batch, Incoming, Subscription, UnitOfWork
from tests.support.frame import CONSUMER, SERVICE, notes, register
from tests.support.notes import ECHOES, NOTES, TABLE, NoteEchoed, NoteMade, Scribe, envelope, made, outgoing
from tests.support.topics import make_topics, read_all, write
from tests.support.waiting import eventually

pytestmark = [pytest.mark.timeout(240), pytest.mark.own_servers]


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    """Servers of this module's own, since they are stopped."""
    home = Path(tempfile.gettempdir()) / f"mailroom-outages-{uuid4().hex[:10]}"
    stack = Stack(StackOptions(home=home, services=(), fresh=True, temporary=True))
    async with stack as endpoints:
        await migrate(endpoints.postgres_dsn, SERVICE, migrations_of(SERVICE))
        await make_topics(endpoints.kafka, "", NOTES, ECHOES, INGEST_MAILS)
        yield stack


@pytest.fixture
async def pool(stack: Stack) -> AsyncIterator[Pool]:
    dsn = stack.endpoints.postgres_dsn.replace("//postgres@", f"//{role_of(SERVICE)}@")
    async with opened(make_pool(dsn, schema=SERVICE, application="tests")) as pool:
        await pool.execute(f"DROP TABLE IF EXISTS notes; {TABLE}")
        await register(pool)
        yield pool


@pytest.mark.parametrize("server", ["kafka", "postgres"])
async def test_a_server_that_was_away_leaves_no_trace(stack: Stack, pool: Pool, server: str) -> None:
    """Each record is worked once, echoed, and nobody is blamed."""
    endpoints = stack.endpoints
    work = UnitOfWork(pool, service=SERVICE)
    consumers = Consumers(
        work,
        [Subscription(NOTES, CONSUMER, Scribe())],
        kafka=endpoints.kafka,
        watch_seconds=0.5,
    )
    relay = Relay(
        endpoints.postgres_dsn.replace("//postgres@", f"//{role_of(SERVICE)}@"),
        service=SERVICE,
        kafka=endpoints.kafka,
    )
    tasks = [asyncio.create_task(consumers.run()), asyncio.create_task(relay.run())]
    texts = [f"{server} {number}" for number in range(300)]
    try:
        await say(endpoints, server, texts[:100])
        await eventually(lambda: heard(endpoints, server, texts[:100]), deadline=60)
        if server == "postgres":
            await stack.halt(server)
            await say(endpoints, server, texts[100:200])
        else:
            await stack.halt(server)
            # What comes in by other ways (HTTP, IMAP) goes on; the relay has something to publish.
            await work.run(echo(texts[100:200]))
        await eventually(lambda: consumers.not_ready() and relay.not_ready(), deadline=90)
        await stack.resume(server)
        await say(endpoints, server, texts[200:])
        await eventually(lambda: heard(endpoints, server, texts), deadline=90)
        await eventually(lambda: not consumers.not_ready() and not relay.not_ready(), deadline=90)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert await notes(pool) == [text for text in texts if server == "postgres" or text not in texts[100:200]]
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE topic LIKE '%dlq%'") == 0


def echo(texts: list[str]) -> Callable[[Batch[NoteMade]], Awaitable[None]]:
    async def work(batch: Batch[NoteMade]) -> None:
        batch.publish(*(outgoing(Incoming(envelope(text), NoteMade(text=text)), text) for text in texts))

    return work


async def say(endpoints: Endpoints, server: str, texts: list[str]) -> None:
    await write(endpoints.kafka, "", *(made(0, text, id_=text) for text in texts))


async def heard(endpoints: Endpoints, server: str, expected: list[str]) -> bool:
    """The echoes, without those that a relay repeated (same `ce_id`)."""
    said: dict[bytes, str] = {}
    for record in await read_all(endpoints.kafka, ECHOES.name):
        said[dict(record.headers)["ce_id"]] = NoteEchoed.model_validate_json(record.value).text
    return [text for text in said.values() if text.startswith(server)] == expected
