"""Cases begin by schedules: each time once, in order, whoever works on them (CA-1, C2, GL-8)."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.local.endpoints import Endpoints
from services.activity import gauges
from shared.contracts.activity_organisation import ActionUse, Rules, StepDefinition
from shared.metrics import SCHEDULE_OLDEST, SCHEDULES_STARTED
from shared.postgres import transaction
from tests.support.databases import Database
from tests.support.hiring import HIRING
from tests.support.office import NOON, Office
from tests.support.schedules import DAILY, EVERY_HOUR, all_of, apply, cases, component, scheduled
from tests.support.second_life import another_office, catch_up
from tests.support.waiting import eventually

PATIENCE = 120.0


async def test_a_case_begins_at_its_time_and_launches_its_first_step(office: Office) -> None:
    """CA-1, C2, GL-8: at 18:30 in Brussels, which is 17:30 in UTC, in winter."""
    started = SCHEDULES_STARTED._value.get()
    await apply(office, scheduled(DAILY))
    await office.advance(hours=5, minutes=30, seconds=-1)
    assert await component(office).begin() == 0
    await office.advance(seconds=1)
    assert await component(office).begin() == 1
    assert await component(office).begin() == 0
    (case,) = await cases(office)
    assert (case["reference"], case["title"], case["status"]) == ("100001-C", "Close the day", "to_do")
    assert (case["description"], case["fields"]) == ("All of it.", {"device": "laptop"})
    (opened, *_) = await office.history("100001-C")
    assert (opened["type"], opened["event"]["started_by"]) == ("case.opened", "schedule")
    assert (opened["rule"], opened["actor_kind"]) == ("C2", "system")
    assert [row["reference"] for row in await office.tickets()][1:] == ["100001-C-A1.1", "100001-C-A1.2"]
    assert SCHEDULES_STARTED._value.get() == started + 1


async def test_cases_that_start_others_at_once_are_counted_once(office: Office) -> None:
    """There were no numbers for the others: all are begun anew, with enough of them."""
    started = SCHEDULES_STARTED._value.get()
    too = EVERY_HOUR.model_copy(update={"name": "too"})
    first = StepDefinition(name="equip", title="Equip", actions=(ActionUse(action="equip"),))
    await apply(office, scheduled(EVERY_HOUR, too, steps=(first, *HIRING.steps)))
    await office.advance(hours=1)
    assert await component(office).begin() == 2
    assert Counter(row["process"] for row in await cases(office)) == {"hiring": 2, "equipping": 2}
    assert SCHEDULES_STARTED._value.get() == started + 2


async def test_each_day_has_its_case(office: Office) -> None:
    await apply(office, scheduled(DAILY))
    schedules = component(office)
    for day in range(1, 4):
        await office.advance(days=1)
        assert await all_of(schedules) == 1
        assert len(await cases(office)) == day


async def test_what_was_missed_is_made_up_for_once_and_in_order(office: Office) -> None:
    await apply(office, scheduled(EVERY_HOUR))
    await office.advance(hours=7)
    assert await all_of(component(office)) == 7
    assert await all_of(component(office)) == 0
    ids = [row["id"] for row in sorted(await cases(office), key=lambda row: row["number"])]
    assert ids == sorted(ids), "ids begin with the time that they are for"
    assert len(set(ids)) == 7


async def test_of_many_that_were_missed_the_newest_begin(office: Office) -> None:
    await apply(office, scheduled(EVERY_HOUR, DAILY))
    await office.advance(days=30)
    assert await all_of(component(office, missed=3)) == 6
    next_at = await office.pool.fetchval("SELECT min(next_at) FROM schedules")
    assert next_at == office.clock.now() + timedelta(hours=1)


async def test_a_schedule_comes_first_after_it_was_applied(office: Office) -> None:
    """A new one, one with other times, and one whose calendar has another time zone."""
    await apply(office, scheduled(EVERY_HOUR))
    await office.advance(hours=3)
    await apply(office, scheduled(EVERY_HOUR, DAILY))
    assert await all_of(component(office)) == 3, "what has not changed is made up for"
    await office.advance(hours=3)
    other = EVERY_HOUR.model_copy(update={"cron": "15 * * * *"})
    await apply(office, scheduled(other))
    assert await all_of(component(office)) == 0
    await office.advance(minutes=15)
    assert await all_of(component(office)) == 1
    await office.advance(hours=1)
    await apply(office, scheduled(other, time_zone="Asia/Kolkata"))
    assert await all_of(component(office)) == 0
    await office.advance(minutes=30)
    assert await all_of(component(office)) == 1, "a quarter past there is a quarter to in Brussels"


async def test_a_schedule_that_is_gone_begins_nothing(office: Office) -> None:
    await apply(office, scheduled(EVERY_HOUR, DAILY))
    await office.advance(hours=2)
    await apply(office, scheduled(DAILY))
    assert await all_of(component(office)) == 0


async def test_a_draft_begins_nothing_and_a_process_in_test_begins_in_test_mode(office: Office) -> None:
    """GL-5: and what becomes live begins with its first time after that."""
    drafted = scheduled(EVERY_HOUR, live=False)
    await apply(office, drafted)
    await office.advance(hours=2)
    assert await all_of(component(office)) == 0
    tested = scheduled(EVERY_HOUR, live=False, test=True)
    await apply(office, tested)
    await office.advance(hours=2)
    assert await all_of(component(office)) == 0
    await apply(office, tested.model_copy(update={"rules": Rules(test_mode=True)}))
    assert await all_of(component(office)) == 0
    await office.advance(hours=2)
    assert await all_of(component(office)) == 2
    await apply(office, drafted)
    await office.advance(hours=2)
    await apply(office, scheduled(EVERY_HOUR))
    assert await all_of(component(office)) == 0
    await office.advance(hours=1)
    assert await all_of(component(office)) == 1


async def test_it_is_told_for_how_long_the_oldest_has_waited(office: Office) -> None:
    await apply(office, scheduled(EVERY_HOUR))
    await office.advance(hours=2)
    look = next(each for each in gauges.looks(office.organisations) if SCHEDULE_OLDEST in each.gauges)
    async with transaction(office.pool) as connection:
        await look.take(connection, office.clock.now())
        assert SCHEDULE_OLDEST._value.get() == 3600
        await all_of(component(office))
    async with transaction(office.pool) as connection:
        await look.take(connection, office.clock.now())
    assert SCHEDULE_OLDEST._value.get() == 0


@pytest.mark.timeout(3 * PATIENCE)
async def test_processes_that_race_begin_each_time_once_even_if_one_is_killed(
    office: Office, database: Database
) -> None:
    """CA-1: five schedules, half an hour of minutes to make up for; a third process for the dead one."""
    every_minute = [
        EVERY_HOUR.model_copy(update={"name": f"s{number}", "title": f"S{number}", "cron": "* * * * *"})
        for number in range(5)
    ]
    office.clock.set(datetime.now(UTC) - timedelta(minutes=30))
    await apply(office, scheduled(*every_minute))
    first, until = await office.pool.fetchval("SELECT min(next_at) FROM schedules"), datetime.now(UTC)
    wanted = int((until - first) / timedelta(minutes=1)) + 1

    async def some() -> bool:
        return len(await cases(office)) > 20

    async def none_left() -> bool:
        return not await office.pool.fetchval("SELECT count(*) FROM schedules WHERE next_at <= $1", until)

    async with AsyncExitStack() as exits:
        killed, _ = [await exits.enter_async_context(a_process(database)) for _ in range(2)]
        await eventually(some, deadline=PATIENCE)
        killed.kill()
        assert not await none_left(), "it was killed after all was done"
        await exits.enter_async_context(a_process(database))
        await eventually(none_left, deadline=PATIENCE, every=0.1)
    found = Counter(row["title"] for row in await cases(office) if _time_of(row) <= until)
    assert found == {each.title: wanted for each in every_minute}
    opened = await office.pool.fetchval("SELECT count(*) FROM history WHERE type = 'case.opened'")
    assert opened == len(await cases(office))


async def test_a_restored_database_begins_no_case_again(stack: Endpoints, database_template: str) -> None:
    """Two of three had begun, and been told of, since the backup."""
    async with (
        another_office(stack, database_template) as lost,
        another_office(stack, database_template) as restored,
    ):
        for office in (lost, restored):
            await office.begin_again(NOON)
            await apply(office, scheduled(EVERY_HOUR))
        await lost.advance(hours=2)
        assert await all_of(component(lost)) == 2
        await catch_up(restored, await lost.published(), lost.read)
        assert len(await cases(restored)) == 2
        restored.clock.set(NOON + timedelta(hours=3))
        assert await all_of(component(restored)) == 3, "two of them were there"
        told = [row["id"] for row in await cases(lost)]
        assert sorted(row["id"] for row in await cases(restored))[:2] == sorted(told)
        written = {(row["title"], row["description"]) for row in await cases(restored)}
        assert written == {("Look around", "All of it.")}, "as the schedule says"
        assert len(await cases(restored)) == 3


def _time_of(row: Any) -> datetime:
    """For which time a Case has begun: its id says it to the millisecond."""
    return datetime.fromtimestamp((row["id"].int >> 80) / 1000, UTC)


@asynccontextmanager
async def a_process(database: Database) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that begins Cases until it is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.schedules_process", database.dsn_of("activity")
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
