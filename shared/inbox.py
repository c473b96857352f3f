"""Which records a consumer has seen, for what producers may repeat (design §2).

The table has one partition per period of arrival. `shared/retention.py` drops it when all in it is older than
MAILROOM_INBOX_DAYS, which outlast every topic with an end: what can still be read again is still known.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from shared.postgres import Connection, Pool, transaction

PERIOD = timedelta(days=31)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Statements name tables by number, which comes from us and is an int: nothing to quote.
_CREATE = "CREATE TABLE IF NOT EXISTS inbox_{period} PARTITION OF inbox FOR VALUES IN ({period})"
_DROP = "DROP TABLE IF EXISTS {table}"

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.inbox', 0))"

_PERIODS = """
SELECT child.relname AS table, substring(child.relname FROM 'inbox_(\\d+)')::int AS period
FROM pg_inherits
JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
WHERE pg_inherits.inhparent = 'inbox'::regclass
"""

_FRESH = """
INSERT INTO inbox (consumer, source, id, period)
SELECT $1, asked.source, asked.id, $4
FROM unnest($2::text[], $3::text[]) AS asked (source, id)
WHERE NOT EXISTS (
    SELECT FROM inbox
    WHERE inbox.consumer = $1 AND inbox.source = asked.source AND inbox.id = asked.id
)
ON CONFLICT DO NOTHING
RETURNING source, id
"""

_FORGET = """
DELETE FROM inbox USING unnest($2::text[], $3::text[]) AS died (source, id)
WHERE inbox.consumer = $1 AND inbox.source = died.source AND inbox.id = died.id AND inbox.period = $4
"""

Seen = tuple[str, str]
"""`ce_source` and `ce_id`: what makes two records the same."""


def period_of(now: datetime) -> int:
    """The number of the period that `now` lies in."""
    return (now - _EPOCH) // PERIOD


async def prepare(pool: Pool, now: datetime) -> int:
    """Make this period's partition and the next one's; return this period.

    Takes a short exclusive lock on the table, but only when something is to be made.
    """
    period = period_of(now)
    async with transaction(pool) as connection:
        await connection.execute(_LOCK)
        present = {row["period"] for row in await connection.fetch(_PERIODS)}
        for wanted in (period, period + 1):
            if wanted not in present:
                await connection.execute(_CREATE.format(period=wanted))
    return period


async def over(connection: Connection, before: datetime) -> int:
    """How many periods ended before this time."""
    return len(await _over(connection, before))


async def drop(connection: Connection, before: datetime, limit: int = 1) -> int:
    """Drop the oldest periods that ended before this time; how many that were. Locks the table shortly.

    One at most, whatever the limit, so that nobody waits long.
    """
    await connection.execute(_LOCK)
    for table in (await _over(connection, before))[: min(limit, 1)]:
        await connection.execute(_DROP.format(table=table))
        return 1
    return 0


async def _over(connection: Connection, before: datetime) -> list[str]:
    """The tables of the periods that ended before this time, the oldest first."""
    ended = [
        row for row in await connection.fetch(_PERIODS) if _EPOCH + PERIOD * (row["period"] + 1) < before
    ]
    return [row["table"] for row in sorted(ended, key=lambda row: row["period"])]


async def fresh(connection: Connection, consumer: str, records: Sequence[Seen], period: int) -> set[Seen]:
    """Note the records and return those that were not known, in one statement.

    A record that comes twice in `records` is returned once. Two transactions cannot both take the same one,
    because its partition's offset is locked by `offsets.advance`, which comes first.
    """
    if not records:
        return set()
    rows = await connection.fetch(
        _FRESH, consumer, [source for source, _ in records], [id_ for _, id_ in records], period
    )
    return {(row["source"], row["id"]) for row in rows}


async def forget(connection: Connection, consumer: str, records: Sequence[Seen], period: int) -> None:
    """Take back what `fresh` noted in this transaction: these records had no effect.

    So that a record is known if and only if it had one, and a dead letter that is put back is not a repeat.
    """
    if records:
        await connection.execute(
            _FORGET, consumer, [source for source, _ in records], [id_ for _, id_ in records], period
        )
