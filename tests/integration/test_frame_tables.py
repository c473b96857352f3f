"""Inbox and topics on real servers: what is kept, what is dropped, where consumers begin."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import asyncpg
import pytest

from deploy.local.endpoints import Endpoints
from shared import inbox, outbox, relay_store, topic_plan
from shared.kafka_access import KafkaAccess
from shared.offsets import Place
from shared.outbox import Row
from shared.postgres import Pool, transaction
from shared.readers import Reader
from shared.settings import ServiceSettings
from shared.topic_plan import TopicError
from tests.support.databases import Database
from tests.support.frame import CONSUMER, SERVICE
from tests.support.notes import ECHOES, NOTES, made
from tests.support.topics import make_topics, write
from tests.support.waiting import eventually

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def periods(pool: Pool) -> list[int]:
    rows = await pool.fetch(
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'inbox'::regclass"
    )
    return sorted(int(row["relname"].removeprefix("inbox_")) for row in rows)


async def test_a_record_is_known_for_longer_than_its_topic_keeps_it_and_then_forgotten(pool: Pool) -> None:
    """Dropped with its partition, without a single DELETE."""
    seen = [("mailroom/tests", "1")]

    keep = timedelta(days=ServiceSettings.model_fields["inbox_days"].default)

    async def fresh(now: datetime) -> bool:
        period = await inbox.prepare(pool, now)
        async with transaction(pool) as connection:
            while await inbox.drop(connection, now - keep):
                pass
            return bool(await inbox.fresh(connection, CONSUMER, seen, period))

    assert await fresh(NOW)
    assert not await fresh(NOW + timedelta(days=30))
    assert not await fresh(NOW + timedelta(days=90))
    assert await fresh(NOW + 4 * inbox.PERIOD)
    assert len(await periods(pool)) <= 5


async def test_another_consumer_and_another_source_are_not_the_same(pool: Pool) -> None:
    period = await inbox.prepare(pool, NOW)
    async with transaction(pool) as connection:
        assert await inbox.fresh(connection, "a", [("s", "1"), ("t", "1")], period) == {
            ("s", "1"),
            ("t", "1"),
        }
        assert await inbox.fresh(connection, "a", [("s", "1"), ("s", "2")], period) == {("s", "2")}
        assert await inbox.fresh(connection, "b", [("s", "1")], period) == {("s", "1")}


async def test_a_page_is_the_beginning_of_the_outbox_whatever_its_size(pool: Pool) -> None:
    """A tombstone, which has no size, must not overtake the record that a full page leaves behind."""
    values = (b"x" * 10, b"y" * 10, b"z" * 10, None)
    async with transaction(pool) as connection:
        await outbox.add(connection, [Row("test", b"key", value, "[]") for value in values])
        page = await relay_store.page(cast(relay_store.Connection, connection), 0, rows=10, size=15)
    assert [row.value for row in page] == [b"x" * 10, b"y" * 10]


async def test_a_plan_that_was_applied_leaves_nothing_to_do(stack: Endpoints, topic_prefix: str) -> None:
    topics = (NOTES, ECHOES)
    names = [topic_prefix + topic.name for topic in topics]
    await make_topics(stack.kafka, topic_prefix, NOTES)
    async with topic_plan.connected(stack.kafka) as cluster:
        changes = topic_plan.plan(topics, topic_prefix, await cluster.present(names))
        assert [change.topic for change in changes] == names[1:]
        await cluster.apply(changes)
        assert topic_plan.plan(topics, topic_prefix, await cluster.present(names)) == []


async def test_topics_grow_and_are_configured_anew(stack: Endpoints, topic_prefix: str) -> None:
    name = topic_prefix + NOTES.name
    await make_topics(stack.kafka, topic_prefix, NOTES)
    wanted = [replace(NOTES, partitions=5, retention=timedelta(days=1))]
    async with topic_plan.connected(stack.kafka) as cluster:
        await cluster.apply(topic_plan.plan(wanted, topic_prefix, await cluster.present([name])))

        # Kafka confirms a change before every answer of its knows of it.
        async def agrees() -> bool:
            return topic_plan.plan(wanted, topic_prefix, await cluster.present([name])) == []

        await eventually(agrees)
        found = (await cluster.present([name]))[name]
    assert found.partitions == 5
    assert found.configuration["retention.ms"] == "86400000"


async def test_consumers_begin_at_the_first_record_of_partitions_they_do_not_know(
    stack: Endpoints, database: Database, pool: Pool, topic_prefix: str
) -> None:
    reader = Reader(SERVICE, CONSUMER, NOTES)
    name = topic_prefix + NOTES.name
    await make_topics(stack.kafka, topic_prefix, NOTES)
    await write(stack.kafka, topic_prefix, made(0, "before anybody read"))
    async with topic_plan.connected(stack.kafka) as cluster:
        beginnings = await cluster.beginnings([name])
    assert len(await topic_plan.register(database.dsn, [reader], topic_prefix, beginnings)) == 3
    await pool.execute("UPDATE offsets SET next_offset = 1 WHERE partition = 0")
    beginnings[Place(name, 3)] = 0
    new = await topic_plan.register(database.dsn, [reader], topic_prefix, beginnings)
    assert new == [(CONSUMER, Place(name, 3))]
    assert await pool.fetchval("SELECT next_offset FROM offsets WHERE partition = 0") == 1


async def test_registering_before_migrating_says_what_to_do(stack: Endpoints, database: Database) -> None:
    admin = await asyncpg.connect(database.dsn)
    await admin.execute("DROP TABLE ingest.offsets")
    await admin.close()
    with pytest.raises(TopicError, match="mailroom migrate"):
        await topic_plan.register(
            database.dsn, [Reader(SERVICE, CONSUMER, NOTES)], "", {Place(NOTES.name, 0): 0}
        )


async def test_a_cluster_that_is_not_there_is_named() -> None:
    with pytest.raises(TopicError, match=r"does not answer at 127\.0\.0\.1:1"):
        async with topic_plan.connected(KafkaAccess("127.0.0.1:1")):
            pass
