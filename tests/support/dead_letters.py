"""Dead letters for tests: as a service would have written them."""

from collections.abc import Sequence

from shared.contracts.envelope import Envelope
from shared.failure import SendersFault, dead_letter
from shared.kafka_access import KafkaAccess
from shared.outbox import unpack_headers
from shared.topics import INGEST_MAILS
from tests.support.notes import NOON, Raw
from tests.support.topics import producing

HEADERS = tuple(
    Envelope(
        id="1", source="/mailroom/ingest", type="mail.received", time=NOON, organisation="acme"
    ).to_headers()
)


def stood(
    offset: int,
    value: bytes | None = b"{}",
    headers: Sequence[tuple[str, bytes]] = HEADERS,
    *,
    topic: str = INGEST_MAILS.name,
    partition: int = 3,
    key: bytes | None = b"acme/9f3c5a7e1b2d4f60",
) -> Raw:
    """A record as it stood in its topic."""
    return Raw(offset, value, tuple(headers), key, topic, partition)


def died(record: Raw, consumer: str = "activity.mails", error: Exception | None = None) -> Raw:
    """Its dead letter, as it stands at the same offset of its service's dead-letter topic."""
    topic = f"{consumer.partition('.')[0]}.dlq.v1"
    row = dead_letter(record, consumer, error or SendersFault("there is no such thing"), topic)
    return Raw(record.offset, row.value, tuple(unpack_headers(row.headers)), row.key, topic, 0)


async def bury(kafka: KafkaAccess, prefix: str, *letters: Raw) -> None:
    """Append letters to their topics."""
    async with producing(kafka) as producer:
        for letter in letters:
            await producer.send(
                prefix + letter.topic, letter.value, letter.key, headers=list(letter.headers), partition=0
            )
        await producer.flush()
