"""What a consumer takes at once (design §3)."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.listening import Listening
from shared.strands import BATCH_RECORDS

TOPIC = "notes.v1"


def records(partition: int, number: int = BATCH_RECORDS) -> tuple[Any, ...]:
    return tuple(SimpleNamespace(topic=TOPIC, partition=partition, offset=offset) for offset in range(number))


class Away:
    """Kafka's client, once it has lost what it was connected to."""

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(TopicPartition(TOPIC, partition) for partition in range(3))

    async def getmany(self, *partitions: TopicPartition, max_records: int) -> None:
        raise KafkaError(f"nothing of {partitions} any more")


@pytest.mark.parametrize("taken", [records(0), records(0, 1), ()])
async def test_what_was_taken_is_handed_on_whatever_becomes_of_what_would_come_beside_it(
    taken: tuple[Any, ...],
) -> None:
    consumer: Any = Away()

    async def read(_: object) -> tuple[Any, ...]:
        return taken

    assert await Listening("tests.notes", TOPIC).listen(read, consumer) == taken
