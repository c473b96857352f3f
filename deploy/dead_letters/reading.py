"""Reads the dead-letter topics, from beginning to end or single letters, without a consumer group."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from deploy.dead_letters.letter import Letter, LetterName, read
from shared import topic_plan
from shared.offsets import Place
from shared.topic_plan import ASK_SECONDS, TopicError
from shared.topics import DEAD_LETTERS, TOPICS

_PAGE_RECORDS = 200
_LOOK_MILLISECONDS = 200


async def partitions(bootstrap: str, prefix: str) -> frozenset[Place]:
    """The partitions of all our topics that exist. Raises `TopicError`."""
    async with topic_plan.connected(bootstrap) as cluster:
        return frozenset(await cluster.places([prefix + topic.name for topic in TOPICS]))


async def letters(
    bootstrap: str,
    prefix: str,
    there: Collection[Place],
    services: Sequence[str],
    names: Collection[LetterName] = (),
) -> AsyncIterator[list[Letter]]:
    """Pages of letters, service by service, oldest first; with `names` only these.

    What comes in after the call has begun is left out. Raises `TopicError` when Kafka does not answer.
    """
    async with _connected(bootstrap) as consumer:
        for service in services:
            topic = prefix + DEAD_LETTERS[service].name
            places = [place for place in there if place.topic == topic]
            async for page in _pages(consumer, service, sorted(places), names):
                yield page


async def _pages(
    consumer: "AIOKafkaConsumer[Any, Any]", service: str, places: list[Place], names: Collection[LetterName]
) -> AsyncIterator[list[Letter]]:
    wanted: dict[TopicPartition, set[int]] = defaultdict(set)
    for name in names:
        if name.service == service:
            wanted[TopicPartition(places[0].topic if places else "", name.partition)].add(name.offset)
    partitions = [TopicPartition(*place) for place in places]
    if names:
        partitions = [each for each in partitions if each in wanted]
    for partition in partitions:
        begin = (await consumer.beginning_offsets([partition]))[partition]
        end = (await consumer.end_offsets([partition]))[partition]
        offsets = sorted(wanted[partition]) if names else [None]
        for offset in offsets:
            start = begin if offset is None else max(begin, offset)
            stop = end if offset is None else min(end, offset + 1)
            async for records in _records(consumer, partition, start, stop):
                yield [read(record, service) for record in records]


async def _records(
    consumer: "AIOKafkaConsumer[Any, Any]", partition: TopicPartition, start: int, stop: int
) -> AsyncIterator[list[Any]]:
    if start >= stop:
        return
    consumer.assign([partition])
    consumer.seek(partition, start)
    moved = time.monotonic()
    while await consumer.position(partition) < stop:
        found = await consumer.getmany(
            partition, timeout_ms=_LOOK_MILLISECONDS, max_records=min(_PAGE_RECORDS, stop - start)
        )
        if records := [record for record in found.get(partition, ()) if record.offset < stop]:
            yield records
        if found:
            moved = time.monotonic()
        elif time.monotonic() - moved > ASK_SECONDS:
            raise TimeoutError(f"nothing came of {partition.topic} for {ASK_SECONDS:.0f} s")


@asynccontextmanager
async def _connected(bootstrap: str) -> "AsyncIterator[AIOKafkaConsumer[Any, Any]]":
    """A consumer without a group. Errors of Kafka become `TopicError`."""
    consumer: AIOKafkaConsumer[Any, Any] = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        request_timeout_ms=int(ASK_SECONDS * 1000),
    )
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await consumer.start()
        yield consumer
    except (KafkaError, OSError, TimeoutError) as error:
        raise TopicError(f"Kafka does not answer at {bootstrap}: {error}.") from error
    finally:
        await consumer.stop()
