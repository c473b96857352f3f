"""Sees what is committed to a topic, and when: the end of the road that is measured."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

PARTITIONS = 12


@dataclass(frozen=True)
class Awaited:
    """Records of one type, of which each mail leads to one. `topic` is its name without the prefix."""

    topic: str
    type: str
    partitions: int = PARTITIONS


@dataclass
class Witness:
    """`done` is when each record came (`time.monotonic`), `values` are the records if they are kept."""

    awaited: Awaited
    keep: bool = False
    values: list[bytes] = field(default_factory=list)
    done: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.awaited.type} on {self.awaited.topic}"

    async def _follow(self, consumer: "AIOKafkaConsumer[bytes, bytes]") -> None:
        while True:
            found = await consumer.getmany(timeout_ms=200)
            wanted = ("ce_type", self.awaited.type.encode())
            for records in found.values():
                awaited = [record.value for record in records if wanted in record.headers]
                self.done += [time.monotonic()] * len(awaited)
                if self.keep:
                    self.values += awaited


@asynccontextmanager
async def witnessing(
    bootstrap: str, prefix: str, awaited: Awaited, *, keep: bool = False
) -> AsyncIterator[Witness]:
    """Watch a topic from its present end on."""
    consumer: AIOKafkaConsumer[bytes, bytes] = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    try:
        places = [TopicPartition(prefix + awaited.topic, each) for each in range(awaited.partitions)]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        for place in places:  # resolves the seek now, not with the first record
            await consumer.position(place)
        witness = Witness(awaited, keep)
        following = asyncio.create_task(witness._follow(consumer))
        try:
            yield witness
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
    finally:
        await consumer.stop()
