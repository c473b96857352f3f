"""What a consumer takes, and whether it still hears: its libraries log what keeps them from it, and go on."""

import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from shared.failure import sentence
from shared.kafka_refusals import DENIED
from shared.logs import get_logger
from shared.offsets import Place
from shared.strands import BATCH_RECORDS, STRANDS

STANDSTILL_SECONDS = 60.0
TAKEN = STRANDS * BATCH_RECORDS
"""Records that are taken at once, at most."""

Consumer: TypeAlias = "AIOKafkaConsumer[bytes, bytes]"
Records: TypeAlias = "tuple[ConsumerRecord[Any, Any], ...]"


log = get_logger(__name__)


class Standstill(Exception):
    """There is something to read, nothing keeps us from it, and yet nothing comes (aiokafka #1037)."""


class Listening:
    """What is known of one consumer of Kafka's client; a new one needs a new one of these."""

    def __init__(self, name: str, topic: str) -> None:
        self._name = name
        self._topic = topic
        self._denied: KafkaError | None = None
        self._last = -1
        self._told = ""
        self._moved: tuple[Mapping[Place, int], float] = ({}, time.monotonic())

    async def listen(self, read: Callable[[Consumer], Awaitable[Records]], consumer: Consumer) -> Records:
        """What is ready, up to a batch of each partition and one for each strand. `read` waits for a record.

        Each partition is asked by itself. Asked for several, aiokafka drops what it has taken already where
        the next one cannot be read, and takes all it may from the first one. What cannot be read costs the
        others nothing while they have something; else it is raised, and all rest for some seconds.
        FastStream would try again for ever where Kafka's ACLs keep us out, and at once after what is no
        `KafkaError`.
        """
        failure: Exception | None = None
        records: Records = ()
        try:
            records = await read(consumer)
            if not records:
                return records
        except DENIED as error:
            self._denied = error
            raise
        except Exception as error:
            failure = error
        for partition in self._in_turn(consumer, records):
            if len(records) >= TAKEN:
                break
            most = BATCH_RECORDS - len(records) % BATCH_RECORDS
            with contextlib.suppress(Exception):  # it shows when it is the next one to be read
                found = (await consumer.getmany(partition, max_records=most)).get(partition, ())
                if found:
                    records += tuple(found)
                    self._last = partition.partition
        if failure is not None and not records:
            raise failure if isinstance(failure, KafkaError) else KafkaError(sentence(failure)) from failure
        self._tell(failure)
        return records

    def _tell(self, failure: Exception | None) -> None:
        """Once, not with each batch of the other partitions."""
        reason = "" if failure is None else sentence(failure)
        if reason and reason != self._told:
            log.error("a partition cannot be read", consumer=self._name, reason=reason)
        self._told = reason or self._told

    def _in_turn(self, consumer: Consumer, records: Records) -> list[TopicPartition]:
        """The partition that was read first, then the others, those first that have waited longest."""
        first = {each.partition for each in records}
        return sorted(
            consumer.assignment(),
            key=lambda each: (each.partition not in first, each.partition <= self._last, each.partition),
        )

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


def _has_left(consumer: Consumer) -> bool:
    """Whether the task that joins the group has died: without partitions, nothing else would ever show it."""
    task = getattr(getattr(consumer, "_coordinator", None), "_coordination_task", None)
    return task is not None and task.done()
