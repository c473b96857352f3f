"""Processes are killed, frozen and doubled while mail comes in: nothing is lost, nothing happens twice.

Guarantees 1, 2, 3, 4 and 6, on all three services together. What is checked is in tests/support/crowd.py.
"""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient

from tests.support.crowd import Crowd
from tests.support.mailroom import PATIENCE, Mailroom
from tests.support.waiting import eventually

# What each service has done so far, in a number that grows.
PROGRESS = {
    "ingest": "SELECT count(*) FROM mails",
    "activity": "SELECT count(*) FROM activities",
    "notify": "SELECT count(*) FROM outgoing_attempts",
}


async def done(mailroom: Mailroom, service: str) -> int:
    async with mailroom.tables(service) as tables:
        number: int = await tables.fetchval(PROGRESS[service])
    return number


async def until_done(mailroom: Mailroom, service: str, number: int) -> None:
    async with mailroom.tables(service) as tables:

        async def reached() -> bool:
            return bool(await tables.fetchval(PROGRESS[service]) >= number)

        await eventually(reached, deadline=PATIENCE, every=0.005)


async def test_each_service_is_killed_in_the_middle_of_its_work(mailroom: Mailroom) -> None:
    crowd = Crowd(mailroom)
    async with asyncio.TaskGroup() as restarts:
        for service in PROGRESS:
            before = await done(mailroom, service)
            await crowd.write(40)
            await crowd.answer(10)
            await until_done(mailroom, service, before + 10)
            await mailroom.kill(service)
            await crowd.write(10)
            restarts.create_task(mailroom.start(service))
    await mailroom.settled()
    await crowd.answer(10)
    await mailroom.settled()
    assert len(crowd.opened) == 150
    assert len(crowd.answered) >= 10
    await crowd.check()


async def test_all_services_are_killed_at_once(mailroom: Mailroom) -> None:
    """A power cut."""
    crowd = Crowd(mailroom)
    before = await done(mailroom, "activity")
    await crowd.write(40)
    await until_done(mailroom, "activity", before + 5)
    for service in PROGRESS:
        await mailroom.kill(service)
    await mailroom.whole()
    await mailroom.settled()
    await crowd.check()


async def test_a_mail_that_is_delivered_again_changes_nothing(mailroom: Mailroom) -> None:
    """IN-7: same Message-ID, same mailbox; once at once, once when all has been done."""
    crowd = Crowd(mailroom)
    sent = await crowd.write(5)
    await mailroom.send(*sent)
    await mailroom.settled()
    await crowd.check()
    async with mailroom.tables("activity") as tables:
        versions = "SELECT id, version FROM activities ORDER BY id"
        before = await tables.fetch(versions)
        await mailroom.send(*sent)
        await mailroom.settled()
        assert await tables.fetch(versions) == before
    await crowd.check()


async def test_two_processes_share_the_mailboxes_and_one_is_killed(mailroom: Mailroom) -> None:
    """One reads a mailbox at a time; who is killed loses it to the other when its lease has run out."""
    crowd = Crowd(mailroom)
    await mailroom.start("ingest-2")
    before = await done(mailroom, "ingest")
    await crowd.write(20)
    await until_done(mailroom, "ingest", before + 5)
    await mailroom.kill("ingest")
    await crowd.write(20)
    await mailroom.settled()
    await crowd.check()


async def test_a_reader_that_slept_past_its_lease_does_nothing_twice(mailroom: Mailroom) -> None:
    """It wakes in the middle of what it did, and another has done it since."""
    crowd = Crowd(mailroom)
    await mailroom.start("ingest-2")
    before = await done(mailroom, "ingest")
    await crowd.write(20)
    await until_done(mailroom, "ingest", before + 5)
    mailroom.freeze("ingest")
    await crowd.write(20)
    await until_done(mailroom, "ingest", before + 40)
    mailroom.thaw("ingest")
    await mailroom.settled()
    await crowd.check()


async def test_a_consumer_that_slept_until_its_group_went_on_without_it_does_nothing_twice(
    mailroom: Mailroom,
) -> None:
    """A zombie: it still believes that the partitions are its own, and meets the fence."""
    crowd = Crowd(mailroom)
    await mailroom.start("activity-2")
    await until_members(mailroom, 2)
    before = await done(mailroom, "activity")
    await crowd.write(20)
    await until_done(mailroom, "activity", before + 3)
    mailroom.freeze("activity")
    await crowd.write(20)
    await until_members(mailroom, 1)
    mailroom.thaw("activity")
    await mailroom.settled()
    await crowd.check()


async def test_a_sender_that_slept_past_its_claims_repeats_at_most_what_it_wrote_down(
    mailroom: Mailroom,
) -> None:
    """Guarantee 4: the other process may send again what was under way, with the same Message-ID."""
    crowd = Crowd(mailroom)
    await mailroom.start("notify-2")
    before = await done(mailroom, "notify")
    await crowd.write(20)
    await until_done(mailroom, "notify", before + 3)
    mailroom.freeze("notify")
    await crowd.write(20)
    await until_members(mailroom, 1, "notify.requests")
    mailroom.thaw("notify")
    await mailroom.settled()
    await crowd.check()


async def until_members(mailroom: Mailroom, number: int, group: str = "activity.mails") -> None:
    """Wait until a consumer group has so many members, and none is about to come or go."""
    admin = AIOKafkaAdminClient(bootstrap_servers=mailroom.stack.kafka_bootstrap)
    await admin.start()
    try:

        async def stable() -> bool:
            (answer,) = await admin.describe_consumer_groups([mailroom.topic(group)])
            _, _, state, _, _, members, *_ = answer.groups[0]
            return bool(state == "Stable" and len(members) == number)

        await eventually(stable, deadline=PATIENCE, every=0.2)
    finally:
        await admin.close()
