"""A Mailroom that has been at work for years: `python -m tests.bench.seed --dsn … --tickets 1000000`.

Tickets with their history, mails and contacts in the real schema. The rules tell some stories (stories.py)
and the stores write each of them once; PostgreSQL stamps all Tickets out of these rows (seed_stamp.py,
seed_statements.py): only names, texts, ids and times differ. What is open stays the same however many have
been closed: it is people who work it off. Nothing is announced: no topic knows of it.

All of it is written in one transaction, which holds every table of activity: no service of it should run
meanwhile. Many at once go in without indexes and keys, which are built again before it commits.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from services.activity import store_numbers
from shared.organisation import Organisations
from shared.postgres import Connection, acquired, make_pool, opened, transaction
from shared.references import ticket as ticket_reference
from tests.bench import seed_statements as statements
from tests.bench import stories
from tests.bench.seed_stamp import MAILS_OF_LONG, PATIENCE, Stamp, Whole
from tests.bench.stories import Lives

PAGE = 50_000
"""Tickets in one round of statements."""
MANY = 20_000
"""From so many on, indexes are built afterwards."""
PER_CONTACT = 5
"""Tickets that a contact has, on average."""
LONG = 4
"""Tickets with many mails."""
# Keys are dropped as the constraints that they are. $1 are the tables.
_INDEXES = """
SELECT coalesce(conname::text, indexrelid::regclass::text) AS name,
    CASE WHEN conname IS NULL THEN format('DROP INDEX %s', indexrelid::regclass)
        ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', indrelid::regclass, conname) END AS dropping,
    CASE WHEN conname IS NULL THEN pg_get_indexdef(indexrelid)
        ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', indrelid::regclass, conname,
            pg_get_constraintdef(pg_constraint.oid)) END AS making
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
LEFT JOIN pg_constraint ON conindid = indexrelid AND conrelid = indrelid
WHERE relnamespace = current_schema()::regnamespace AND relname = ANY ($1::text[])
ORDER BY indrelid, indexrelid
"""


@dataclass(frozen=True)
class Seeded:
    """What was made."""

    organisation: str
    tickets: int
    entries: int
    seconds: float
    long: tuple[str, ...]
    """References of the Tickets with many mails."""


async def seed(
    dsn: str,
    organisation: str,
    tickets: int,
    open_: int,
    *,
    lives: Lives = stories.OPEN,
    now: datetime | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Seeded:
    """Fill activity's schema beside what is there. Its statistics and visibility map are good afterwards.

    `lives` are those of the open ones.
    """
    began, entries = time.monotonic(), 0

    def note(what: str) -> None:
        say(f"{time.monotonic() - began:4.0f} s: {what}")

    async with opened(make_pool(dsn, schema="activity", application="seed")) as pool, acquired(pool) as maker:
        found = await Organisations().current(maker, organisation)
        stamp = Stamp(maker, found, now or datetime.now(UTC), lives)
        await stamp.prepare()
        async with transaction(pool) as writer:
            first = (await store_numbers.take(writer, {organisation: tickets + LONG}))[organisation].start
            last = first + tickets + LONG
            whole = Whole(range(first, first + tickets), open_, max(1, tickets // PER_CONTACT))
            indexes, empty = {}, frozenset[str]()
            if tickets >= MANY:
                indexes, empty = await _without_indexes(writer), await _emptied(writer)
            await stamp.contacts(writer, whole, freeze="contacts" in empty)
            for start in range(first, last, PAGE):
                span = range(start, min(start + PAGE, last))
                entries += await stamp.page(writer, span, whole, empty)
                note(f"{span.stop - first} Tickets, {entries} entries")
            for name, statement in indexes.items():
                await writer.execute(statement, timeout=PATIENCE)
                note(name)
        async with acquired(pool) as connection:
            await connection.execute("VACUUM (ANALYZE)", timeout=PATIENCE)
    long_ones = tuple(str(ticket_reference(each)) for each in range(whole.numbers.stop, last))
    return Seeded(organisation, last - first, entries, time.monotonic() - began, long_ones)


async def _without_indexes(connection: Connection) -> Mapping[str, str]:
    """Drop the indexes and keys of what is filled; returns how each is made, by its name."""
    for setting in ("maintenance_work_mem = '512MB'", "max_parallel_maintenance_workers = 2"):
        await connection.execute(f"SET LOCAL {setting}")
    rows = await connection.fetch(_INDEXES, statements.FILLED)
    for row in rows:
        await connection.execute(row["dropping"])
    return {row["name"]: row["making"] for row in rows}


async def _emptied(connection: Connection) -> frozenset[str]:
    """Tables that nothing was in, made anew: what this transaction copies into them needs no VACUUM."""
    found = []
    for table in statements.FILLED:
        if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):
            continue
        granted = await connection.fetchval("SELECT has_table_privilege($1, 'TRUNCATE')", table)
        if not granted:  # the past is kept from mistakes; where there is none yet, its owner may
            await connection.execute(f"GRANT TRUNCATE ON {table} TO CURRENT_USER")
        await connection.execute(f"TRUNCATE {table}")
        if not granted:
            await connection.execute(f"REVOKE TRUNCATE ON {table} FROM CURRENT_USER")
        found.append(table)
    return frozenset(found)


def main(
    dsn: Annotated[str, typer.Option(help="The database, as activity's role.")],
    organisation: Annotated[str, typer.Option(help="It has to be configured.")] = "acme",
    tickets: Annotated[int, typer.Option(min=1)] = 1_000_000,
    open_: Annotated[int, typer.Option("--open", min=0, help="How many of them are not closed.")] = 50_000,
) -> None:
    """Make Tickets by the million, with five timeline entries each."""
    made = asyncio.run(seed(dsn, organisation, tickets, open_, say=typer.echo))
    typer.echo(f"{made.tickets} Tickets with {made.entries} entries in {made.seconds:.0f} s")
    typer.echo(f"with {MAILS_OF_LONG} mails: {', '.join(made.long)}")


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
