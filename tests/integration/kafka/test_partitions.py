"""Partitions on real servers: which are read, where they begin, and how many at a time (design §2, §3)."""

import asyncio
import contextlib

import pytest

from deploy.local.endpoints import Endpoints
from shared.offsets import Place
from shared.postgres import Pool
from shared.strands import BATCH_RECORDS
from shared.unit_of_work import Batch
from tests.support.at_work import running
from tests.support.frame import Make, next_offset, notes, register, stands
from tests.support.notes import NoteMade, Scribe, made
from tests.support.topics import delete_before, write
from tests.support.waiting import eventually


async def test_records_may_come_compressed_however_kafka_knows_it(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    """Other systems choose that, not we; unread, such a batch would hold up its partition for ever."""
    codecs = ("gzip", "snappy", "lz4", "zstd")
    await register(pool, topic)
    async with running(make()):
        for codec in codecs:
            await write(stack.kafka, prefix, made(0, codec * 100, id_=codec), compression=codec)
        await eventually(lambda: stands(pool, topic, len(codecs)))
    assert await notes(pool) == [codec * 100 for codec in codecs]


async def test_a_batch_that_cannot_be_unpacked_holds_up_no_other_partition_and_is_read_once_it_can(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka's client raises at one; what it has taken of the others must not be dropped (guarantee 1)."""
    others = [str(number) for number in range(20)]
    await register(pool, topic)
    await write(stack.kafka, prefix, *(made(int(each), each, partition=1) for each in others))
    for partition in (0, 2):
        packed = made(0, f"packed {partition}", partition=partition)
        await write(stack.kafka, prefix, packed, compression="lz4")
    with monkeypatch.context() as patched:
        patched.setattr("aiokafka.codec.cramjam", None)
        async with running(make()):
            await eventually(lambda: stands(pool, topic, 20, partition=1))
            assert await stands(pool, topic, 0)
            assert await stands(pool, topic, 0, partition=2)
    async with running(make()):
        await eventually(lambda: stands(pool, topic, 1))
        await eventually(lambda: stands(pool, topic, 1, partition=2))
    assert sorted(await notes(pool)) == sorted([*others, "packed 0", "packed 2"])


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

    each = 2 * BATCH_RECORDS
    await register(pool, topic)
    for partition in (0, 1):
        await write(
            stack.kafka, prefix, *(made(number, str(number), partition=partition) for number in range(each))
        )
    async with running(make(handle)):
        await eventually(lambda: stands(pool, topic, each))
        await eventually(lambda: stands(pool, topic, each, partition=1))
    assert met.is_set()
    assert (sum(scribe.calls), max(scribe.calls)) == (2 * each, BATCH_RECORDS)


async def test_a_database_put_back_makes_it_read_again(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    """Postgres decides where reading goes on, not what Kafka remembers of the group."""
    await register(pool, topic)
    await write(stack.kafka, prefix, *(made(number, str(number)) for number in range(10)))
    async with running(make()):
        await eventually(lambda: stands(pool, topic, 10))
    await pool.execute("TRUNCATE notes, inbox")
    await pool.execute("UPDATE offsets SET next_offset = 4 WHERE partition = 0")
    async with running(make()):
        await eventually(lambda: stands(pool, topic, 10))
    assert await notes(pool) == [str(number) for number in range(4, 10)]


async def test_an_offset_out_of_range_stops_its_partition_alone(
    stack: Endpoints, pool: Pool, prefix: str, topic: str, make: Make
) -> None:
    """Records were deleted before they were read: an alarm, never a reset."""
    await register(pool, topic)
    await write(stack.kafka, prefix, *(made(number, str(number)) for number in range(5)))
    await delete_before(stack.kafka, topic, 3)
    consumers = make()
    async with running(consumers):
        await write(stack.kafka, prefix, made(0, "elsewhere", partition=1))
        await eventually(lambda: stands(pool, topic, 1, partition=1))
        await eventually(lambda: "out of range" in (consumers.not_ready() or ""))
        assert await notes(pool) == ["elsewhere"]
        # Somebody decides that what is lost is lost; nothing has to be restarted.
        await pool.execute("UPDATE offsets SET next_offset = 3 WHERE partition = 0")
        await eventually(lambda: stands(pool, topic, 5))
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
        await eventually(lambda: stands(pool, topic, 1))
        await register(pool, topic)
        await eventually(lambda: stands(pool, topic, 1, partition=2))
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
