"""The relay: publishes a service's outbox, one process at a time (design §2).

Whoever holds the advisory lock leads. Lock, LISTEN, page and delete share one connection, so that who loses
it can do nothing more; its transactional producer has a fixed id, so that Kafka refuses what a frozen leader
says after its successor has begun.

Order per key: rows of one key are written under its family's lock, so the one with the higher id became
visible later. A page is always the lowest ids that are visible, and is deleted before the next is read.
A crash between publishing and deleting says the same again: same `ce_id`, same content.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared import metrics, relay_batches, relay_store
from shared.failure import LONGEST_PAUSE_SECONDS, is_transient, sentence
from shared.kafka_access import KafkaAccess
from shared.kafka_refusals import explained
from shared.logs import get_logger
from shared.offsets import Place
from shared.outbox import MAX_DEAD_LETTER_BYTES
from shared.postgres import close_connection, open_connection
from shared.relay_batches import Producer
from shared.relay_history import HistoryLost, require_own_history
from shared.relay_store import Connection, Page
from shared.rights import transactional_id
from shared.topic_plan import TopicError

PAGE_ROWS = 4000
POLL_SECONDS = 2.0
ELECTION_SECONDS = 1.0
IDLE_SESSION_SECONDS = 60.0
KAFKA_SECONDS = 25.0  # less than the idle session, which would end meanwhile
STOP_SECONDS = 10.0
REFUSED_SECONDS = 30.0
MARK_SECONDS = 5.0
FULL_SCAN_SECONDS = 600.0
BATCH_BYTES = 256 * 1024

log = get_logger(__name__)


class Relay:
    """The component that publishes the outbox of one service's schema."""

    name = "relay"

    def __init__(
        self,
        dsn: str,
        *,
        service: str,
        kafka: KafkaAccess,
        topic_prefix: str = "",
        password: str | None = None,
        page_rows: int = PAGE_ROWS,
        poll_seconds: float = POLL_SECONDS,
        idle_session_seconds: float = IDLE_SESSION_SECONDS,
    ) -> None:
        """`dsn` has to lead to Postgres itself, not to a PgBouncer."""
        self._dsn = dsn
        self._password = password
        self._service = service
        self._kafka = kafka
        self._topic_prefix = topic_prefix
        self._page_rows = page_rows
        self._poll_seconds = poll_seconds
        self._idle_session_seconds = idle_session_seconds
        self._wake = asyncio.Event()
        self._trouble: str | None = "The relay has not reached the database yet."
        self._leading = False

    @property
    def transactional_id(self) -> str:
        """The same for every process of the service: Kafka fences all but the newest."""
        return transactional_id(self._service, self._topic_prefix)

    async def run(self) -> None:
        """Lead or stand by until cancelled; after any error from the beginning."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self._stand()
            except HistoryLost as refusal:
                self._fail(str(refusal), refusal)
                metrics.RELAY_REFUSED.labels(self._service).set(1)
                await asyncio.sleep(REFUSED_SECONDS)
                continue
            except Exception as error:
                if not (is_transient(error) or isinstance(error, KafkaError | TopicError)):
                    log.exception("relay failed", service=self._service)
                kafkas = isinstance(error, KafkaError | TopicError | TimeoutError)
                why = await explained(self._kafka, error) if kafkas else sentence(error)
                self._fail(f"The relay begins anew: {why}", error)
            finally:
                self._leading = False
                metrics.RELAY_LEADER.labels(self._service).set(0)
            failures = 0 if time.monotonic() - began > LONGEST_PAUSE_SECONDS else failures + 1
            await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, 2.0 ** min(failures, 6) / 8))

    def not_ready(self) -> str | None:
        """Why nothing is published; None while another process does it."""
        return self._trouble

    @property
    def leading(self) -> bool:
        """Whether this process publishes."""
        return self._leading

    def _fail(self, trouble: str, error: Exception) -> None:
        self._trouble = trouble
        metrics.RELAY_FAILURES.labels(self._service, type(error).__name__).inc()
        log.warning("relay stopped", service=self._service, reason=trouble)

    async def _stand(self) -> None:
        """One candidacy, up to the error that ends it."""
        connection = await open_connection(
            self._dsn,
            password=self._password,
            schema=self._service,
            application=f"mailroom {self._service} relay",
            idle_session_seconds=self._idle_session_seconds,
        )
        try:
            while not await relay_store.try_lead(connection):
                self._trouble = None
                await asyncio.sleep(ELECTION_SECONDS)
            async with self._producer() as producer:
                # After the producer's start: it ends what a predecessor left open in the topics.
                await self._require_own_history(connection)
                await connection.add_listener(relay_store.channel(self._service), self._on_notify)
                self._leading, self._trouble = True, None
                metrics.RELAY_LEADER.labels(self._service).set(1)
                metrics.RELAY_REFUSED.labels(self._service).set(0)
                await self._publish_for_ever(connection, producer)
        finally:
            await close_connection(connection)

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[Producer]:
        producer: Producer = AIOKafkaProducer(
            **self._kafka.client(),
            client_id=f"mailroom-{self._service}-relay",
            transactional_id=self.transactional_id,
            transaction_timeout_ms=int(self._idle_session_seconds * 1000),
            max_batch_size=BATCH_BYTES,
            max_request_size=MAX_DEAD_LETTER_BYTES + BATCH_BYTES,
            request_timeout_ms=int(KAFKA_SECONDS * 1000),
        )
        try:
            async with asyncio.timeout(KAFKA_SECONDS):
                await producer.start()
            yield producer
        finally:
            await _stop(producer)

    async def _require_own_history(self, connection: Connection) -> None:
        async with asyncio.timeout(self._idle_session_seconds):
            await require_own_history(
                connection, self._service, self._kafka, self._topic_prefix, 4 * self._page_rows
            )

    async def _publish_for_ever(self, connection: Connection, producer: Producer) -> None:
        mark = Mark()
        recovered = await relay_store.was_recovered(connection)
        while True:
            self._wake.clear()
            await mark.move(connection)
            page = await relay_store.page(connection, mark.id, self._page_rows)
            metrics.RELAY_WAITING.labels(self._service).set(len(page))
            mark.looked(page)
            if page:
                news = await relay_store.not_said_before(connection, page) if recovered else page
                ends = await self._publish(producer, news) if news else {}
                await relay_store.forget(connection, [row.id for row in page], ends)
                for topic, number in Counter(row.topic for row in news).items():
                    metrics.RELAY_PUBLISHED.labels(self._service, topic).inc(number)
            else:
                # Looking again after this pause is also the heartbeat that keeps the session.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):
                        await self._wake.wait()

    async def _publish(self, producer: Producer, page: Page) -> dict[Place, int]:
        """Publish in one Kafka transaction; returns the last offset per topic and partition.

        After an error it is left open: aborting would wait for a Kafka that may be away. The next producer
        with our id ends it.
        """
        async with asyncio.timeout(KAFKA_SECONDS):
            await producer.begin_transaction()
            ends = await relay_batches.send(producer, page)
            await producer.commit_transaction()
        return ends

    def _on_notify(self, *_: Any) -> None:
        self._wake.set()


async def _stop(producer: Producer) -> None:
    """stop() hangs when Kafka is away (#1101), and fails when the producer was fenced."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError):
        # Its sender would go on trying for as long as Kafka is away.
        task: asyncio.Task[None] | None = getattr(producer._sender, "sender_task", None)
        if task is not None:
            task.cancel()
        await producer.client.close()


class Mark:
    """An id below which no row can appear any more, so that the scan need not begin at zero.

    Only bounds the scan: rows that were deleted, but are kept by an old snapshot (a backup, a forgotten
    session), would be passed again and again. A transaction gets its number before its rows get their ids
    (the order of the outbox's columns), so once everything older than `_horizon` has ended, every id up to
    `_candidate` is either visible or gone. From time to time all is scanned nevertheless.
    """

    def __init__(self) -> None:
        self.id = 0
        self._candidate: int | None = None
        self._horizon = 0
        self._settled = False
        self._asked = 0.0
        self._began = time.monotonic()

    async def move(self, connection: Connection) -> None:
        """Take the next step if it is time for one."""
        now = time.monotonic()
        if now - self._began > FULL_SCAN_SECONDS:
            self.id, self._began = 0, now
        if now - self._asked < MARK_SECONDS:
            return
        self._asked = now
        if self._candidate is None:
            self._candidate, self._horizon = await relay_store.horizon(connection)
        else:
            self._settled = await relay_store.oldest_running(connection) >= self._horizon

    def looked(self, page: Page) -> None:
        """Move past what the last look, which came after `move`, has shown to be empty."""
        if self._settled and self._candidate is not None:
            self.id = min(self._candidate, page[0].id - 1) if page else self._candidate
            self._candidate, self._settled = None, False
