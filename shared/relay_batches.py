"""A page of the outbox as Kafka takes it: batches per partition, each handed over whole.

Handing over record by record makes aiokafka wait, look up and promise something for each: half of what a
relay cost.
"""

import asyncio
from collections import defaultdict
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata
from murmurhash2 import murmurhash2

from shared import tracing, tracing_records
from shared.logs import get_logger
from shared.offsets import Place
from shared.outbox import unpack_headers
from shared.relay_store import Page, Waiting

Producer: TypeAlias = "AIOKafkaProducer[bytes, bytes]"

log = get_logger(__name__)

_JAVAS_SEED = 0x9747B28C


async def send(producer: Producer, page: Page) -> dict[Place, int]:
    """Send the rows, in their order per partition; returns the last offset of each partition.

    The caller has begun a transaction and commits it. Raises what Kafka's client raises.
    """
    waiting: dict[Place, list[Waiting]] = defaultdict(list)
    numbers = {topic: sorted(await producer.partitions_for(topic)) for topic in {row.topic for row in page}}
    for row in page:
        waiting[Place(row.topic, _partition(row, numbers[row.topic]))].append(row)
    with _traced(page) if tracing.on() else nullcontext():
        ends = await asyncio.gather(*(_send_to(producer, place, rows) for place, rows in waiting.items()))
    return dict(zip(waiting, ends, strict=True))


async def _send_to(producer: Producer, place: Place, rows: list[Waiting]) -> int:
    """Send rows to one partition, in as many batches as they fill; returns the last one's offset."""
    sent: list[asyncio.Future[RecordMetadata]] = []
    batch: Any = producer.create_batch()
    for row in rows:
        if not _appended(batch, row):
            sent.append(await producer.send_batch(batch, place.topic, partition=place.partition))
            batch = producer.create_batch()
            _appended(batch, row)  # a batch takes its first record whatever its size
    sent.append(await producer.send_batch(batch, place.topic, partition=place.partition))
    *_, last = await asyncio.gather(*sent)
    return int(last.offset) + int(batch.record_count()) - 1


def _traced(page: Page) -> AbstractContextManager[None]:
    return tracing_records.published((row.topic, _traceparent(row)) for row in page)


def _traceparent(row: Waiting) -> str | None:
    found = dict(unpack_headers(row.headers)).get("ce_traceparent")
    return found.decode() if found else None


def _appended(batch: Any, row: Waiting) -> bool:
    headers = unpack_headers(row.headers)
    return batch.append(key=row.key, value=row.value, timestamp=None, headers=headers) is not None


def _partition(row: Waiting, numbers: list[int]) -> int:
    if row.partition is None:
        return numbers[_hash(row.key or b"") % len(numbers)]
    if row.partition not in numbers:
        log.error("no such partition, the key chooses", topic=row.topic, partition=row.partition)
        return numbers[_hash(row.key or b"") % len(numbers)]
    return row.partition


def _hash(key: bytes) -> int:
    """As Java's client spreads keys, so that whoever writes to the same topic agrees with us.

    aiokafka's own does the same in Python, which was a third of what a relay did.
    """
    return int(murmurhash2(key, _JAVAS_SEED)) & 0x7FFFFFFF
