"""Consumers: FastStream's batch subscribers on offsets that are kept in Postgres (design §2, §3).

FastStream reads and hands over; what it would do on its own is switched off: it never acknowledges, never
replies, never decodes, never resets an offset. `docs/decisions/` says why it is tied down like this.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared import metrics, offsets
from shared.consumption import Consumption
from shared.failure import outlast, sentence
from shared.kafka_access import KafkaAccess, Mechanism
from shared.kafka_refusals import DENIED, NotLetIn, explained, require_let_in
from shared.listening import Standstill
from shared.logs import get_logger
from shared.postgres import acquired
from shared.reading import Reading
from shared.rights import group
from shared.unit_of_work import Subscription, UnitOfWork

POLL_MILLISECONDS = 20  # FastStream sleeps as long again when nothing came
MAX_POLL_INTERVAL_MILLISECONDS = 24 * 3600 * 1000
PARTITION_FETCH_BYTES = 4 * 1024 * 1024

START_SECONDS = 60.0
DETACH_SECONDS = 8.0
STOP_SECONDS = 15.0
"""Both together are less than a process has to stop (`MAILROOM_STOP_SECONDS`)."""
GRACE_SECONDS = 10.0
WATCH_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 30.0
STUCK_SECONDS = 900.0

_SASL: dict[Mechanism, type[SASLPlaintext | SASLScram256 | SASLScram512]] = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}

log = get_logger(__name__)
# Not FastStream's own logger, which writes to a handler of its own; below ERROR it repeats aiokafka.
_faststream = logging.getLogger("mailroom.faststream")
_faststream.setLevel(logging.ERROR)


class NotRegistered(Exception):
    """A consumer has no stored offset, so nobody knows where it has to begin. The message says what to do."""


class Consumers:
    """The component that reads all topics of a service; one group per subscription."""

    name = "consumers"

    def __init__(
        self,
        work: UnitOfWork,
        subscriptions: Sequence[Subscription],
        *,
        kafka: KafkaAccess,
        instance: str | None = None,
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        """`instance` is a name that outlives a restart of this process, for static membership (no rebalance
        while it restarts). Group names have to differ."""
        self._work = work
        self._kafka = kafka
        self._instance = instance
        self._watch_seconds = watch_seconds
        self._trouble: str | None = "Kafka has not been reached yet."
        groups = [subscription.consumer for subscription in subscriptions]
        if len(set(groups)) != len(groups):
            raise ValueError(f"two subscriptions share a consumer: {sorted(groups)}")
        self.readings = [
            Reading(Consumption(work, subscription), work.topic_prefix + subscription.topic.name)
            for subscription in subscriptions
        ]

    async def run(self) -> None:
        """Read until cancelled; after an error or a standstill with new consumers.

        Raises `NotRegistered`, and `SchemaMismatch` when this code cannot live with the schema.
        """
        await self._work.require_schema(self._notice)
        await self._require_offsets()
        failures, refused = 0, False
        while True:
            broker = self.build_broker()
            try:
                async with asyncio.timeout(START_SECONDS):
                    await broker.start()
                if not refused:  # ACLs refuse only who is connected
                    failures, self._trouble = 0, None
                while True:
                    await asyncio.sleep(self._watch_seconds)
                    if not all([await reading.watch() for reading in self.readings]):
                        await require_let_in(self._kafka)
                    else:
                        failures, refused, self._trouble = 0, False, None
            except Exception as error:
                failures += 1
                refused = isinstance(error, DENIED)
                self._trouble = f"Consumers are begun anew: {await explained(self._kafka, error)}"
                for reading in self.readings:
                    metrics.CONSUMER_RESTARTS.labels(reading.consumer_name).inc()
                known = isinstance(error, KafkaError | OSError | TimeoutError | Standstill | NotLetIn)
                log.warning("consumers begun anew", reason=self._trouble, exc_info=not known)
            finally:
                await self._stop(broker)
            await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, 2.0 ** min(failures, 6) / 4))

    def not_ready(self) -> str | None:
        """What keeps records from being worked on."""
        return self._trouble or next(filter(None, (each.not_ready() for each in self.readings)), None)

    def not_alive(self) -> str | None:
        """A batch that neither ends nor waits for anything: only a new process helps."""
        for reading in self.readings:
            busy = reading.consumption.busy_seconds
            if busy is not None and busy > STUCK_SECONDS:
                return f"{reading.consumer_name} has been at one batch for {busy:.0f} s."
        return None

    def build_broker(self) -> KafkaBroker:
        """A broker with one subscriber per subscription, not started."""
        broker = KafkaBroker(
            self._kafka.bootstrap,
            security=_security(self._kafka),
            client_id=f"mailroom-{self._work.service}",
            consumer_only=True,
            apply_types=False,
            graceful_timeout=GRACE_SECONDS,
            logger=_faststream,
            log_level=logging.DEBUG,
        )
        for reading in self.readings:
            subscriber = broker.subscriber(
                reading.topic,
                batch=True,
                group_id=group(reading.consumer_name, self._work.topic_prefix),
                group_instance_id=f"{reading.consumer_name}.{self._instance}" if self._instance else None,
                ack_policy=AckPolicy.MANUAL,
                no_reply=True,
                auto_offset_reset="none",
                isolation_level="read_committed",
                max_records=1,  # the others: Listening
                batch_timeout_ms=POLL_MILLISECONDS,
                max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
                max_poll_interval_ms=MAX_POLL_INTERVAL_MILLISECONDS,
                listener=reading,
                parser=_untouched,
                decoder=_nothing,
            )
            subscriber(reading.handle)
            reading.attach(partial(getattr, subscriber, "consumer"), self._work.pool)
            listen = partial(reading.listening.listen, subscriber.get_msg)
            subscriber.get_msg = listen  # type: ignore[method-assign]
        return broker

    async def _require_offsets(self) -> None:
        async def read() -> None:
            async with acquired(self._work.pool) as connection:
                for reading in self.readings:
                    if not await offsets.stored(connection, reading.consumer_name, [reading.topic]):
                        raise NotRegistered(
                            f"{reading.consumer_name} has no offset for {reading.topic}, so it is not known "
                            "where to begin: run `mailroom topics apply`."
                        )

        await outlast(read, notice=self._notice)

    def _notice(self, error: BaseException, attempt: int) -> None:
        self._trouble = f"The database has not answered after attempt {attempt}: {sentence(error)}"

    async def _stop(self, broker: KafkaBroker) -> None:
        """Whatever is away: a client that lived on would hold partitions that nobody reads."""

        async def detach() -> None:
            await asyncio.gather(*(reading.detach() for reading in self.readings))

        # stop() can hang when Kafka is away (#1101).
        for end, seconds in ((detach, DETACH_SECONDS), (broker.stop, STOP_SECONDS)):
            try:
                async with asyncio.timeout(seconds):
                    await end()
            except Exception as error:
                log.warning("consumers did not stop in order", reason=sentence(error))


def _security(kafka: KafkaAccess) -> BaseSecurity:
    """The same as FastStream has it: it hands it on to aiokafka."""
    tls = kafka.tls is not None
    if kafka.mechanism is None:
        return BaseSecurity(kafka.tls, tls)
    return _SASL[kafka.mechanism](kafka.user, kafka.password, kafka.tls, tls)


async def _untouched(records: "tuple[ConsumerRecord[Any, Any], ...]") -> KafkaMessage:
    """FastStream's own parser decodes all headers at once, so that one bad one would hide the batch."""
    return KafkaMessage(body=b"", raw_message=records, consumer=None)  # type: ignore[arg-type]


async def _nothing(message: KafkaMessage) -> Any:
    """What the handler gets: the records as aiokafka read them."""
    return message.raw_message
