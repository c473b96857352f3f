"""The database's clock jumps, and services go by it: still each timer fires once (AMB-44)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.activity.timers import Timers
from shared import clock
from shared.contracts import activity_requests as asked
from shared.postgres import acquired, make_pool, opened
from shared.unit_of_work import UnitOfWork
from tests.faults.chaos.clocks import Clocks
from tests.support.clocked_postgres import PATIENCE, SERVER, clocked_postgres
from tests.support.databases import Database, build_template
from tests.support.office import Office, received
from tests.support.waiting import eventually

pytestmark = [pytest.mark.own_servers, pytest.mark.timeout(3 * PATIENCE)]


async def test_no_timer_fires_twice_or_never_when_the_databases_clock_jumps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forwards past one of two waits, back to before both began, and forwards again."""
    monkeypatch.setattr(clock, "ASK_SECONDS", 0.0)
    async with clocked_postgres(tmp_path) as (dsn, clocks):
        await build_template(dsn)
        pool = make_pool(Database(dsn).dsn_of("activity"), schema="activity", application="tests")
        async with opened(pool):
            office = Office(pool)
            office.unit = UnitOfWork(pool, service="activity")
            await office.configure()
            timers = Timers(office.unit, office.work, office.organisations)
            await it_is(office, clocks)
            for number, days in ((1, 1), (2, 3)):
                await office.take_in(received(message_id=f"{number}@harbour.test"))
                await office.step(asked.TicketWait, f"10000{number}-T", days=days)
            await it_is(office, clocks, days=2)
            assert await timers.fire() == 1
            await it_is(office, clocks, days=-2)
            assert await timers.fire() == 0
            await office.step(asked.TicketWait, "100001-T", days=1)  # until yesterday, by the clock of before
            await it_is(office, clocks)
            assert await timers.fire() == 1
            await it_is(office, clocks, days=4)
            assert await timers.fire() == 1
            await it_is(office, clocks, days=40)
            assert await timers.fire() == 0
            ends = {
                number: [rule for _, rule in await office.rules(f"10000{number}-T")].count("T14")
                for number in (1, 2)
            }
            assert ends == {1: 2, 2: 1}


async def it_is(office: Office, clocks: Clocks, days: float = 0) -> None:
    """Set the database's clock so many days fast; returns when services live by it."""
    clocks.set(SERVER, timedelta(days=days).total_seconds())

    async def known() -> bool:
        async with acquired(office.pool) as connection:
            now = await office.unit.time(connection)
        return abs(now - datetime.now(UTC) - timedelta(days=days)) < timedelta(hours=1)

    await eventually(known, deadline=PATIENCE, every=0.1)
