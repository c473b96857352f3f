"""From records of Kafka to committed effects: what one consumer does with what it read (design §3).

Knows nothing of Kafka's client: `shared.kafka` hands over raw records and seeks when told to. So that how
batches are cut, zombies, poison and outages can be tested with a database alone.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from shared import inbox, metrics, offsets, outbox, tracing, tracing_records
from shared.decoding import Entry, Incoming, Unknown, Unreadable, decode_all
from shared.failure import RawRecord, SendersFault, dead_letter, outlast, sentence
from shared.logs import get_logger
from shared.offsets import FenceLost, Move, Place
from shared.postgres import acquired, transaction
from shared.strands import side_by_side
from shared.streak import FAILURES_IN_A_ROW, PROBE_SECONDS, Streak
from shared.topics import dead_letters
from shared.unit_of_work import Batch, Subscription, UnitOfWork

Part: TypeAlias = Sequence[Entry]
Reached: TypeAlias = dict[Place, int]
"""Where a call of `process` has come to in each partition, whatever was sought meanwhile."""

log = get_logger(__name__)


class _Cut(Exception):
    """The records up to `at` may be committed; what follows has to wait for the probe."""

    def __init__(self, at: int) -> None:
        self.at = at


class Consumption:
    """Works through the records of one subscription, one batch at a time.

    `positions` holds the next offset of each partition that was sought in this assignment; records of
    others are dropped. It is what the fence compares with, and changes only with a commit.
    """

    def __init__(
        self,
        work: UnitOfWork,
        subscription: Subscription,
        *,
        failures_in_a_row: int = FAILURES_IN_A_ROW,
        probe_seconds: float = PROBE_SECONDS,
    ) -> None:
        self.subscription = subscription
        self.positions: dict[Place, int] = {}
        self.committed = 0  # transactions
        self._work = work
        self._consumer = subscription.consumer
        self._topic = work.topic_prefix + subscription.topic.name
        self._models = subscription.topic.models
        self._dead_letters = work.topic_prefix + dead_letters(work.service).name
        self._streak = Streak(failures_in_a_row, probe_seconds)
        self._troubles: dict[int, str] = {}  # by strand
        self._period = -1
        self._running = 0  # calls of `process`: a cancelled one may still roll back beside the next one
        self._busy_since = 0.0

    def sought(self, positions: Mapping[Place, int]) -> None:
        """These partitions will be read from here on."""
        self.positions.update(positions)

    def forget(self, places: Iterable[Place]) -> None:
        """Drop records of these partitions until they are sought again."""
        for place in places:
            self.positions.pop(place, None)

    def not_ready(self) -> str | None:
        """What keeps the current batch from being committed, in a sentence."""
        trouble = next(iter(self._troubles.values()), None)
        if self._streak.probing:
            return (
                f"{self._streak.failures} records in a row failed: {self._consumer} only probes one now and "
                f"then. {trouble or ''}".strip()
            )
        return trouble

    @property
    def busy_seconds(self) -> float | None:
        """For how long the current batch has been worked on without anything to wait for."""
        if self.idle or self.not_ready() is not None:
            return None
        return time.monotonic() - self._busy_since

    @property
    def idle(self) -> bool:
        return not self._running

    async def process(self, records: Sequence[RawRecord]) -> None:
        """Work on records, in order, until all are committed: as effects, refusals or dead letters.

        Waits for as long as it takes for what passes by itself. Raises `FenceLost` when another process
        has the partitions; after any exception they are forgotten, so that nothing can be skipped.
        """
        places = {Place(record.topic, record.partition) for record in records}
        self._busy_since = time.monotonic() if self.idle else self._busy_since
        self._running += 1
        try:
            requests = self.subscription.topic.requests
            entries = decode_all(records, self.positions, self._models, structured=requests)
            if tracing.on():
                entries = tracing_records.received(entries, self._consumer, begins=requests)
            await side_by_side(entries, partial(self._work_through, dict(self.positions)))
        except BaseException:
            self.forget(places)
            raise
        finally:
            self._running -= 1
            if self.idle:
                self._troubles.clear()

    async def step_over(self, reached: Mapping[Place, int]) -> None:
        """Move offsets past Kafka's own markers, with nothing left to be worked on before `reached`.

        Or a partition where nothing is said for as long as its records are kept would seem out of range.
        Raises `FenceLost`.
        """
        moves = [
            Move(place, self.positions[place], end)
            for place, end in reached.items()
            if end > self.positions.get(place, end)
        ]
        if moves:
            async with transaction(self._work.pool) as connection:
                await offsets.advance(connection, self._consumer, moves)
            self._moved(moves)

    async def _work_through(self, reached: Reached, strand: int, parts: Sequence[Part]) -> None:
        waiting = list(reversed(parts))
        while waiting:
            part = waiting.pop()
            if self._streak.probing and len(part) > 1:
                waiting += [part[1:], part[:1]]
                continue
            try:
                async with self._streak.risked():
                    await self._outlast(reached, strand, part, None)
            except FenceLost:
                metrics.FENCES_LOST.labels(self._consumer).inc()
                raise
            except _Cut as cut:
                waiting += [part[cut.at :], part[: cut.at]]
            except Exception as error:
                if len(part) > 1:
                    middle = len(part) // 2
                    waiting += [part[middle:], part[:middle]]
                else:
                    await self._outlast(reached, strand, part, error)

    async def _outlast(self, reached: Reached, strand: int, part: Part, blamed: Exception | None) -> None:
        await outlast(lambda: self._commit(reached, part, blamed), notice=partial(self._notice, strand))
        self._troubles.pop(strand, None)

    async def _commit(self, reached: Reached, part: Part, blamed: Exception | None) -> None:
        """One transaction. With `blamed`, the single record in `part` goes to the dead letters unworked."""
        if self.subscription.inbox and self._period != inbox.period_of(self._work.clock.now()):
            async with acquired(self._work.pool) as connection:
                now = await self._work.time(connection)
            self._period = await inbox.prepare(self._work.pool, now)
        moves = self._moves(reached, part)
        done: Counter[str] = Counter()
        traced = tracing_records.batch(self._topic, (entry.span for entry in part), consumer=self._consumer)
        with metrics.BATCH_SECONDS.labels(self._consumer).time(), traced:
            async with transaction(self._work.pool) as connection:
                now = await self._work.time(connection)
                batch: Batch[Any] = Batch(connection, (), now, self._work.topic_prefix)
                await offsets.advance(connection, self._consumer, moves)
                if blamed is None:
                    outcomes = await self._effects(batch, part, done)
                else:
                    outcomes = [False]
                    self._bury(batch, part[0], blamed, done)
                await outbox.add(connection, batch.rows)
        self._moved(moves)
        reached.update((move.place, move.next) for move in moves)
        self.committed += 1
        batch.committed()
        if tracing.on():
            tracing_records.committed(part)
        for succeeded in outcomes:
            self._streak.note(succeeded)
        metrics.CONSUMER_PROBING.labels(self._consumer).set(self._streak.probing)
        metrics.BATCH_RECORDS.labels(self._consumer).observe(len(part))
        for outcome, number in done.items():
            metrics.RECORDS_DONE.labels(self._consumer, outcome).inc(number)

    def _moved(self, moves: Iterable[Move]) -> None:
        for move in moves:
            if move.place in self.positions:
                self.positions[move.place] = move.next

    def _moves(self, reached: Reached, part: Part) -> list[Move]:
        ends = {Place(entry.raw.topic, entry.raw.partition): entry.raw.offset + 1 for entry in part}
        for place in ends:
            # It went away and came back meanwhile, and was sought behind these records, or before others: a
            # database that lost its last commits has us do them again, and they are not in this batch.
            if self.positions.get(place) != reached[place]:
                raise FenceLost(f"{self._consumer} lost {place} to a rebalance")
        return [Move(place, reached[place], end) for place, end in ends.items()]

    async def _effects(self, batch: Batch[Any], part: Part, done: Counter[str]) -> list[bool]:
        """Everything that the records lead to, but the commit; returns which of the worked ones succeeded.

        Those that are their sender's fault, in what they say or how, are not counted.
        """
        batch.records = await self._fresh(batch, part, done)
        if batch.records:
            await self.subscription.handle(batch)
        errors = {id(culprit.incoming): culprit.error for culprit in batch.culprits}
        dead = await self._unseen(batch)
        outcomes: list[bool] = []
        ends: list[int] = []
        worked = {id(incoming) for incoming in batch.records}
        for end, entry in enumerate(part, start=1):
            decoded = entry.decoded
            if isinstance(decoded, Incoming):
                error = errors.get(id(decoded))
                if id(decoded) not in worked:
                    error = dead.get(_key(decoded))
                    if error is None:
                        continue
                    done["repeated"] -= 1
                if not isinstance(error, SendersFault):
                    outcomes.append(error is None)
                    ends.append(end)
                if error is None:
                    done["worked"] += 1
                else:
                    self._bury(batch, entry, error, done)
            else:
                self._answer_or_bury(batch, entry, decoded, done)
        cut = self._streak.cut(outcomes)
        if cut is not None:
            raise _Cut(ends[cut - 1])
        return outcomes

    async def _fresh(self, batch: Batch[Any], part: Part, done: Counter[str]) -> list[Incoming[Any]]:
        incoming = [entry.decoded for entry in part if isinstance(entry.decoded, Incoming)]
        if not self.subscription.inbox:
            return incoming
        seen = [_key(each) for each in incoming]
        fresh = await inbox.fresh(batch.connection, self._consumer, seen, self._period)
        kept: list[Incoming[Any]] = []
        for each, key in zip(incoming, seen, strict=True):
            if key in fresh:
                fresh.remove(key)
                kept.append(each)
        done["repeated"] += len(incoming) - len(kept)
        return kept

    async def _unseen(self, batch: Batch[Any]) -> dict[inbox.Seen, Exception]:
        """Forget those that the handler rejected: put back, they are worked on, and their repeats die too."""
        dead = {_key(culprit.incoming): culprit.error for culprit in batch.culprits}
        if not self.subscription.inbox:
            return {}
        await inbox.forget(batch.connection, self._consumer, list(dead), self._period)
        return dead

    def _answer_or_bury(
        self, batch: Batch[Any], entry: Entry, decoded: Unknown | Unreadable, done: Counter[str]
    ) -> None:
        """An unknown event is passed over; a request is answered where it can be; the rest is dead."""
        if self.subscription.refuse is not None and decoded.envelope is not None:
            batch.publish(self.subscription.refuse(decoded.envelope, decoded))
            done["refused"] += 1
        elif isinstance(decoded, Unknown) and not self.subscription.topic.requests:
            done["passed_over"] += 1
        else:
            self._bury(batch, entry, decoded.error, done)

    def _bury(self, batch: Batch[Any], entry: Entry, error: Exception, done: Counter[str]) -> None:
        batch.rows.append(dead_letter(entry.raw, self._consumer, error, self._dead_letters))
        done["dead"] += 1
        tracing_records.failed(entry, error)
        with tracing_records.logged(entry.decoded.envelope):
            log.error(
                "record went to the dead letters",
                consumer=self._consumer,
                topic=entry.raw.topic,
                partition=entry.raw.partition,
                offset=entry.raw.offset,
                reason=sentence(error),
            )

    def _notice(self, strand: int, error: BaseException, attempt: int) -> None:
        metrics.BATCH_RETRIES.labels(self._consumer, type(error).__name__).inc()
        self._troubles[strand] = f"{self._consumer} waits after attempt {attempt}: {sentence(error)}"
        log.warning("batch begun again", consumer=self._consumer, attempt=attempt, reason=sentence(error))


def _key(incoming: Incoming[Any]) -> inbox.Seen:
    return incoming.envelope.source, incoming.envelope.id
