"""The unit of work: one transaction for a batch of records, its effects and what it has to say (design §3).

Work from Kafka comes through `shared.consumption`, which adds offsets, inbox and dead letters; HTTP requests
and timers call `UnitOfWork.run` or `run_each`. There is one code path for all of them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from prometheus_client import Counter

from shared import outbox
from shared.clock import Clock, DatabaseClock
from shared.contracts.envelope import Envelope
from shared.decoding import Incoming, Origin, Unknown, Unreadable
from shared.failure import FamilyMoved, Transient, ignore, is_transient, isolate, outlast
from shared.migrations import migrations_of, require_schema
from shared.outbox import Outgoing, Row
from shared.postgres import Connection, Pool, acquired, transaction
from shared.topics import Topic

__all__ = [
    "Batch",
    "Culprit",
    "FamilyMoved",
    "Handler",
    "Incoming",
    "Origin",
    "Outgoing",
    "Refuse",
    "Subscription",
    "Transient",
    "UnitOfWork",
    "Unknown",
    "Unreadable",
]

REQUEST_PATIENCE_SECONDS = 15.0
"""How long somebody who waits for an answer (HTTP) waits for what passes by itself."""

M = TypeVar("M")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Culprit:
    """A record that failed by itself, and how."""

    incoming: Incoming[Any]
    error: Exception


@dataclass(slots=True)
class Batch(Generic[M]):
    """What a handler works with: a connection in a READ COMMITTED transaction, the records, the time.

    A handler may be called again with the same records, or a part of them, after a rollback: it keeps
    nothing outside this batch and the connection.
    """

    connection: Connection
    records: Sequence[Incoming[Any]]
    now: datetime
    topic_prefix: str = ""
    rows: list[Row] = field(default_factory=list)
    culprits: list[Culprit] = field(default_factory=list)
    _counters: list[Counter] = field(default_factory=list)

    def publish(self, *outgoing: Outgoing) -> None:
        """Say something when, and only if, this transaction commits.

        Per key, what was published first is read first. Raises `outbox.RecordTooLarge`.
        """
        self.rows += [outbox.row(one, self.topic_prefix) for one in outgoing]

    def reject(self, incoming: Incoming[Any], error: Exception) -> None:
        """Blame one record and go on: it alone goes to the dead letters, with this batch's commit.

        The handler must not have written or published anything for it. An error that passes by itself
        blames nobody: it is raised again.
        """
        if is_transient(error):
            raise error
        self.culprits.append(Culprit(incoming, error))

    def count(self, *counters: Counter) -> None:
        """Let each of these tell of one more when, and only if, this transaction commits."""
        self._counters += counters

    def committed(self) -> None:
        """For whoever has committed it: what was counted is told."""
        for each in self._counters:
            each.inc()


Handler = Callable[[Batch[Any]], Awaitable[None]]
Refuse = Callable[[Envelope, Unknown | Unreadable], Outgoing]
"""Makes the answer to a request that cannot be understood; `.detail` of its second argument says why."""


@dataclass(frozen=True)
class Subscription:
    """One line of a service's wiring: which topic is read by whom, and who works on it.

    `consumer` is the group, `<service>.<noun>`. `inbox` drops what was seen before; request topics go
    without, because a repeated request is answered again. `refuse` answers a request that cannot be
    understood; where requests have no answers, such a one goes to the dead letters. `rest_seconds` is how
    long a small batch is followed by none, where nobody waits for an effect: those of many small ones cost
    as many times as much as those of one.
    """

    topic: Topic
    consumer: str
    handle: Handler
    inbox: bool = True
    refuse: Refuse | None = None
    rest_seconds: float = 0.0


class UnitOfWork:
    """Runs work in transactions of one service's schema."""

    def __init__(
        self, pool: Pool, *, service: str, topic_prefix: str = "", clock: Clock | None = None
    ) -> None:
        self.pool = pool
        self.service = service
        self.topic_prefix = topic_prefix
        self.clock: Clock = clock or DatabaseClock()

    async def require_schema(self, notice: Callable[[BaseException, int], None] = ignore) -> None:
        """Wait for the database and make sure that this code can live with its schema (design §6).

        Raises `SchemaMismatch`, whose message says what to do.
        """

        async def once() -> None:
            async with acquired(self.pool) as connection:
                await require_schema(connection, self.service, migrations_of(self.service))

        await outlast(once, notice=notice)

    async def time(self, connection: Connection) -> datetime:
        """The time, as all processes of the service agree on it."""
        if isinstance(self.clock, DatabaseClock):
            await self.clock.follow(connection)
        return self.clock.now()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Batch[Any]]:
        """One transaction, once: an empty batch, whose rows go to the outbox before the commit."""
        async with transaction(self.pool) as connection:
            batch: Batch[Any] = Batch(connection, (), await self.time(connection), self.topic_prefix)
            yield batch
            await outbox.add(connection, batch.rows)
        batch.committed()

    async def run(
        self,
        work: Callable[[Batch[Any]], Awaitable[T]],
        records: Sequence[Incoming[Any]] = (),
        *,
        patience: float | None = REQUEST_PATIENCE_SECONDS,
    ) -> T:
        """Do `work` in one transaction and return what it returns.

        Begun again after errors that pass (a moved family, a deadlock, a lost connection) until `patience`
        seconds are over. Every other error is raised, as is the first record that `work` rejects; then
        nothing is committed. A commit whose outcome was lost with the connection is done again, so what
        must not happen twice needs a natural key.
        """

        async def once() -> T:
            async with self.begin() as batch:
                batch.records = records
                result = await work(batch)
                if batch.culprits:
                    raise batch.culprits[0].error
                return result

        return await outlast(once, patience=patience)

    async def run_each(
        self,
        work: Callable[[Batch[Any]], Awaitable[None]],
        records: Sequence[Incoming[Any]],
        *,
        patience: float | None = None,
    ) -> list[Culprit]:
        """Do `work` for all records, together if possible; return those that failed by themselves.

        After an error that does not pass, the records are taken in halves until the culprit stands alone.
        What the others did is committed. Raises transient errors when `patience` (seconds) is over.
        """
        culprits: list[Culprit] = []

        async def attempt(part: Sequence[Incoming[Any]]) -> None:
            async def once() -> list[Culprit]:
                async with self.begin() as batch:
                    batch.records = part
                    await work(batch)
                    return batch.culprits

            culprits.extend(await outlast(once, patience=patience))

        async def blame(incoming: Incoming[Any], error: Exception) -> None:
            culprits.append(Culprit(incoming, error))

        await isolate(attempt, records, blame)
        return culprits
