"""Speaking and listening over Kafka from outside, whatever becomes of it meanwhile.

A client of a Kafka that went away may hang for ever, and not even hear that it is to end. So whatever it does
gets its time, and is left to itself after that.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.contracts import activity_requests as asked
from shared.contracts.envelope import Envelope
from shared.topics import ACTIVITY_REQUESTS, Topic
from tests.support.crowd import headers_of
from tests.support.mailroom import ORGANISATION, Mailroom

T = TypeVar("T")

SOURCE = "/chaos/robots"
AWAY = (KafkaError, OSError, TimeoutError)
"""What clients raise while Kafka is away, or when their connections are broken off."""
_PATIENCE_SECONDS = 10.0


class Mouth:
    """Says requests over Kafka, if it is there."""

    def __init__(self, mailroom: Mailroom) -> None:
        self._mailroom = mailroom
        self._producer: AIOKafkaProducer[Any, Any] | None = None

    async def say(self, id_: str, request: asked.Request) -> None:
        """Say it once; that Kafka is away is nobody's mistake."""
        envelope = Envelope(
            id=id_, source=SOURCE, type=request.type, time=datetime.now(UTC), organisation=ORGANISATION
        )
        about = request.reference if isinstance(request, asked.OnActivity) else id_
        try:
            if self._producer is None:
                self._producer = AIOKafkaProducer(bootstrap_servers=self._mailroom.stack.kafka_bootstrap)
                await _in_time(self._producer.start())
            await _in_time(
                self._producer.send_and_wait(
                    self._mailroom.topic(ACTIVITY_REQUESTS.name),
                    request.model_dump_json(exclude_none=True).encode(),
                    f"{ORGANISATION}/{about}".encode(),
                    headers=envelope.to_headers(),
                )
            )
        except AWAY:
            await self.close()

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(*AWAY):
                await _in_time(producer.stop())


async def listen(
    mailroom: Mailroom, topic: Topic, heard: Callable[[str, dict[str, Any]], None], enough: asyncio.Event
) -> None:
    """Ids and values of all records that there are, and of those that come, until it is enough.

    Raises `AWAY`.
    """
    consumer: AIOKafkaConsumer[Any, Any] = AIOKafkaConsumer(
        mailroom.topic(topic.name),
        bootstrap_servers=mailroom.stack.kafka_bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    try:
        await _in_time(consumer.start())
        while not enough.is_set():
            for records in (await _in_time(consumer.getmany(timeout_ms=200))).values():
                for record in records:
                    heard(headers_of(record)["ce_id"], json.loads(record.value))
    finally:
        with suppress(*AWAY):
            await _in_time(consumer.stop())


async def _in_time(work: Coroutine[Any, Any, T]) -> T:
    """What it comes to. Raises `TimeoutError` if that takes too long, whether it ends then or not.

    So it does if the client ends its own work by cancelling it: who waits for that is not cancelled himself.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
    finally:
        if not task.done():
            task.cancel()
    if not task.done() or task.cancelled():
        raise TimeoutError("Kafka does not answer")
    return task.result()
