"""Lists and search read no more rows where more has been closed, and no large table from end to end."""

from collections.abc import Mapping
from typing import Any, cast

from services.activity import store_search, store_views, store_worklists
from services.activity.store_views import Filter
from services.activity.store_worklists import FIRST, Sieve
from shared.postgres import Connection, transaction
from tests.bench.seed import seed
from tests.support.databases import Database
from tests.support.office import ACME, Office
from tests.support.plans import Explained

SMALL, LARGE, OPEN = 1_500, 6_000, 150
LARGE_TABLES = {
    "activities",
    "history",
    "mails",
    "activity_mails",
    "activity_contacts",
    "contacts",
    "families",
}
PROCESSES = ("invoice", "request")


async def read(office: Office, long: str, word: str, common: str) -> Mapping[str, float]:
    """What each list reads, in rows. Fails where one reads a large table from end to end."""
    sieve = Sieve(processes=PROCESSES)
    found: dict[str, float] = {}
    key = (ACME, (await office.ticket(long))["id"])

    async def look(name: str, asking: Any) -> None:
        async with transaction(office.pool) as connection:
            explained = Explained(connection)
            answer = await asking(cast(Connection, explained))
        assert answer, f"{name} found nothing"
        for plan in explained.plans:
            assert not plan.sequential & LARGE_TABLES, (name, plan.statement, plan.root)
        found[name] = sum(plan.rows for plan in explained.plans)

    await look("inbox", lambda c: store_worklists.in_inbox(c, ACME, "amelie", sieve, FIRST, 51))
    await look("queue", lambda c: store_worklists.nobody_has(c, ACME, ("desk",), sieve, FIRST, 51))
    await look("owned", lambda c: store_worklists.owned(c, ACME, "amelie", sieve, FIRST, 51))
    await look("rest", lambda c: store_worklists.at_rest(c, ACME, PROCESSES, sieve, FIRST, 51))
    await look("counts", lambda c: store_worklists.counts(c, ACME, PROCESSES))
    await look("tickets", lambda c: store_views.tickets(c, ACME, Filter(processes=PROCESSES), None, 51))
    await look("timeline", lambda c: store_views.timeline(c, key, None, 51))
    await look("number", lambda c: store_search.search(c, ACME, PROCESSES, "1000", 20))
    await look("reference", lambda c: store_search.search(c, ACME, PROCESSES, long, 20))
    await look("word", lambda c: store_search.search(c, ACME, PROCESSES, word, 20))
    await look("common", lambda c: store_search.search(c, ACME, PROCESSES, common, 50))
    return found


async def test_what_has_been_closed_costs_lists_nothing(office: Office, database: Database) -> None:
    """GL-2: five times as many Tickets, as many of them open: none reads half as much again."""
    dsn = database.dsn_of("activity")
    first = await seed(dsn, ACME, SMALL, OPEN)
    assert first.entries > 3 * SMALL
    title = str(await office.pool.fetchval("SELECT title FROM activities ORDER BY number LIMIT 1")).split()
    small = await read(office, first.long[0], title[-1], title[0][:4])
    await seed(dsn, ACME, LARGE - SMALL, 0)
    large = dict(await read(office, first.long[0], title[-1], title[0][:4]))
    # Of a common word more is found, up to what anybody looks through.
    assert large.pop("common") < 10 * store_search.MOST_MATCHES
    assert {name: rows for name, rows in large.items() if rows > 1.5 * small[name] + 50} == {}
