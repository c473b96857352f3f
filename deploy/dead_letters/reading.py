"""Reads the dead-letter topics, from beginning to end or single letters, without a consumer group."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence

from aiokafka import TopicPartition

from deploy.dead_letters.letter import Letter, LetterName, read
from shared import topic_plan
from shared.kafka_access import KafkaAccess
from shared.offsets import Place
from shared.onlooker import Onlooker, onlooker, pages
from shared.topics import DEAD_LETTERS, TOPICS

_PAGE_RECORDS = 200


async def partitions(kafka: KafkaAccess, prefix: str) -> frozenset[Place]:
    """The partitions of all our topics that exist. Raises `TopicError`."""
    async with topic_plan.connected(kafka) as cluster:
        return frozenset(await cluster.places([prefix + topic.name for topic in TOPICS]))


async def letters(
    kafka: KafkaAccess,
    prefix: str,
    there: Collection[Place],
    services: Sequence[str],
    names: Collection[LetterName] = (),
) -> AsyncIterator[list[Letter]]:
    """Pages of letters, service by service, oldest first; with `names` only these.

    What comes in after the call has begun is left out. Raises `TopicError` when Kafka does not answer.
    """
    async with onlooker(kafka) as consumer:
        for service in services:
            topic = prefix + DEAD_LETTERS[service].name
            places = [place for place in there if place.topic == topic]
            async for page in _pages(consumer, service, sorted(places), names):
                yield page


async def _pages(
    consumer: Onlooker, service: str, places: list[Place], names: Collection[LetterName]
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
            rows = max(1, min(_PAGE_RECORDS, stop - start))
            async for records in pages(consumer, {partition: start}, {partition: stop}, rows):
                yield [read(record, service) for record in records]
