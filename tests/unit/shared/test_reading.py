"""Consumers that stopped without saying so (aiokafka #1037, guarantee 6)."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.listening import Standstill
from shared.offsets import Place
from shared.reading import Reading
from shared.strands import WORTH_A_STRAND

CONSUMPTION: Any = SimpleNamespace(
    subscription=SimpleNamespace(consumer="tests.notes"), positions={}, not_ready=lambda: None
)


class Idle:
    """Kafka's client without partitions, as it is where there are more consumers than partitions."""

    def __init__(self, coordination: "asyncio.Future[None]") -> None:
        self._coordinator = SimpleNamespace(_coordination_task=coordination)

    def assignment(self) -> set[Any]:
        return set()


class Cut:
    """Kafka's client where a log ends before what was read of it: its leader lacked what was confirmed."""

    def __init__(self, end: int) -> None:
        self._partition, self._end = TopicPartition("notes.v1", 0), end
        self.paused: list[TopicPartition] = []

    def assignment(self) -> set[TopicPartition]:
        return {self._partition}

    async def beginning_offsets(self, partitions: Any) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: Any) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, self._end)

    async def position(self, partition: TopicPartition) -> int:
        return 100

    def pause(self, partition: TopicPartition) -> None:
        self.paused.append(partition)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Anywhere: it is paused."""


@pytest.mark.parametrize(("end", "stops"), [(99, True), (100, False)])
async def test_a_partition_that_ends_before_what_was_read_of_it_is_stopped(end: int, stops: bool) -> None:
    """Or whatever comes to stand there would be passed over (guarantee 1)."""
    place = Place("notes.v1", 0)
    consumption: Any = SimpleNamespace(
        subscription=SimpleNamespace(consumer="tests.notes"),
        positions={place: 100},
        not_ready=lambda: None,
        idle=True,
        committed=0,
        forget=lambda places: [consumption.positions.pop(each, None) for each in list(places)],
    )
    client: Any = Cut(end)
    looking, pool = Reading(consumption, "notes.v1"), None
    looking.attach(lambda: client, pool)  # type: ignore[arg-type]
    looking.listening = SimpleNamespace(require_hearing=lambda _: None, require_movement=lambda *_: None)  # type: ignore[assignment]
    looking._report = looking._step_over = _nothing  # type: ignore[method-assign]
    try:
        assert await looking.watch()
        assert (place not in consumption.positions, client.assignment() == {*client.paused}) == (stops, stops)
        assert ("out of range" in (looking.not_ready() or "")) == stops
    finally:
        await looking._end_seek()


async def _nothing(*_: Any) -> None:
    pass


def reading(consumer: Any) -> Reading:
    made = Reading(CONSUMPTION, "notes.v1")
    pool: Any = None
    made.attach(lambda: consumer, pool)
    return made


async def test_a_consumer_that_waits_for_partitions_is_left_alone() -> None:
    await reading(Idle(asyncio.get_running_loop().create_future())).watch()


async def test_a_consumer_that_will_never_get_a_partition_again_is_begun_anew() -> None:
    died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    died.set_exception(RuntimeError("unexpected"))
    with pytest.raises(Standstill):
        await reading(Idle(died)).watch()
    assert died.exception() is not None


@pytest.mark.parametrize(("records", "rests"), [(1, [0.25]), (WORTH_A_STRAND, [])])
async def test_a_small_batch_that_nobody_waits_for_is_followed_by_a_rest_in_which_others_gather(
    records: int, rests: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    rested: list[float] = []

    async def process(batch: list[Any]) -> None:
        done.append(len(batch))

    async def rest(seconds: float) -> None:
        assert done, "what came first waits for nothing"
        rested.append(seconds)

    consumption: Any = SimpleNamespace(
        subscription=SimpleNamespace(consumer="tests.notes", rest_seconds=0.25), process=process
    )
    monkeypatch.setattr(asyncio, "sleep", rest)
    await Reading(consumption, "notes.v1").handle(
        [SimpleNamespace(timestamp=0, topic="n", partition=0)] * records
    )
    assert (done, rested) == ([records], rests)
