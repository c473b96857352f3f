"""What is asked all the time reads no more rows where more has been closed, and no large table as a whole."""

import pytest

from shared.postgres import Pool
from tests.bench import seed as seeding
from tests.bench.plans import written
from tests.bench.questions import asked, complaints, explain
from tests.bench.seed import seed
from tests.support.databases import Database
from tests.support.office import ACME, Office

SMALL, LARGE, OPEN = 1_500, 6_000, 150
COMMON = "search: a common word"


async def test_what_has_been_closed_costs_lists_nothing(office: Office, database: Database) -> None:
    """GL-2: four times as many Tickets, as many of them open: none reads half as much again."""
    dsn = database.dsn_of("activity")
    first = await seed(dsn, ACME, SMALL, OPEN)
    assert first.entries > 3 * SMALL
    about = await asked(office.pool, ACME, first.long[0])
    small = await explain(office.pool, about)
    await seed(dsn, ACME, LARGE - SMALL, 0)
    large = await explain(office.pool, about, texts=True)
    page = written("# Plans\n\n<!-- table: growth -->\n\n<!-- plans -->\nold", small, large, (SMALL, LARGE))
    assert "| inbox |" in page
    assert "### due timers" in page
    assert "Index Scan" in page
    assert "old" not in page
    # Of a common word more is found, up to what anybody looks through: that is reached with more Tickets.
    small.pop(COMMON), large.pop(COMMON)
    assert complaints(small, large) == []


async def test_very_many_tickets_leave_indexes_keys_and_rights_as_they_were(
    office: Office, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They go in without, also beside what is there."""
    monkeypatch.setattr(seeding, "MANY", 1)
    before = await shape(office.pool)
    for tickets in (1, 2):
        await seed(database.dsn_of("activity"), ACME, tickets, 0)
    assert await shape(office.pool) == before
    counted = await office.pool.fetchval("SELECT count(*) FROM activities")
    assert counted == 1 + 2 + 2 * seeding.LONG


async def shape(pool: Pool) -> list[str]:
    """Indexes, constraints and rights of activity's tables."""
    rows = await pool.fetch(
        """
        SELECT pg_get_indexdef(indexrelid) || indisvalid AS said FROM pg_index
        JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = current_schema()::regnamespace
        UNION ALL
        SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = current_schema()::regnamespace
        UNION ALL
        SELECT relname || ' ' || coalesce((SELECT string_agg(acl::text, ',' ORDER BY acl::text)
            FROM unnest(relacl) AS acl), '') FROM pg_class WHERE relnamespace = current_schema()::regnamespace
        ORDER BY said
        """
    )
    return [row["said"] for row in rows]
