"""Who reads a mailbox: one process at a time, by the configuration, whatever fails (design §4)."""

from datetime import timedelta

import pytest

from services.ingest import store_mailboxes
from services.ingest.store_mailboxes import State
from tests.support.fake_imap import FakeImap
from tests.support.ingest_world import BILLING, DOMAIN, HELP, ORGANISATION, World, mailbox, raw_mail
from tests.support.waiting import eventually

DONE = "Mailroom/Done"


async def test_two_processes_share_a_mailbox_without_sharing_a_mail(world: World, imap: FakeImap) -> None:
    """Design §8: one active reader per mailbox, by lease; the other takes over when it stops."""
    async with world.reading(imap.connect):
        await world.until_polled()
        async with world.reading(imap.connect):
            imap.deliver(HELP, *(raw_mail() for _ in range(30)))
            await world.until_read(30)
            holders = await world.pool.fetch("SELECT DISTINCT holder FROM mailboxes")
            assert len(holders) == 1
    assert len(await world.published()) == 30


async def test_a_process_takes_over_from_one_that_went_silent(world: World, imap: FakeImap) -> None:
    """The silent one's lease expires, and its generation writes nothing any more."""
    async with world.work.begin() as batch:
        lease = await store_mailboxes.acquire(
            batch.connection, ORGANISATION, "help", "silent", batch.now, timedelta(seconds=0.2)
        )
    assert lease is not None
    imap.deliver(HELP, raw_mail())
    async with world.reading(imap.connect):
        await world.until_read(1)
        with pytest.raises(store_mailboxes.LeaseLost):
            async with world.work.begin() as batch:
                await store_mailboxes.fence(batch.connection, lease)


async def test_a_lost_lease_stops_the_reader_before_it_commits(world: World, imap: FakeImap) -> None:
    async with world.reading(imap.connect, lease_seconds=600) as mailboxes:
        await world.until_polled()
        await world.pool.execute(
            "UPDATE mailboxes SET generation = generation + 1, holder = 'other', "
            "expires_at = now() + interval '1 hour'"
        )
        imap.deliver(HELP, raw_mail())
        await eventually(lambda: set(mailboxes.states().values()) == {State.WAITING})
    assert await world.published() == []
    assert len(imap.folder(HELP).mails) == 1


async def test_a_mailbox_that_cannot_be_read_is_shown_and_leaves_the_others_alone(
    world: World, imap: FakeImap
) -> None:
    imap.passwords[BILLING] = "another"
    imap.deliver(HELP, raw_mail())
    async with world.reading(imap.connect) as mailboxes:
        (mail,) = await eventually(world.published)
        failing = await eventually(lambda: world.row("SELECT * FROM mailboxes WHERE state = 'failing'"))
        assert mailboxes.not_ready() is None
    assert mail.mailbox == "help"
    assert (failing["mailbox"], failing["error"]) == ("billing", "login refused")


async def test_what_fails_behind_the_login_is_tried_less_and_less_often(world: World, imap: FakeImap) -> None:
    """Logging in again and again locks accounts."""
    imap.deliver(HELP, raw_mail())
    imap.fail("sizes", times=2)
    async with world.reading(imap.connect) as mailboxes:
        await eventually(mailboxes.states)
        reading = mailboxes._readings[ORGANISATION, "help"]
        await eventually(lambda: reading.reader.failures == 2)
        await world.until_read(1)
        assert reading.reader.failures == 0


async def test_readers_follow_the_configuration(world: World, imap: FakeImap) -> None:
    """A mailbox that is added is read, one that is changed is read elsewhere, one removed no longer."""
    async with world.reading(imap.connect):
        await world.until_polled()
        moved = mailbox("billing")
        moved = moved.model_copy(update={"imap": moved.imap.model_copy(update={"user": "elsewhere"})})
        await world.configure(mailbox("sales"), moved)
        imap.deliver(f"sales@{DOMAIN}", raw_mail(to=f"sales@{DOMAIN}"))
        imap.deliver("elsewhere", raw_mail(to=BILLING))
        mails = await world.until_read(2)
        held = await world.pool.fetch("SELECT mailbox FROM mailboxes WHERE holder IS NOT NULL")
    assert {mail.mailbox for mail in mails} == {"sales", "billing"}
    assert {row["mailbox"] for row in held} == {"sales", "billing"}


async def test_done_folders_are_swept_after_the_days_the_mailbox_keeps(world: World, imap: FakeImap) -> None:
    """Guarantee 1: it stays on the server for a configured number of days, counted from when it was moved."""
    imap.deliver(HELP, raw_mail())
    async with world.reading(imap.connect, sweep_seconds=0.05):
        await world.until_read(1)
        await eventually(lambda: world.pool.fetchval("SELECT count(*) = 1 FROM kept_uids"))
        assert len(imap.folder(HELP, DONE).mails) == 1
        await world.pool.execute("UPDATE kept_uids SET since = since - interval '31 days'")
        await eventually(lambda: not imap.folder(HELP, DONE).mails)
        await eventually(lambda: world.pool.fetchval("SELECT count(*) = 0 FROM kept_uids"))


async def test_rows_of_uids_that_are_gone_are_forgotten(world: World, imap: FakeImap) -> None:
    imap.deliver(HELP, *(raw_mail() for _ in range(3)))
    async with world.reading(imap.connect):
        await world.until_read(3)
        await eventually(lambda: world.pool.fetchval("SELECT count(*) = 0 FROM taken_uids"))
