"""Which records a consumer has seen, for what producers may repeat (design §2).

The table has one partition per period of arrival. A period outlasts the longest retention of a topic with
an end, and two whole ones are kept, so a record that can still be read again is still known.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from shared.postgres import Connection, Pool, transaction

PERIOD = timedelta(days=31)
KEPT_PERIODS = 2
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
    """Make this period's partition and the next one's, drop those past keeping; return this period.

    Takes a short exclusive lock on the table, but only when something is to be made or dropped.
    """
    period = period_of(now)
    async with transaction(pool) as connection:
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.inbox', 0))"
        )
        present = {row["period"]: row["table"] for row in await connection.fetch(_PERIODS)}
        for wanted in (period, period + 1):
            if wanted not in present:
                await connection.execute(_CREATE.format(period=wanted))
        for old, table in present.items():
            if old < period - KEPT_PERIODS:
                await connection.execute(_DROP.format(table=table))
    return period


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
