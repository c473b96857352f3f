"""Consumers on real servers: where they begin, what a rebalance does, what stops them (design §2)."""

import time

import pytest
from aiokafka import AIOKafkaProducer
from faststream import AckPolicy
from faststream.kafka.subscriber.usecase import BatchSubscriber
from prometheus_client import REGISTRY

from deploy.local.endpoints import Endpoints
from shared import offsets
from shared.kafka import Consumers, NotRegistered
from shared.postgres import Pool
from shared.unit_of_work import Batch, Subscription, Transient, UnitOfWork
from tests.support.at_work import running
from tests.support.frame import CONSUMER, SERVICE, Make, dead, notes, register, stands
from tests.support.notes import NOTES, NoteMade, Raw, Scribe, envelope, made
from tests.support.topics import delete_before, write
from tests.support.waiting import eventually


async def test_records_become_effects_and_the_offset_moves(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    await register(pool, topic)
    consumers = make()
    async with running(consumers):
        await write(stack.kafka, prefix, *(made(number, str(number)) for number in range(20)))
        await eventually(lambda: stands(pool, topic, 20))
        await eventually(lambda: consumers.not_ready() is None)
    assert await notes(pool) == [str(number) for number in range(20)]


async def test_how_old_the_oldest_waiting_record_is_shows_while_it_waits(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    await register(pool, topic)
    away = True

    async def handle(batch: Batch[NoteMade]) -> None:
        if away:
            raise Transient("something is away")

    def lag() -> tuple[float | None, float]:
        seconds = REGISTRY.get_sample_value("mailroom_consumer_lag_seconds", {"consumer": CONSUMER})
        of_partition = [
            REGISTRY.get_sample_value(
                "mailroom_consumer_lag_records",
                {"consumer": CONSUMER, "topic": topic, "partition": str(each)},
            )
            for each in range(NOTES.partitions)
        ]
        return seconds, sum(filter(None, of_partition))

    written = time.time()
    async with running(make(handle)):
        await write(stack.kafka, prefix, made(0, "a"), made(1, "b"))
        await eventually(lambda: lag()[1] == 2)
        first = await eventually(lambda: lag()[0])
        assert first <= time.time() - written
        await eventually(lambda: (lag()[0] or 0) > first)
        away = False
        await eventually(lambda: lag() == (0, 0))


def test_every_subscriber_is_tied_down(make: Make, prefix: str) -> None:
    """FastStream's defaults lose messages: at most once, latest, replies, no isolation (pitfalls)."""
    broker = make(instance="pod-0").build_broker()
    assert broker.subscribers
    for subscriber in broker.subscribers:
        assert isinstance(subscriber, BatchSubscriber)
        assert subscriber.ack_policy is AckPolicy.MANUAL
        assert subscriber._no_reply
        assert subscriber.max_records == 1
        assert subscriber.group_id == prefix + CONSUMER  # deployments on one cluster have groups of their own
        options = subscriber._connection_args
        assert options["auto_offset_reset"] == "none"
        assert options["enable_auto_commit"] is False
        assert options["isolation_level"] == "read_committed"
        assert options["max_poll_interval_ms"] == 24 * 3600 * 1000
        assert options["group_instance_id"] == f"{CONSUMER}.pod-0"
        assert subscriber._listener is not None


async def test_a_consumer_without_an_offset_refuses_to_start(make: Make) -> None:
    with pytest.raises(NotRegistered, match="topics apply"):
        await make().run()


async def test_two_subscriptions_cannot_share_a_consumer(stack: Endpoints, pool: Pool) -> None:
    twice = [Subscription(NOTES, CONSUMER, Scribe())] * 2
    with pytest.raises(ValueError, match="share a consumer"):
        Consumers(UnitOfWork(pool, service=SERVICE), twice, kafka=stack.kafka)


async def test_a_header_that_is_no_text_costs_its_record_alone(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    """FastStream's own parser would lose the whole batch over it, and log it."""
    await register(pool, topic)
    bad = Raw(1, b"{}", (*envelope("1").to_headers(), ("reply_to", b"\xff")))
    worse = Raw(2, b"{}", (("ce_id", b"\xfe\xff"),))
    await write(stack.kafka, prefix, made(0, "a"), bad, worse, made(3, "b"))
    async with running(make()):
        await eventually(lambda: stands(pool, topic, 4))
    assert await notes(pool) == ["a", "b"]
    assert len(await dead(pool, prefix + "ingest.dlq.v1")) == 2


async def test_what_a_relay_took_back_is_not_read(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    """Read committed; Kafka's markers leave holes between offsets, which the fence steps over."""
    await register(pool, topic)
    async with AIOKafkaProducer(
        bootstrap_servers=stack.kafka_bootstrap, transactional_id=f"{prefix}relay"
    ) as producer:
        for offset, (text, kept) in enumerate([("a", True), ("b", False), ("c", True), ("d", True)]):
            record = made(offset, text)
            await producer.begin_transaction()
            await producer.send_and_wait(
                topic, record.value, record.key, partition=0, headers=list(record.headers)
            )
            await (producer.commit_transaction() if kept else producer.abort_transaction())
    async with running(make()):
        await eventually(lambda: _texts(pool, ["a", "c", "d"]))
        await eventually(lambda: stands(pool, topic, 8))
    # Nobody says anything until all is deleted: that is nothing lost.
    await delete_before(stack.kafka, topic, 8)
    consumers = make()
    async with running(consumers):
        await write(stack.kafka, prefix, made(9, "e"))
        await eventually(lambda: _texts(pool, ["a", "c", "d", "e"]))
        assert consumers.not_ready() is None


async def test_a_batch_that_fails_in_the_frame_is_read_again(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is raised, nothing is skipped: the partition is sought again."""
    await register(pool, topic)
    advance = offsets.advance
    failures = [RuntimeError("a bug")] * 2

    async def failing(*arguments: object) -> None:
        if failures:
            raise failures.pop()
        await advance(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(offsets, "advance", failing)
    await write(stack.kafka, prefix, made(0, "a"))
    async with running(make()):
        await eventually(lambda: stands(pool, topic, 1))
    assert await notes(pool) == ["a"]
    assert await dead(pool, prefix + "ingest.dlq.v1") == []


async def _texts(pool: Pool, expected: list[str]) -> bool:
    return await notes(pool) == expected
