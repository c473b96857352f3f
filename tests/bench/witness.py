"""Sees what is committed to a topic, and when: the end of the road that is measured."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.topics import Topic

STANDSTILL_SECONDS = 120.0


@dataclass(frozen=True)
class Awaited:
    """Records of one type, of which each mail leads to one."""

    topic: Topic
    type: str


@dataclass
class Witness:
    """`values` are the records of the awaited type, as they came; `times` says when how many were there.

    Times are of `time.monotonic`.
    """

    awaited: Awaited
    values: list[bytes] = field(default_factory=list)
    times: list[tuple[float, int]] = field(default_factory=list)

    async def until(self, number: int) -> float:
        """Wait for so many altogether; when the last of them came. Raises `TimeoutError` at a standstill."""
        seen, since = len(self.values), time.monotonic()
        while len(self.values) < number:
            await asyncio.sleep(0.01)
            if len(self.values) > seen:
                seen, since = len(self.values), time.monotonic()
            elif time.monotonic() - since > STANDSTILL_SECONDS:
                raise TimeoutError(
                    f"{seen} of {number} {self.awaited.type} came on {self.awaited.topic.name}, "
                    f"then nothing for {STANDSTILL_SECONDS:.0f} s"
                )
        return next(at for at, count in self.times if count >= number)

    async def _follow(self, consumer: "AIOKafkaConsumer[bytes, bytes]") -> None:
        while True:
            found = await consumer.getmany(timeout_ms=200)
            wanted = ("ce_type", self.awaited.type.encode())
            for records in found.values():
                self.values += [record.value for record in records if wanted in record.headers]
            if found:
                self.times.append((time.monotonic(), len(self.values)))


@asynccontextmanager
async def witnessing(bootstrap: str, prefix: str, awaited: Awaited) -> AsyncIterator[Witness]:
    """Watch a topic from its present end on."""
    consumer: AIOKafkaConsumer[bytes, bytes] = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    try:
        places = [
            TopicPartition(prefix + awaited.topic.name, each) for each in range(awaited.topic.partitions)
        ]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        for place in places:  # resolves the seek now, not with the first record
            await consumer.position(place)
        witness = Witness(awaited)
        following = asyncio.create_task(witness._follow(consumer))
        try:
            yield witness
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
    finally:
        await consumer.stop()
