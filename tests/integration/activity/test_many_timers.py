"""Very many timers due at once: none fires twice, none is forgotten, whoever is killed (AMB-44)."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from services.activity import store_timers
from shared.contracts import activity_requests as asked
from shared.postgres import Connection, transaction
from shared.topics import INGEST_MAILS
from tests.bench import stories
from tests.faults.chaos.clocks import Clocks
from tests.support.databases import Database
from tests.support.many_timers import ENDS, Armed, armed, due_now, worker
from tests.support.office import ACME, NOON, Office, received
from tests.support.plans import Explained
from tests.support.waiting import eventually

MANY, PAGE, LETTERS = 2_000, 50, 100
PATIENCE = 240.0

pytestmark = pytest.mark.timeout(2 * PATIENCE)


async def until_all_fired(timers: Armed) -> None:
    async def none_left() -> bool:
        return not await timers.left()

    await eventually(none_left, deadline=PATIENCE, every=0.1)


async def until_begun(timers: Armed) -> None:
    async def some() -> bool:
        return bool(await timers.ended(*ENDS))

    await eventually(some, deadline=PATIENCE)


async def test_processes_share_the_timers_and_killed_ones_leave_none_behind(
    office: Office, database: Database
) -> None:
    """AMB-44: two of three die by SIGKILL in the middle, then another comes."""
    dsn = database.dsn_of("activity")
    timers = await armed(office, dsn, MANY)
    said = len(await office.said("activity.activities.v1"))
    versions = await office.pool.fetchval("SELECT count(*) FROM history")
    async with AsyncExitStack() as exits:
        processes = [await exits.enter_async_context(worker(dsn, PAGE)) for _ in range(3)]
        await until_begun(timers)
        for each in processes[:2]:
            each.kill()
        assert await timers.left(), "they were killed after all was done"
        await exits.enter_async_context(worker(dsn, PAGE))
        await until_all_fired(timers)
    ended = await timers.ended(*ENDS)
    assert ended.keys() == timers.generations.keys()
    assert {len(rules) for rules in ended.values()} == {1}
    told = [each["headers"]["ce_id"] for each in await office.said("activity.activities.v1")][said:]
    assert (
        len(told) == len(set(told)) == await office.pool.fetchval("SELECT count(*) FROM history") - versions
    )
    closed = await office.pool.fetchval("SELECT count(*) FROM mails WHERE purpose = 'no_response'")
    assert closed == [rule for (rule,) in ended.values()].count("T15") > 0


async def test_a_mail_in_the_same_second_ends_a_wait_or_the_timer_does(
    office: Office, database: Database
) -> None:
    """AMB-44, T13, T14: whoever locks the family first; the other finds nothing left to do."""
    dsn = database.dsn_of("activity")
    timers = await armed(office, dsn, MANY // 2, {stories.AWAITING_ANSWERS: 100})
    office.clock.set(datetime.now(UTC))
    rows = await office.pool.fetch(
        "SELECT message_id, activities.id, conversation FROM activities JOIN mails USING (conversation) "
        "WHERE direction = 'in' AND status = 'wait' ORDER BY number DESC LIMIT $1",
        LETTERS,
    )
    async with worker(dsn, PAGE), worker(dsn, PAGE):
        await until_begun(timers)
        for number, row in enumerate(rows):
            answer = received(
                message_id=f"answer-{number}@harbour.test",
                in_reply_to=row["message_id"],
                conversation=row["conversation"],
                at=office.clock.now(),
            )
            await office.take_in(answer)
        await until_all_fired(timers)
    ended = await timers.ended("T13", "T14")
    assert ended.keys() == timers.generations.keys()
    assert {len(rules) for rules in ended.values()} == {1}
    appended = await office.pool.fetch(
        "SELECT activity, count(*) FROM history WHERE type = 'ticket.mail_appended' AND at >= $1 GROUP BY 1",
        timers.since,
    )
    assert {row["activity"] for row in appended} == {row["id"] for row in rows}
    assert {row["count"] for row in appended} == {1}


@pytest.mark.parametrize("wrong", [timedelta(days=10), timedelta(days=-10)], ids=["fast", "slow"])
async def test_a_process_whose_own_clock_is_wrong_goes_by_the_databases(
    office: Office, database: Database, tmp_path: Path, wrong: timedelta
) -> None:
    """Design §5: what is due is the same for all of them."""
    for number in (1, 2):
        await office.take_in(received(message_id=f"{number}@harbour.test"))
        await office.step(asked.TicketWait, f"10000{number}-T", days=2)
    timers = await due_now(office.pool)
    await office.pool.execute(
        "UPDATE timers SET due_at = now() + interval '5 days' "
        "WHERE activity = (SELECT id FROM activities WHERE reference = '100002-T')"
    )
    clocks = Clocks(tmp_path)
    clocks.require_that_they_can_be_set()
    own = clocks.environment("worker")
    clocks.set("worker", wrong.total_seconds())
    async with worker(database.dsn_of("activity"), PAGE, own):
        await until_begun(timers)
    assert [(await office.ticket(f"10000{number}-T"))["status"] for number in (1, 2)] == ["to_do", "wait"]


async def test_timers_that_wait_for_their_mailbox_are_not_looked_at(office: Office) -> None:
    """A mailbox that cannot be read for days holds up those of no other, and costs nothing."""
    await office.pool.execute(
        "INSERT INTO timers SELECT $1, gen_random_uuid(), 1, $2, true, 'help' FROM generate_series(1, 3000)",
        *(ACME, NOON),
    )
    await office.pool.execute(
        "INSERT INTO timers VALUES ($1, gen_random_uuid(), 1, $2, false, NULL)",
        ACME,
        NOON + timedelta(hours=1),
    )
    await office.pool.execute("ANALYZE timers")
    horizon = store_timers.Horizon(NOON + timedelta(days=1), ((ACME, "help"),), INGEST_MAILS.partitions)
    async with transaction(office.pool) as connection:
        explained = Explained(connection)
        due = await store_timers.due(cast(Connection, explained), horizon, limit=200)
        oldest = await store_timers.oldest(cast(Connection, explained), horizon)
    assert [timer.closes for timer in due] == [False]
    assert oldest == store_timers.Oldest(ready=NOON + timedelta(hours=1), held=NOON)
    assert [plan for plan in explained.plans if plan.rows > 20 or "timers" in plan.sequential] == []
