"""Consumers that stopped without saying so (aiokafka #1037, guarantee 6)."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from shared.listening import Standstill
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
