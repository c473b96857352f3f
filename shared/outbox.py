"""What a transaction wants to say: written with its effect, published by the relay (design §2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import msgspec

from shared.contracts.envelope import Envelope, Headers
from shared.contracts.record import Record
from shared.postgres import Connection, Json, copy_in
from shared.topics import Topic

MAX_RECORD_BYTES = 2 * 1024 * 1024
"""Value, key and headers of one record. `topics apply` gives topics room for it."""

MAX_DEAD_LETTER_BYTES = MAX_RECORD_BYTES + 256 * 1024
"""A dead letter is a record of that size and the reason why it is dead."""


class RecordTooLarge(ValueError):
    """The record would be refused by Kafka, for ever: its maker has to use a claim check."""


@dataclass(frozen=True)
class Outgoing:
    """One record to be published. `key` is `<organisation>/<what the topic keys by>`.

    `record=None` is a tombstone: it deletes the key from a compacted topic. `partition` is for what every
    partition has to be told; without it the key chooses.
    """

    topic: Topic
    key: str
    envelope: Envelope
    record: Record | None
    partition: int | None = None

    @cached_property
    def value(self) -> Json | None:
        """What is published. Raises what pydantic raises for a record that it cannot write."""
        return None if self.record is None else Json.of(self.record)


class Row(NamedTuple):
    """An outgoing record as the outbox keeps it: full topic name, bytes, headers as text."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: str
    partition: int | None = None


_OLDEST = "SELECT added_at FROM outbox ORDER BY id LIMIT 1"
_WAKE = "SELECT pg_notify(current_schema() || '_outbox', '')"


def row(outgoing: Outgoing, topic_prefix: str) -> Row:
    """Serialise. Raises `RecordTooLarge` and what `Outgoing.value` raises."""
    made = Row(
        topic_prefix + outgoing.topic.name,
        outgoing.key.encode(),
        outgoing.value,
        pack_headers(outgoing.envelope.to_headers()),
        outgoing.partition,
    )
    check_size(made, MAX_RECORD_BYTES)
    return made


def check_size(made: Row, limit: int) -> None:
    """Raises `RecordTooLarge`: found here it costs its cause, found by the relay it would stop everything."""
    size = len(made.value or b"") + len(made.key or b"") + len(made.headers)
    if size > limit:
        raise RecordTooLarge(f"a record for {made.topic} has {size} bytes, more than {limit}")


async def add(connection: Connection, rows: Sequence[Row]) -> None:
    """Append rows, in their order, and wake the relay when the transaction commits."""
    if not rows:
        return
    await copy_in(connection, "outbox", Row._fields, rows)
    await connection.execute(_WAKE)


async def oldest(connection: Connection) -> datetime | None:
    """Since when the oldest row has been waiting to be published."""
    found: datetime | None = await connection.fetchval(_OLDEST)
    return found


def pack_headers(headers: Iterable[tuple[str, bytes | None]]) -> str:
    """Headers as one JSON text; bytes become characters one to one, and no value becomes an empty one."""
    return _encode([(name, (value or b"").decode("latin-1")) for name, value in headers]).decode()


def unpack_headers(text: str) -> Headers:
    """The reverse of `pack_headers`."""
    return [(name, value.encode("latin-1")) for name, value in _decode(text)]


_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(list[tuple[str, str]]).decode
