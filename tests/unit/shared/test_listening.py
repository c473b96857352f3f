"""What a consumer takes at once (design §3)."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.listening import TAKEN, Listening
from shared.strands import BATCH_RECORDS

TOPIC = "notes.v1"


def records(partition: int, number: int = BATCH_RECORDS) -> tuple[Any, ...]:
    return tuple(SimpleNamespace(topic=TOPIC, partition=partition, offset=offset) for offset in range(number))


class Client:
    """Kafka's client, as far as it is asked here: what is ready of each partition, or what is wrong."""

    def __init__(self, *ready: int | Exception) -> None:
        self._ready = dict(enumerate(ready))

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(TopicPartition(TOPIC, partition) for partition in self._ready)

    async def getmany(self, partition: TopicPartition, *, max_records: int) -> dict[TopicPartition, Any]:
        ready = self._ready[partition.partition]
        if isinstance(ready, Exception):
            raise ready
        self._ready[partition.partition] = ready - min(ready, max_records)
        return {partition: list(records(partition.partition, min(ready, max_records)))} if ready else {}

    async def read(self, _: object) -> tuple[Any, ...]:
        """The first record there is, as FastStream is told to read."""
        for partition in sorted(self.assignment()):
            if found := await self.getmany(partition, max_records=1):
                return tuple(found[partition])
        return ()


async def taken(listening: Listening, client: Any) -> list[tuple[int, int]]:
    """How many records of which partitions came at once, as (partition, number)."""
    came = Counter(each.partition for each in await listening.listen(client.read, client))
    return list(came.items())


BAD = KafkaError("a batch that nobody can read")


@pytest.mark.parametrize(
    ("ready", "came"),
    [
        ((), []),
        ((0, 0, 0), []),
        ((1, 0, 3), [(0, 1), (2, 3)]),
        ((0, 2 * TAKEN, 0), [(1, BATCH_RECORDS)]),
        ((TAKEN, TAKEN, TAKEN), [(0, BATCH_RECORDS), (1, BATCH_RECORDS)]),
        ((300, TAKEN, TAKEN), [(0, 300), (1, 200), (2, BATCH_RECORDS)]),
    ],
)
async def test_as_much_is_taken_as_there_are_strands_and_of_no_partition_more_than_a_batch(
    ready: tuple[int, ...], came: list[tuple[int, int]]
) -> None:
    assert await taken(Listening("tests.notes", TOPIC), Client(*ready)) == came


async def test_partitions_that_have_much_take_turns() -> None:
    listening, client = Listening("tests.notes", TOPIC), Client(*[9 * TAKEN] * 4)
    beside = [(await taken(listening, client))[1][0] for _ in range(4)]
    assert beside == [1, 2, 3, 1]


@pytest.mark.parametrize("ready", [(2, BAD, 3), (BAD, 2, 3)])
async def test_a_partition_that_cannot_be_read_costs_the_others_nothing(ready: tuple[Any, ...]) -> None:
    """What the client has handed over is never handed over again: it must not be dropped (guarantee 1)."""
    came = await taken(Listening("tests.notes", TOPIC), Client(*ready))
    assert sorted(number for _, number in came) == [2, 3]


async def test_what_cannot_be_read_is_told_when_there_is_nothing_else() -> None:
    with pytest.raises(KafkaError, match="nobody can read"):
        await taken(Listening("tests.notes", TOPIC), Client(0, BAD, 0))


async def test_what_is_no_error_of_kafka_is_told_as_one() -> None:
    """FastStream rests after those alone."""
    with pytest.raises(KafkaError, match="nobody can unpack"):
        await taken(Listening("tests.notes", TOPIC), Client(0, ValueError("a batch that nobody can unpack")))
