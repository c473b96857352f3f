"""Reads topics without belonging to a consumer group: nothing is committed, and nobody is rebalanced."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from shared.kafka_access import KafkaAccess
from shared.kafka_refusals import explained
from shared.topic_plan import ASK_SECONDS, TopicError

Onlooker: TypeAlias = "AIOKafkaConsumer[Any, Any]"
Seen: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"

_LOOK_MILLISECONDS = 200


@asynccontextmanager
async def onlooker(
    kafka: KafkaAccess, *, committed: bool = True, patience: float = ASK_SECONDS
) -> AsyncIterator[Onlooker]:
    """A consumer that assigns its partitions itself; with `committed` it sees ended transactions only.

    Raises `TopicError`, also for errors of Kafka inside the block, when Kafka does not answer for
    `patience` seconds.
    """
    consumer: Onlooker = AIOKafkaConsumer(
        **kafka.client(),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed" if committed else "read_uncommitted",
        auto_offset_reset="earliest",  # what was deleted while it was read is passed over
        request_timeout_ms=int(patience * 1000),
    )
    try:
        async with asyncio.timeout(patience):
            await consumer.start()
        yield consumer
    except (KafkaError, OSError, TimeoutError) as error:
        raise TopicError(await explained(kafka, error)) from error
    finally:
        await consumer.stop()


async def pages(
    consumer: Onlooker, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int], rows: int
) -> AsyncIterator[list[Seen]]:
    """What stands from `starts` up to, and without, `ends`: at most `rows` at once, in order per partition.

    Raises `TimeoutError` when nothing comes for `ASK_SECONDS`.
    """
    behind = {partition for partition, start in starts.items() if start < ends[partition]}
    if not behind:
        return  # with nothing assigned a consumer asks for no offsets any more
    consumer.assign(behind)
    for partition in behind:
        consumer.seek(partition, starts[partition])
    moved = time.monotonic()
    while behind := {each for each in behind if await consumer.position(each) < ends[each]}:
        found = await consumer.getmany(*behind, timeout_ms=_LOOK_MILLISECONDS, max_records=rows)
        page = [
            record
            for partition, records in found.items()
            for record in records
            if record.offset < ends[partition]
        ]
        if page:
            yield page
        if found:
            moved = time.monotonic()
        elif time.monotonic() - moved > ASK_SECONDS:
            raise TimeoutError(f"nothing came of {next(iter(behind)).topic} for {ASK_SECONDS:.0f} s")
