"""Topics for one test, and what stands in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from shared import topic_plan
from shared.kafka_access import KafkaAccess
from shared.topics import Topic
from tests.support.notes import Raw


async def make_topics(kafka: KafkaAccess, prefix: str, *topics: Topic) -> None:
    """Make the topics with their prefix, as the table says."""
    async with topic_plan.connected(kafka) as cluster:
        await cluster.apply(topic_plan.plan(topics, prefix, {}))


@asynccontextmanager
async def producing(
    kafka: KafkaAccess, compression: str | None = None
) -> AsyncIterator["AIOKafkaProducer[bytes, bytes]"]:
    """A plain producer."""
    async with AIOKafkaProducer(**kafka.client(), linger_ms=5, compression_type=compression) as producer:
        yield producer


async def write(kafka: KafkaAccess, prefix: str, *records: Raw, compression: str | None = None) -> None:
    """Append records to their topics and partitions; Kafka gives the offsets."""
    async with producing(kafka, compression) as producer:
        for record in records:
            await producer.send(
                prefix + record.topic,
                record.value,
                record.key,
                partition=record.partition,
                headers=list(record.headers),
            )
        await producer.flush()


async def read_all(kafka: KafkaAccess, *topics: str) -> "list[ConsumerRecord[Any, Any]]":
    """All committed records of full topic names, per partition in order."""
    consumer: AIOKafkaConsumer[Any, Any] = AIOKafkaConsumer(
        *topics,
        **kafka.client(),
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        records: list[ConsumerRecord[Any, Any]] = []
        end = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(tp) < end[tp] for tp in end]):
            for found in (await consumer.getmany(timeout_ms=100)).values():
                records += found
        return records
    finally:
        await consumer.stop()


async def delete_before(kafka: KafkaAccess, topic: str, offset: int) -> None:
    """Let Kafka delete what stands before this offset in the topic's first partition."""
    admin = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()
