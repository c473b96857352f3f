"""What was done with dead letters: kept in the schema of the service that they belong to.

The note and the outbox's row are one transaction, so a letter is put back once, whoever asks however often,
and wherever the command is killed. All of that is in the database that holds the effects: if a backup is
restored, a letter is as unhandled as its effect is missing.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

import asyncpg

from deploy.dead_letters.letter import Letter
from deploy.dead_letters.way_back import WayBack
from shared import outbox
from shared.outbox import Row
from shared.postgres import ACQUIRE_SECONDS, COMMAND_SECONDS, Connection, close_connection, columns

Action: TypeAlias = Literal["replayed", "discarded"]

_KNOWN = """
SELECT topic, partition, letter_offset, died_at, action, done_by, done_at, why, back_topic, back_partition
FROM dead_letter_actions
WHERE topic = $1 AND (partition, letter_offset, died_at) IN (
    SELECT * FROM unnest($2::int[], $3::bigint[], $4::timestamptz[])
)
ORDER BY done_at
"""
_NOTE = """
INSERT INTO dead_letter_actions
    (topic, partition, letter_offset, died_at, back_topic, back_partition, action, done_by, why)
SELECT letter.*, $7, $8, $9
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[], $5::text[], $6::int[]) AS letter
ON CONFLICT DO NOTHING
RETURNING topic, partition, letter_offset, died_at
"""
_SCHEMA = "SELECT set_config('search_path', $1, true)"


class StoreError(Exception):
    """The database is away or was not migrated. The message is a sentence."""


class Key(NamedTuple):
    """A letter, in a table."""

    topic: str
    partition: int
    offset: int
    died: datetime

    @classmethod
    def of(cls, letter: Letter) -> "Key":
        return cls(letter.place.topic, letter.place.partition, letter.name.offset, letter.died)


@dataclass(frozen=True, slots=True)
class Done:
    """What was done with a letter, by whom, when and why; `back` is `topic/partition` for one put back."""

    action: str
    by: str
    at: datetime
    why: str
    back: str | None


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Connection]:
    """A connection that may see every service's schema. Raises `StoreError`."""
    try:
        connection = await asyncpg.connect(dsn, timeout=ACQUIRE_SECONDS, command_timeout=COMMAND_SECONDS)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreError(f"PostgreSQL does not answer: {error}.") from error
    try:
        yield connection
    except asyncpg.UndefinedTableError as error:
        raise StoreError("The schemas are older than this command: run `mailroom migrate`.") from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreError(f"PostgreSQL failed: {error}. What was not told as done was not done.") from error
    finally:
        await close_connection(connection)


async def known(connection: Connection, service: str, letters: Sequence[Letter]) -> dict[Key, Done]:
    """What was last done with those of a service's letters that something was done with."""
    by_topic: dict[str, list[Key]] = defaultdict(list)
    for letter in letters:
        by_topic[letter.place.topic].append(Key.of(letter))
    found: dict[Key, Done] = {}
    async with connection.transaction():
        await connection.execute(_SCHEMA, service)
        for topic, keys in by_topic.items():
            rows = await connection.fetch(_KNOWN, topic, *columns([key[1:] for key in keys], 3))
            for row in rows:
                back = None if row["back_topic"] is None else f"{row['back_topic']}/{row['back_partition']}"
                found[Key(*list(row)[:4])] = Done(
                    row["action"], row["done_by"], row["done_at"], row["why"], back
                )
    return found


async def put_back(
    connection: Connection, service: str, ways: Sequence[tuple[Letter, WayBack]], by: str, why: str
) -> set[Key]:
    """Note these letters of a service and put their records into outboxes; returns those that were new."""
    rows: dict[str, list[Row]] = defaultdict(list)
    async with connection.transaction():
        fresh = await _note(connection, service, "replayed", [letter for letter, _ in ways], by, why)
        for letter, way in ways:
            if Key.of(letter) in fresh:
                rows[way.service].append(way.row)
        for producer, waiting in rows.items():
            await connection.execute(_SCHEMA, producer)
            await outbox.add(connection, waiting)
    return fresh


async def discard(
    connection: Connection, service: str, letters: Sequence[Letter], by: str, why: str
) -> set[Key]:
    """Note that nobody wants these letters of a service; returns those that were new."""
    async with connection.transaction():
        return await _note(connection, service, "discarded", letters, by, why)


async def _note(
    connection: Connection, service: str, action: Action, letters: Sequence[Letter], by: str, why: str
) -> set[Key]:
    back = action == "replayed"
    noted = [
        (*Key.of(each), *(each.original if back and each.original is not None else (None, None)))
        for each in letters
    ]
    await connection.execute(_SCHEMA, service)
    rows = await connection.fetch(_NOTE, *columns(noted, 6), action, by, why)
    return {Key(*row) for row in rows}
