"""Reads topics from a time on, in the order of time, without joining a consumer group."""

from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from aiokafka import TopicPartition

from deploy.events.heard import Heard
from deploy.instance import Unclear
from shared import topic_plan
from shared.kafka_access import KafkaAccess
from shared.onlooker import Onlooker, Seen, onlooker
from shared.topics import Topic

_LOOK_MILLISECONDS = 500
_PAGE_RECORDS = 500


async def listen(
    kafka: KafkaAccess, prefix: str, topics: Sequence[Topic], since: datetime | None, *, follow: bool
) -> AsyncIterator[Heard]:
    """Committed records from `since` on (None: from now on), then those that come, for ever.

    What stands there already comes in order of time over all topics, what comes in order of each partition.
    Without `follow` it ends with what stands there. Raises `TopicError` when Kafka does not answer, `Unclear`
    when none of the topics is there.
    """
    names = {prefix + topic.name: topic for topic in topics}
    async with topic_plan.connected(kafka) as cluster:
        partitions = [TopicPartition(*place) for place in sorted(await cluster.places(list(names)))]
    if not partitions:
        raise Unclear(
            f"None of the topics is there with the prefix {prefix!r}: give the deployment's --prefix."
        )
    async with onlooker(kafka) as consumer:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        starts = await _starts(consumer, partitions, since, ends)
        for partition, offset in starts.items():
            consumer.seek(partition, offset)
        behind = {partition for partition in partitions if starts[partition] < ends[partition]}
        async for record in _in_order(consumer, behind, ends):
            yield Heard.of(record, names[record.topic])
        while follow:
            found = await consumer.getmany(timeout_ms=_LOOK_MILLISECONDS, max_records=_PAGE_RECORDS)
            for record in sorted(
                (each for page in found.values() for each in page), key=lambda each: each.timestamp
            ):
                yield Heard.of(record, names[record.topic])


async def _starts(
    consumer: Onlooker,
    partitions: Iterable[TopicPartition],
    since: datetime | None,
    ends: dict[TopicPartition, int],
) -> dict[TopicPartition, int]:
    if since is None:
        return ends
    milliseconds = max(int(since.timestamp() * 1000), 0)
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, milliseconds))
    return {
        partition: ends[partition] if place is None else place.offset for partition, place in found.items()
    }


async def _in_order(
    consumer: Onlooker, behind: set[TopicPartition], ends: dict[TopicPartition, int]
) -> AsyncIterator[Seen]:
    """What stands in these partitions: the oldest first, as soon as every partition has said its next."""
    waiting: dict[TopicPartition, deque[Seen]] = {partition: deque() for partition in behind}
    while waiting:
        silent = [partition for partition, records in waiting.items() if not records]
        if silent:
            found = await consumer.getmany(*silent, timeout_ms=_LOOK_MILLISECONDS, max_records=_PAGE_RECORDS)
            for partition in silent:
                waiting[partition] += found.get(partition, ())
                if not waiting[partition] and await consumer.position(partition) >= ends[partition]:
                    del waiting[partition]
        elif waiting:
            partition = min(waiting, key=lambda each: waiting[each][0].timestamp)
            record = waiting[partition].popleft()
            yield record
            if not waiting[partition] and record.offset + 1 >= ends[partition]:
                del waiting[partition]
