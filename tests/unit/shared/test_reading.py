"""Consumers that stopped without saying so (aiokafka #1037, guarantee 6)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
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
        self._partition, self.end = TopicPartition("notes.v1", 0), end
        self.paused: list[TopicPartition] = []

    def assignment(self) -> set[TopicPartition]:
        return {self._partition}

    async def beginning_offsets(self, partitions: Any) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: Any) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, self.end)

    async def position(self, partition: TopicPartition) -> int:
        return 100

    def pause(self, partition: TopicPartition) -> None:
        self.paused.append(partition)

    def resume(self, *_: TopicPartition) -> None:
        self.paused.clear()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Anywhere."""


PLACE = Place("notes.v1", 0)


@pytest.fixture
async def looking(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Reading]:
    """A reader that has read up to 100, as its table says, too."""
    positions = {PLACE: 100}
    consumption: Any = SimpleNamespace(
        subscription=SimpleNamespace(consumer="tests.notes"),
        positions=positions,
        not_ready=lambda: None,
        idle=True,
        committed=0,
        forget=lambda places: [positions.pop(each, None) for each in list(places)],
        sought=positions.update,
    )

    async def nothing(*_: Any) -> None:
        pass

    made = Reading(consumption, PLACE.topic)
    monkeypatch.setattr(made, "_report", nothing)
    monkeypatch.setattr(made, "_step_over", nothing)
    monkeypatch.setattr("shared.reading.CUT_SECONDS", 0.0)
    yield made
    await made._end_seek()


def attached(looking: Reading, client: Any) -> None:
    pool: Any = None
    looking.attach(lambda: client, pool)


@pytest.mark.parametrize(("end", "stops"), [(99, True), (100, False)])
async def test_a_partition_that_ends_before_what_was_read_of_it_is_stopped(
    looking: Reading, end: int, stops: bool
) -> None:
    client = Cut(end)
    attached(looking, client)
    assert await looking.watch()
    assert (PLACE not in looking.consumption.positions, bool(client.paused)) == (stops, stops)
    assert ("out of range" in (looking.not_ready() or "")) == stops


async def test_what_comes_to_stand_where_records_are_gone_is_not_passed_over(
    looking: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee 1: where to go on there is for people to say."""
    stored = {PLACE: 100}

    async def read(*_: Any) -> dict[Place, int]:
        return stored

    monkeypatch.setattr("shared.reading.acquired", lambda _: contextlib.nullcontext())
    monkeypatch.setattr("shared.reading.offsets.stored", read)
    client: Any = Cut(90)
    attached(looking, client)
    looking._pool = client
    looking.consumption.positions.clear()
    await looking._seek_once(client)
    assert "out of range" in (looking.not_ready() or "")
    client.end = 200
    await looking._seek_once(client)
    assert "never read" in (looking.not_ready() or "")
    assert looking.consumption.positions == {}
    stored[PLACE] = 90
    await looking._seek_once(client)
    assert looking.not_ready() is None
    assert (looking.consumption.positions, client.paused) == ({PLACE: 90}, [])


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
