"""What is asked all the time reads no more rows where more has been closed, and no large table as a whole."""

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
