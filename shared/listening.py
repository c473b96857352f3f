"""What a consumer takes, and whether it still hears: its libraries log what keeps them from it, and go on."""

import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import chain
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from shared.kafka_refusals import DENIED
from shared.offsets import Place
from shared.strands import BATCH_RECORDS, STRANDS

STANDSTILL_SECONDS = 60.0

Consumer: TypeAlias = "AIOKafkaConsumer[bytes, bytes]"
Records: TypeAlias = "tuple[ConsumerRecord[Any, Any], ...]"


class Standstill(Exception):
    """There is something to read, nothing keeps us from it, and yet nothing comes (aiokafka #1037)."""


class Listening:
    """What is known of one consumer of Kafka's client; a new one needs a new one of these."""

    def __init__(self, name: str, topic: str) -> None:
        self._name = name
        self._topic = topic
        self._denied: KafkaError | None = None
        self._moved: tuple[Mapping[Place, int], float] = ({}, time.monotonic())

    async def listen(self, read: Callable[[Consumer], Awaitable[Records]], consumer: Consumer) -> Records:
        """What `read` brings, and where that is a whole batch, one of other partitions for each other strand.

        FastStream would try again for ever where Kafka's ACLs keep us out.
        """
        try:
            records = await read(consumer)
        except DENIED as error:
            self._denied = error
            raise
        return await _beside(consumer, records)

    def require_hearing(self, consumer: Consumer) -> None:
        """Raise `Standstill` for a consumer that has died, and what Kafka says where its ACLs keep us out."""
        if self._denied is not None:
            raise self._denied
        if _has_left(consumer):
            raise Standstill(f"{self._name} has lost its group, and joins it no more by itself")
        # Who may not see a topic gets no partition of it, and no error either.
        cluster = getattr(getattr(consumer, "_client", None), "cluster", None)
        if self._topic in getattr(cluster, "unauthorized_topics", ()):
            raise TopicAuthorizationFailedError(self._topic)

    def begin_anew(self) -> None:
        """Kafka does not answer: time in which nothing can move does not count."""
        self._moved = ({}, time.monotonic())

    def require_movement(self, fetched: Mapping[Place, int], behind: bool) -> None:
        """Raise `Standstill` when there has been something to fetch for long, and nothing was."""
        now = time.monotonic()
        before, since = self._moved
        if not behind or fetched != before:
            self._moved = (fetched, now)
        elif now - since > STANDSTILL_SECONDS:
            raise Standstill(f"{self._name} has records to read and has read none for {now - since:.0f} s")


async def _beside(consumer: Consumer, records: Records) -> Records:
    """These and what is ready of other partitions: aiokafka empties one before it comes to the next one.

    Never raises: what was taken would be skipped. Whatever is wrong shows when more is read.
    """
    with contextlib.suppress(Exception):
        for taken in range(1, STRANDS):
            others = consumer.assignment() - {TopicPartition(each.topic, each.partition) for each in records}
            if len(records) < taken * BATCH_RECORDS or not others:
                break
            ready = await consumer.getmany(*others, max_records=BATCH_RECORDS)
            records += tuple(chain.from_iterable(ready.values()))
    return records


def _has_left(consumer: Consumer) -> bool:
    """Whether the task that joins the group has died: without partitions, nothing else would ever show it."""
    task = getattr(getattr(consumer, "_coordinator", None), "_coordination_task", None)
    return task is not None and task.done()
