"""Consumers on real servers: where they begin, what a rebalance does, what stops them (design §2)."""

import asyncio
import contextlib
import time
from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from faststream import AckPolicy
from faststream.kafka.subscriber.usecase import BatchSubscriber
from prometheus_client import REGISTRY

from deploy.local.endpoints import Endpoints
from shared import offsets
from shared.kafka import Consumers, NotRegistered
from shared.offsets import Place
from shared.postgres import Pool
from shared.strands import BATCH_RECORDS
from shared.unit_of_work import Batch, Handler, Subscription, Transient, UnitOfWork
from tests.support.at_work import running
from tests.support.frame import CONSUMER, SERVICE, dead, next_offset, notes, register
from tests.support.notes import NOTES, NoteMade, Raw, Scribe, envelope, made
from tests.support.topics import make_topics, write
from tests.support.waiting import eventually

Make = Callable[..., Consumers]


@pytest.fixture
async def prefix(stack: Endpoints, topic_prefix: str) -> str:
    await make_topics(stack.kafka, topic_prefix, NOTES)
    return topic_prefix


@pytest.fixture
async def topic(prefix: str) -> str:
    return prefix + NOTES.name


@pytest.fixture
def make(stack: Endpoints, pool: Pool, prefix: str) -> Make:
    def make(scribe: Handler | None = None, **options: object) -> Consumers:
        return Consumers(
            UnitOfWork(pool, service=SERVICE, topic_prefix=prefix),
            [Subscription(NOTES, CONSUMER, scribe or Scribe())],
            kafka=stack.kafka,
            watch_seconds=0.2,
            **options,  # type: ignore[arg-type]
        )

    return make


async def test_records_become_effects_and_the_offset_moves(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    await register(pool, topic)
    consumers = make()
    async with running(consumers):
        await write(stack.kafka, prefix, *(made(number, str(number)) for number in range(20)))
        await eventually(lambda: _stands(pool, topic, 20))
        await eventually(lambda: consumers.not_ready() is None)
    assert await notes(pool) == [str(number) for number in range(20)]


async def test_records_may_come_compressed_however_kafka_knows_it(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    """Other systems choose that, not we; unread, such a batch would hold up its partition for ever."""
    codecs = ("gzip", "snappy", "lz4", "zstd")
    await register(pool, topic)
    async with running(make()):
        for codec in codecs:
            await write(stack.kafka, prefix, made(0, codec * 100, id_=codec), compression=codec)
        await eventually(lambda: _stands(pool, topic, len(codecs)))
    assert await notes(pool) == [codec * 100 for codec in codecs]


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


async def test_what_waits_in_several_partitions_is_worked_on_side_by_side(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    """One partition that alone fills a batch would leave nothing to a second strand."""
    scribe, working, met = Scribe(), 0, asyncio.Event()

    async def handle(batch: Batch[NoteMade]) -> None:
        nonlocal working
        working += 1
        if working > 1:
            met.set()
        # Kafka may hand over one partition before it has the other one.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await met.wait()
        await scribe(batch)
        working -= 1

    each = 3 * BATCH_RECORDS
    await register(pool, topic)
    for partition in (0, 1):
        await write(
            stack.kafka, prefix, *(made(number, str(number), partition=partition) for number in range(each))
        )
    async with running(make(handle)):
        await eventually(lambda: _stands(pool, topic, each))
        await eventually(lambda: _stands(pool, topic, each, partition=1))
    assert met.is_set()
    assert (sum(scribe.calls), max(scribe.calls)) == (2 * each, BATCH_RECORDS)


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


async def test_a_database_put_back_makes_it_read_again(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    """Postgres decides where reading goes on, not what Kafka remembers of the group."""
    await register(pool, topic)
    await write(stack.kafka, prefix, *(made(number, str(number)) for number in range(10)))
    async with running(make()):
        await eventually(lambda: _stands(pool, topic, 10))
    await pool.execute("TRUNCATE notes, inbox")
    await pool.execute("UPDATE offsets SET next_offset = 4 WHERE partition = 0")
    async with running(make()):
        await eventually(lambda: _stands(pool, topic, 10))
    assert await notes(pool) == [str(number) for number in range(4, 10)]


async def test_an_offset_out_of_range_stops_its_partition_alone(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    """Records were deleted before they were read: an alarm, never a reset."""
    await register(pool, topic)
    await write(stack.kafka, prefix, *(made(number, str(number)) for number in range(5)))
    await _delete_before(stack, topic, 3)
    consumers = make()
    async with running(consumers):
        await write(stack.kafka, prefix, made(0, "elsewhere", partition=1))
        await eventually(lambda: _stands(pool, topic, 1, partition=1))
        await eventually(lambda: "out of range" in (consumers.not_ready() or ""))
        assert await notes(pool) == ["elsewhere"]
        # Somebody decides that what is lost is lost; nothing has to be restarted.
        await pool.execute("UPDATE offsets SET next_offset = 3 WHERE partition = 0")
        await eventually(lambda: _stands(pool, topic, 5))
        await eventually(lambda: consumers.not_ready() is None)
    assert await notes(pool) == ["elsewhere", "3", "4"]


async def test_a_partition_that_nobody_registered_is_not_read(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    await register(pool, topic)
    await pool.execute("DELETE FROM offsets WHERE partition = 2")
    await write(stack.kafka, prefix, made(0, "a", partition=2), made(0, "b"))
    consumers = make()
    async with running(consumers):
        await eventually(lambda: "topics apply" in (consumers.not_ready() or ""))
        await eventually(lambda: _stands(pool, topic, 1))
        await register(pool, topic)
        await eventually(lambda: _stands(pool, topic, 1, partition=2))
    assert await notes(pool) == ["b", "a"]


async def test_workers_come_and_go_and_every_record_is_worked_once_in_order(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    """Rebalances run in the background (aiokafka #929): the fence keeps the zombie's batches out."""
    await register(pool, topic)
    written = 0

    async def write_more(number: int) -> None:
        nonlocal written
        records = [
            made(offset, f"{partition}:{offset}", partition=partition)
            for offset in range(written, written + number)
            for partition in range(3)
        ]
        await write(stack.kafka, prefix, *records)
        written += number

    async def worked() -> bool:
        stands = [await next_offset(pool, Place(topic, partition)) for partition in range(3)]
        return stands == [written] * 3

    await write_more(200)
    async with running(make()):
        async with running(make()):
            await write_more(200)
            async with running(make()):
                await write_more(200)
                await eventually(worked)
            await write_more(200)
        await write_more(200)
        await eventually(worked)
    found = await notes(pool)
    for partition in range(3):
        own = [text for text in found if text.startswith(f"{partition}:")]
        assert own == [f"{partition}:{offset}" for offset in range(1000)]


async def test_a_header_that_is_no_text_costs_its_record_alone(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    """FastStream's own parser would lose the whole batch over it, and log it."""
    await register(pool, topic)
    bad = Raw(1, b"{}", (*envelope("1").to_headers(), ("reply_to", b"\xff")))
    worse = Raw(2, b"{}", (("ce_id", b"\xfe\xff"),))
    await write(stack.kafka, prefix, made(0, "a"), bad, worse, made(3, "b"))
    async with running(make()):
        await eventually(lambda: _stands(pool, topic, 4))
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
        await eventually(lambda: _stands(pool, topic, 8))
    # Nobody says anything until all is deleted: that is nothing lost.
    await _delete_before(stack, topic, 8)
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
        await eventually(lambda: _stands(pool, topic, 1))
    assert await notes(pool) == ["a"]
    assert await dead(pool, prefix + "ingest.dlq.v1") == []


async def _stands(pool: Pool, topic: str, expected: int, *, partition: int = 0) -> bool:
    return await next_offset(pool, Place(topic, partition)) == expected


async def _texts(pool: Pool, expected: list[str]) -> bool:
    return await notes(pool) == expected


async def _delete_before(stack: Endpoints, topic: str, offset: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()
