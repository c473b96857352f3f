"""How far each consumer has read: kept in Postgres and moved in the transaction of the effect (design §2)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from shared.postgres import Connection


class Place(NamedTuple):
    """A partition of a topic; `topic` is the full name, with the deployment's prefix."""

    topic: str
    partition: int


class Move(NamedTuple):
    """From the offset that was read as the next one to the one that is next now."""

    place: Place
    read: int
    next: int


class FenceLost(Exception):
    """Somebody else moved the offset meanwhile: what was done with the batch must not be committed."""


_STORED = """
SELECT topic, partition, next_offset
FROM offsets
WHERE consumer = $1 AND topic = ANY($2::text[])
"""

_ADVANCE = """
UPDATE offsets AS stored
SET next_offset = moved.next, moved_at = now()
FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) AS moved (topic, partition, read, next)
WHERE stored.consumer = $1
  AND stored.topic = moved.topic
  AND stored.partition = moved.partition
  AND stored.next_offset = moved.read
"""

_REGISTER = """
INSERT INTO offsets (consumer, topic, partition, next_offset)
SELECT $1, fresh.topic, fresh.partition, fresh.next
FROM unnest($2::text[], $3::int[], $4::bigint[]) AS fresh (topic, partition, next)
ON CONFLICT DO NOTHING
RETURNING topic, partition
"""


async def stored(connection: Connection, consumer: str, topics: Iterable[str]) -> dict[Place, int]:
    """The next offset of every registered partition."""
    rows = await connection.fetch(_STORED, consumer, list(topics))
    return {Place(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def advance(connection: Connection, consumer: str, moves: Sequence[Move]) -> None:
    """Move the offsets of a whole batch in one statement; the rows stay locked until the commit.

    Raises `FenceLost` when one of them is not where it was read: a zombie after a rebalance rolls back.
    """
    if not moves:
        return
    status = await connection.execute(
        _ADVANCE,
        consumer,
        [move.place.topic for move in moves],
        [move.place.partition for move in moves],
        [move.read for move in moves],
        [move.next for move in moves],
    )
    if status != f"UPDATE {len(moves)}":
        raise FenceLost(f"{consumer} lost {len(moves)} partitions' fence ({status})")


async def register(connection: Connection, consumer: str, begin: Mapping[Place, int]) -> list[Place]:
    """Let `consumer` begin new partitions at the given offsets; those it knows stay where they are.

    Returns the ones that were new.
    """
    if not begin:
        return []
    rows = await connection.fetch(
        _REGISTER,
        consumer,
        [place.topic for place in begin],
        [place.partition for place in begin],
        list(begin.values()),
    )
    return sorted(Place(row["topic"], row["partition"]) for row in rows)
