"""Where a consumer reads: seeks to Postgres' offsets on assignment and watches that it moves (design §2)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared import metrics, offsets
from shared.consumption import Consumption
from shared.failure import LONGEST_PAUSE_SECONDS, is_transient, sentence
from shared.kafka_refusals import DENIED
from shared.lag import Lag
from shared.listening import Consumer, Listening
from shared.logs import get_logger
from shared.offsets import FenceLost, Place
from shared.postgres import Pool, acquired
from shared.strands import WORTH_A_STRAND

ASK_SECONDS = 15.0
LAST_REPORT_SECONDS = 3.0
CUT_SECONDS = 10.0
"""A new leader of a partition may not know for a moment how far it goes; after that, records are gone."""

log = get_logger(__name__)


class Reading(ConsumerRebalanceListener):  # type: ignore[misc]
    """One subscription between Kafka's client and its `Consumption`."""

    def __init__(self, consumption: Consumption, topic: str) -> None:
        self.consumption = consumption
        self.topic = topic
        self.consumer_name = consumption.subscription.consumer
        metrics.begin_at_zero(metrics.RECORDS_DONE, *metrics.RECORD_OUTCOMES, consumer=self.consumer_name)
        self._consumer: Callable[[], Consumer | None] = lambda: None
        self._pool: Pool | None = None
        self._seeking: asyncio.Task[None] | None = None
        self._working: asyncio.Task[None] | None = None
        self._stopped: dict[Place, str] = {}
        self._cut: dict[Place, tuple[int, float]] = {}  # positions behind their log's end, and since when
        self._trouble: str | None = None
        self._failures = 0
        self._committed: dict[Place, int] = {}
        self._look_before: tuple[int, dict[Place, int]] | None = None
        self._lag = Lag()
        self._told: set[Place] = set()
        self.listening = Listening(self.consumer_name, topic)

    def attach(self, consumer: Callable[[], Consumer | None], pool: Pool) -> None:
        """Begin with a new consumer, which exists once it was started."""
        self._consumer = consumer
        self._pool = pool
        self.listening = Listening(self.consumer_name, self.topic)

    async def detach(self) -> None:
        """End what runs for the current consumer; tell Kafka how far we are.

        A batch that is being worked on may end; one that waits for something is given up. Quick, because
        whoever stops the consumer has to come to its end: one that lives on holds partitions of its group.
        """
        await self._end_seek()
        if self._working is not None and self.consumption.not_ready() is not None:
            self._working.cancel()
        consumer = self._consumer()
        if consumer is not None:
            await self._report(consumer, LAST_REPORT_SECONDS)
        self.consumption.forget(list(self.consumption.positions))

    def not_ready(self) -> str | None:
        """What keeps this topic from being read or worked on."""
        return next(iter(self._stopped.values()), None) or self._trouble or self.consumption.not_ready()

    async def handle(self, records: Collection[ConsumerRecord[Any, Any]]) -> None:
        """A batch from FastStream. Never raises: what was not committed is sought again."""
        self._working = asyncio.current_task()
        try:
            self._lag.take(records)
            await self.consumption.process(list(records))
            self._failures = 0
        except FenceLost as lost:
            log.info("batch dropped", consumer=self.consumer_name, reason=str(lost))
            self._begin_seek()
        except Exception as error:
            self._failures += 1
            self._trouble = f"{self.consumer_name} failed at a batch: {sentence(error)}"
            log.exception("batch failed", consumer=self.consumer_name)
            self._begin_seek()
        finally:
            self._working = None
            self._lag.put_down()
        if len(records) < WORTH_A_STRAND:
            await asyncio.sleep(self.consumption.subscription.rest_seconds)

    # FastStream runs listeners that are no coroutine functions in a thread of their own.

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Nothing of them is worked on any more; a batch that is underway meets the fence."""
        self.consumption.forget(list(self.consumption.positions))

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Seek in the background: aiokafka swallows what a listener raises, and fetches before it ends."""
        self.consumption.forget(list(self.consumption.positions))
        self._stopped.clear()
        self._begin_seek(anew=True)

    async def watch(self) -> bool:
        """Look whether reading goes on, and Kafka answers; called every few seconds.

        Raises `Standstill`, and what Kafka says when its ACLs keep us out.
        """
        consumer = self._consumer()
        if consumer is not None:
            self.listening.require_hearing(consumer)
        if consumer is None or (self._seeking is not None and not self._seeking.done()):
            return self._trouble is None
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await self._look(consumer)
        except DENIED:
            raise
        except (KafkaError, OSError, TimeoutError) as error:
            self._trouble = f"Kafka does not answer {self.consumer_name}: {sentence(error)}"
            self.listening.begin_anew()
            return False
        return True

    async def _look(self, consumer: Consumer) -> None:
        assigned = consumer.assignment()
        self._keep_gauges({_place(tp) for tp in assigned})
        if not assigned:
            return
        known = dict(self.consumption.positions)  # before it is asked where they end, which only grows
        begin, end = await consumer.beginning_offsets(assigned), await consumer.end_offsets(assigned)
        fetched = {_place(tp): await consumer.position(tp) for tp in assigned}
        self._trouble = None if self._failures == 0 else self._trouble
        behind, oldest, now = False, 0.0, time.time()
        for tp in assigned:
            place = _place(tp)
            position = self.consumption.positions.get(place)
            if position is None:
                continue
            if position < begin[tp] or min(position, known.get(place, 0)) > end[tp]:
                self._stop(consumer, tp, _out_of_range(place, position, begin[tp], end[tp]))
                continue
            # Kafka's own markers take offsets too, so an idle consumer's place is where it fetches next.
            reached = fetched[place] if self.consumption.idle else position
            behind |= end[tp] > reached
            oldest = max(oldest, self._lag.age(place, reached, end[tp], now))
            self._told.add(place)
            metrics.CONSUMER_LAG.labels(self.consumer_name, *place).set(max(0, end[tp] - reached))
        metrics.CONSUMER_LAG_SECONDS.labels(self.consumer_name).set(oldest)
        if any(_place(tp) not in self.consumption.positions for tp in assigned):
            self._begin_seek()
        self.listening.require_movement(fetched, behind and self.consumption.idle)
        await self._step_over(fetched)
        await self._report(consumer)

    def _keep_gauges(self, assigned: set[Place]) -> None:
        """Of what somebody else has now, it is not for us to tell."""
        for place in self._told - assigned:
            metrics.CONSUMER_LAG.remove(self.consumer_name, *place)
        self._told &= assigned
        self._lag.keep(assigned)
        if not assigned:
            metrics.CONSUMER_LAG_SECONDS.labels(self.consumer_name).set(0)

    async def _step_over(self, fetched: dict[Place, int]) -> None:
        """Whoever stood still between two looks has worked on all that was handed over."""
        look = (self.consumption.committed, fetched)
        before, self._look_before = self._look_before, look
        if look != before or not self.consumption.idle:
            return
        try:
            await self.consumption.step_over(fetched)
        except FenceLost:
            self.consumption.forget(list(fetched))
            self._begin_seek()
        except Exception as error:
            if not is_transient(error):
                raise
            self._trouble = f"{self.consumer_name} cannot note its place: {sentence(error)}"

    async def _report(self, consumer: Consumer, seconds: float = ASK_SECONDS) -> None:
        """Commit to Kafka what Postgres has committed: for lag metrics, nobody reads it back."""
        positions = dict(self.consumption.positions)
        if not positions or positions == self._committed:
            return
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(seconds):
                await consumer.commit({TopicPartition(*place): next_ for place, next_ in positions.items()})
                self._committed = positions

    def _begin_seek(self, *, anew: bool = False) -> None:
        """Seek what is assigned and has no position; fetch nothing of it meanwhile."""
        consumer = self._consumer()
        if consumer is None:
            return
        for tp in consumer.assignment():
            if _place(tp) not in self.consumption.positions:
                consumer.pause(tp)
                # Any valid position will do: without one, aiokafka would ask Kafka's committed offset.
                consumer.seek(tp, 0)
        if self._seeking is not None and not self._seeking.done():
            if not anew:
                return
            self._seeking.cancel()
        self._seeking = asyncio.create_task(self._seek(consumer), name=f"seek {self.consumer_name}")

    async def _end_seek(self) -> None:
        if self._seeking is not None:
            self._seeking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._seeking

    async def _seek(self, consumer: Consumer) -> None:
        if self._failures:
            await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, 2.0 ** min(self._failures, 6) / 2))
        attempt = 0
        while True:
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    await self._seek_once(consumer)
                return
            except Exception as error:
                if not (is_transient(error) or isinstance(error, KafkaError)):
                    log.exception("seek failed", consumer=self.consumer_name)
                attempt += 1
                self._trouble = f"{self.consumer_name} cannot find its place: {sentence(error)}"
                await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, 2.0 ** min(attempt, 6) / 8))

    async def _seek_once(self, consumer: Consumer) -> None:
        assigned = {tp for tp in consumer.assignment() if _place(tp) not in self.consumption.positions}
        if not assigned:
            return
        assert self._pool is not None
        begin, end = await consumer.beginning_offsets(assigned), await consumer.end_offsets(assigned)
        async with acquired(self._pool) as connection:
            stored = await offsets.stored(connection, self.consumer_name, [self.topic])
        for tp in assigned:  # no await from here on: the assignment stays what it is
            place = _place(tp)
            position = stored.get(place)
            cut, since = self._cut.get(place, (None, 0.0))
            try:
                if position is None:
                    self._stop(consumer, tp, _never_registered(place, self.consumer_name))
                elif not begin[tp] <= position <= end[tp]:
                    if position > end[tp] and cut != position:
                        self._cut[place] = position, time.monotonic()
                    self._stop(consumer, tp, _out_of_range(place, position, begin[tp], end[tp]))
                elif cut == position and time.monotonic() - since > CUT_SECONDS:
                    self._stop(consumer, tp, _written_anew(place, position))
                else:
                    self._cut.pop(place, None)
                    consumer.seek(tp, position)
                    consumer.resume(tp)
                    self.consumption.sought({place: position})
                    self._stopped.pop(place, None)
                    metrics.PARTITION_STOPPED.labels(self.consumer_name, *place).set(0)
            except IllegalStateError:
                continue  # taken away meanwhile; the next assignment seeks anew
        if self._failures == 0:
            self._trouble = None

    def _stop(self, consumer: Consumer, tp: TopicPartition, why: str) -> None:
        """Read this partition no further: a reset would skip or repeat what nobody asked for."""
        place = _place(tp)
        consumer.pause(tp)
        self.consumption.forget([place])
        if place not in self._stopped:
            log.error("partition stopped", consumer=self.consumer_name, reason=why)
        self._stopped[place] = why
        metrics.PARTITION_STOPPED.labels(self.consumer_name, *place).set(1)


def _place(tp: TopicPartition) -> Place:
    return Place(tp.topic, tp.partition)


def _never_registered(place: Place, consumer: str) -> str:
    return f"{consumer} has no offset for {place.topic}/{place.partition}: run `mailroom topics apply`."


def _written_anew(place: Place, position: int) -> str:
    return (
        f"{place.topic}/{place.partition} ended before {position}, up to which it was read, and has grown "
        "since: what stands before that now was never read. See the runbook of PartitionStopped."
    )


def _out_of_range(place: Place, position: int, begin: int, end: int) -> str:
    return (
        f"The offset {position} of {place.topic}/{place.partition} is out of range: Kafka has "
        f"{begin} to {end}. Records were deleted unread, or a backup was restored: see `mailroom recover`."
    )
