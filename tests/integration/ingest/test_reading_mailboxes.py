"""Mailboxes are read whole, once, by one process, whatever breaks in between (IN-5, IN-7, AMB-9)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from services.ingest import store_mailboxes, store_mails
from services.ingest.imap import ImapError, ImapServer
from services.ingest.reading import ReadLimits
from services.ingest.store_mailboxes import State
from shared.contracts.activity_organisation import Blocked, BlockMode
from shared.tokens import message_id
from shared.topics import INGEST_MAILS
from tests.support.databases import Database
from tests.support.fake_imap import FakeImap
from tests.support.ingest_world import DOMAIN, ORGANISATION, World, mailbox, raw_mail, route, world_on
from tests.support.waiting import eventually

HELP = f"help@{DOMAIN}"
BILLING = f"billing@{DOMAIN}"
DONE = "Mailroom/Done"


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(database, tmp_path, ImapServer(host="fake.example")) as world:
        await world.configure(mailbox("help"), mailbox("billing"))
        yield world


@pytest.fixture
def imap() -> FakeImap:
    return FakeImap()


async def test_a_mail_is_published_with_its_route_and_lies_in_the_done_folder(
    world: World, imap: FakeImap
) -> None:
    """RT-1, design §2 guarantee 1."""
    imap.deliver(HELP, raw_mail(subject="Door stuck", message_id="door"))
    async with world.reading(imap.connect):
        (mail,) = await world.until_read(1)
    assert mail.mailbox == "help"
    assert mail.message_id == "door@customer.example"
    assert mail.content.subject == "Door stuck"
    assert [(t.mailbox, t.routed and t.routed.process) for t in mail.targets] == [("help", "requests")]
    assert not imap.folder(HELP).mails
    assert len(imap.folder(HELP, DONE).mails) == 1


async def test_a_blocked_senders_mail_is_published_and_says_how_it_is_blocked(
    world: World, imap: FakeImap
) -> None:
    """BL-1: what that leads to is activity's to do."""
    await world.configure(mailbox("help"), blocked=[Blocked(address="*@spam.example", mode=BlockMode.REJECT)])
    imap.deliver(HELP, raw_mail(sender="Eve <eve@SPAM.example>"), raw_mail())
    async with world.reading(imap.connect):
        spam, mail = await world.until_read(2)
    assert (spam.blocked, mail.blocked) == (BlockMode.REJECT, None)
    assert spam.targets[0].routed == mail.targets[0].routed


async def test_a_route_to_a_process_that_is_a_draft_is_passed_over(world: World, imap: FakeImap) -> None:
    """GL-5, RT-2."""
    routes = (route("plans", HELP, "plans"), route("later", HELP, "requests"))
    await world.configure(mailbox("help", routes=routes), drafts=["plans"])
    imap.deliver(HELP, raw_mail())
    async with world.reading(imap.connect):
        (mail,) = await world.until_read(1)
    assert [target.routed and target.routed.route for target in mail.targets] == ["later"]


async def test_pages_of_many_mails_come_out_in_order_and_once(world: World, imap: FakeImap) -> None:
    raws = [raw_mail(subject=f"number {number}") for number in range(450)]
    imap.deliver(HELP, *raws)
    async with world.reading(imap.connect):
        mails = await world.until_read(450)
    assert [mail.content.subject for mail in mails] == [f"number {number}" for number in range(450)]
    assert len(imap.folder(HELP, DONE).mails) == 450


async def test_a_restart_takes_nothing_twice(world: World, imap: FakeImap) -> None:
    """zammad #78: no refetch after a crash."""
    imap.deliver(HELP, raw_mail())
    async with world.reading(imap.connect):
        await world.until_read(1)
    imap.calls.clear()
    async with world.reading(imap.connect):
        await world.until_polled()
    assert "fetch" not in imap.calls
    assert len(await world.published()) == 1


async def test_a_crash_between_commit_and_move_publishes_once_and_moves_later(
    world: World, imap: FakeImap
) -> None:
    """Guarantee 2. The connection dies before the move; the next one moves what is taken in already."""
    imap.deliver(HELP, raw_mail())
    imap.fail("move", times=2)
    async with world.reading(imap.connect):
        await world.until_read(1)
        await eventually(lambda: len(imap.folder(HELP, DONE).mails) == 1)
    assert len(await world.published()) == 1


async def test_a_move_whose_answer_was_lost_is_not_repeated(world: World, imap: FakeImap) -> None:
    """osTicket #5645: a half-failed move must not copy for ever."""
    imap.deliver(HELP, raw_mail())
    imap.fail("move", after=True)
    async with world.reading(imap.connect):
        await world.until_read(1)
        await world.until_polled()
    assert len(imap.folder(HELP, DONE).mails) == 1
    assert len(await world.published()) == 1


async def test_without_move_a_copy_is_made_once_even_if_deleting_fails(world: World) -> None:
    """osTicket #5645, on a server without RFC 6851."""
    imap = FakeImap(can_move=False)
    imap.deliver(HELP, raw_mail(), raw_mail())
    imap.fail("delete", times=2)
    async with world.reading(imap.connect):
        await world.until_read(2)
        await eventually(lambda: not imap.folder(HELP).mails)
    assert len(imap.folder(HELP, DONE).mails) == 2
    assert imap.calls.count("copy") == 1


async def test_mails_that_cannot_be_moved_come_in_all_the_same_and_people_are_told(
    world: World, imap: FakeImap
) -> None:
    refused = ImapError("CREATE Mailroom/Done: server says NO", transient=True, usable=True)
    imap.fail("ensure_folder", refused, times=1000)
    imap.deliver(HELP, raw_mail())
    async with world.reading(imap.connect):
        await world.until_read(1)
        imap.deliver(HELP, raw_mail())
        await world.until_read(2)
        error = await world.pool.fetchval("SELECT error FROM mailboxes WHERE mailbox = 'help'")
    assert "server says NO" in error
    assert len(imap.folder(HELP).mails) == 2


async def test_a_mail_to_two_mailboxes_is_one_mail_with_two_targets(world: World, imap: FakeImap) -> None:
    """AMB-9, RT-6: each target is told once, whichever copy comes first."""
    raw = raw_mail(to=HELP, cc=BILLING)
    imap.deliver(HELP, raw)
    imap.deliver(BILLING, raw)
    async with world.reading(imap.connect):
        mails = await world.until_read(1)
        await eventually(lambda: not imap.folder(HELP).mails and not imap.folder(BILLING).mails)
    told = [target.address for mail in mails for target in mail.targets]
    assert sorted(told) == [BILLING, HELP]
    assert len({mail.mail for mail in mails}) == 1
    copies = await world.pool.fetch("SELECT mailbox FROM mail_copies ORDER BY mailbox")
    assert [row["mailbox"] for row in copies] == ["billing", "help"]


async def test_many_mails_to_two_mailboxes_are_told_once_each_though_both_are_read_at_a_time(
    world: World, imap: FakeImap
) -> None:
    """Two readers meet the same new mails in opposite order: they wait for each other and never cross."""
    raws = [raw_mail(to=HELP, cc=BILLING) for _ in range(120)]
    imap.deliver(HELP, *raws)
    imap.deliver(BILLING, *reversed(raws))
    async with world.reading(imap.connect):
        await eventually(lambda: not imap.folder(HELP).mails and not imap.folder(BILLING).mails)
    told = [(mail.mail, target.address) for mail in await world.published() for target in mail.targets]
    assert len(told) == len(set(told)) == 240


async def test_a_later_copy_tells_of_the_targets_that_a_new_route_found(world: World, imap: FakeImap) -> None:
    """AMB-9: an effect happens once per mail and target; a later copy carries only those missing."""
    raw = raw_mail(to=HELP, cc=f"sales@{DOMAIN}")
    imap.deliver(HELP, raw)
    async with world.reading(imap.connect):
        await world.until_read(1)
        await world.configure(mailbox("help"), mailbox("billing"), mailbox("sales"))
        imap.deliver(f"sales@{DOMAIN}", raw)
        first, second = await world.until_read(2)
    assert [target.address for target in first.targets] == [HELP]
    assert [target.address for target in second.targets] == [f"sales@{DOMAIN}"]
    assert first.mail == second.mail
    assert first.conversation == second.conversation
    assert len(set(await world.published_ids())) == 2


async def test_a_mail_whose_targets_are_given_back_one_by_one_is_published_for_all_of_them(
    world: World, imap: FakeImap
) -> None:
    """UH-1."""
    raw = raw_mail(to=HELP, cc=BILLING)
    imap.deliver(HELP, raw)
    async with world.reading(imap.connect):
        (first,) = await world.until_read(1)
        for address in (HELP, BILLING):
            async with world.work.begin() as batch:
                given_back = (ORGANISATION, first.mail, "no place")
                address_ = (ORGANISATION, first.mail, address)
                await store_mails.set_aside(batch.connection, [given_back], [address_])
        imap.deliver(BILLING, raw)
        _, again = await world.until_read(2)
    assert sorted(target.address for target in again.targets) == [BILLING, HELP]


async def test_the_same_message_id_with_other_content_in_one_mailbox_is_another_mail(
    world: World, imap: FakeImap
) -> None:
    """Design §7; and the same content again is not (IN-7)."""
    imap.deliver(HELP, raw_mail(message_id="x", text="one"), raw_mail(message_id="x", text="two"))
    imap.deliver(HELP, raw_mail(message_id="x", text="two"))
    async with world.reading(imap.connect):
        await world.until_read(2)
        imap.deliver(HELP, raw_mail(message_id="x", text="one"), raw_mail(message_id="x", text="two"))
        await eventually(lambda: len(imap.folder(HELP, DONE).mails) == 5)
        await world.until_polled()
    assert sorted(mail.content.text.strip() for mail in await world.published()) == ["one", "two"]


async def test_mails_without_message_id_are_told_apart_by_their_content(world: World, imap: FakeImap) -> None:
    """AMB-9: the digest of From, Date, Subject, body and attachments."""
    same = raw_mail(message_id=None, text="same")
    imap.deliver(HELP, same, raw_mail(message_id=None, text="other"), same)
    async with world.reading(imap.connect):
        await world.until_read(2)
        await eventually(lambda: not imap.folder(HELP).mails)
    assert len(await world.published()) == 2


async def test_a_new_uidvalidity_fetches_everything_again_and_tells_nothing_twice(
    world: World, imap: FakeImap
) -> None:
    """RFC 3501 2.3.1.1: UIDs of another UIDVALIDITY say nothing; the mail's key does."""
    imap.fail("ensure_folder", ImapError("no", transient=True, usable=True), times=1000)
    imap.deliver(HELP, *(raw_mail() for _ in range(5)))
    async with world.reading(imap.connect):
        await world.until_read(5)
    imap.folder(HELP).renumber()
    imap.deliver(HELP, raw_mail(subject="new"))
    async with world.reading(imap.connect):
        mails = await world.until_read(6)
    assert len(mails) == 6
    assert mails[-1].content.subject == "new"
    kept = await world.pool.fetch("SELECT DISTINCT uidvalidity FROM taken_uids")
    assert [row["uidvalidity"] for row in kept] == [2]


async def test_a_uidvalidity_that_changes_under_an_open_connection_is_noticed(
    world: World, imap: FakeImap
) -> None:
    imap.fail("ensure_folder", ImapError("no", transient=True, usable=True), times=1000)
    imap.deliver(HELP, raw_mail())
    async with world.reading(imap.connect, sweep_seconds=0.1):
        await world.until_read(1)
        imap.folder(HELP).renumber()
        imap.deliver(HELP, raw_mail())
        await world.until_read(2)
    assert len(await world.published()) == 2


async def test_own_mail_that_comes_back_is_dropped_and_put_away(world: World, imap: FakeImap) -> None:
    """IN-5, IT-7: recognised by its signed Message-ID alone."""
    ours = message_id(world.keyring, ORGANISATION, DOMAIN, uuid4(), "0123456789abcdef", None)
    raw = raw_mail(message_id="gone").replace(b"<gone@customer.example>", ours.encode())
    imap.deliver(HELP, raw, raw_mail())
    async with world.reading(imap.connect):
        await world.until_read(1)
        await eventually(lambda: not imap.folder(HELP).mails)
    assert await world.states() == {"own": 1, "received": 1}


async def test_a_mail_that_is_too_large_is_shown_and_the_next_one_goes_on(world: World) -> None:
    imap = FakeImap(lies_about_size=True)
    imap.deliver(HELP, raw_mail(subject="huge", text="x" * 70 + "\n" + "y\n" * 200_000), raw_mail())
    limits = ReadLimits(mail_bytes=200_000, first_bytes=50_000, part_bytes=50_000)
    async with world.reading(imap.connect, limits):
        await world.until_read(1)
    row = await world.row("SELECT reason, headers FROM mails WHERE state = 'unhandled'")
    assert row["reason"] == "too large"
    assert row["headers"]["subject"] == "huge"
    assert await world.pool.fetchval("SELECT truncated FROM raw_mails ORDER BY truncated DESC LIMIT 1")


async def test_large_mails_come_whole_though_the_server_lies_about_their_size(world: World) -> None:
    """GreenMail answers sizes that are none; large raw mails lie in the blob store (design §3)."""
    imap = FakeImap(lies_about_size=True)
    texts = [f"{number} " + "line\n" * 80_000 for number in range(5)]
    imap.deliver(HELP, *(raw_mail(text=text) for text in texts))
    limits = ReadLimits(page_bytes=500_000, first_bytes=100_000, part_bytes=150_000)
    async with world.reading(imap.connect, limits):
        mails = await world.until_read(5)
    for mail, text in zip(mails, texts, strict=True):
        assert mail.content.full_text is not None
        assert (await world.blobs.get(mail.content.full_text.object)).decode().split() == text.split()
    assert await world.pool.fetchval("SELECT count(*) FROM raw_mails WHERE object IS NOT NULL") == 5


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
            batch.connection, ORGANISATION, "help", "silent", batch.now, _seconds(0.2)
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


async def test_every_partition_is_told_how_far_a_mailbox_is_read_after_its_mails(
    world: World, imap: FakeImap
) -> None:
    """Design §5: a timer that closes something waits for this."""
    imap.deliver(HELP, raw_mail())
    before = world.work.clock.now()
    async with world.reading(imap.connect):
        await world.until_read(1)
    told = [(partition, polled) for partition, polled in await world.polled() if polled.mailbox == "help"]
    first = told[: INGEST_MAILS.partitions]
    assert [partition for partition, _ in first] == list(range(INGEST_MAILS.partitions))
    assert all(polled.partition == partition and polled.until >= before for partition, polled in told)
    order = [(record.type, record.mailbox) for record in await world.said()]
    assert order.index(("mail.received", "help")) < order.index(("mailbox.polled", "help"))


async def test_a_mail_that_cannot_be_stored_is_parked_alone(
    world: World, imap: FakeImap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee 5: bad input costs only itself. A record past the limit stands for any mistake of ours."""
    monkeypatch.setattr("shared.outbox.MAX_RECORD_BYTES", 20_000)
    bad = raw_mail(text="x\n" * 15_000, subject="bad")
    imap.deliver(HELP, raw_mail(), bad, raw_mail())
    async with world.reading(imap.connect):
        await world.until_read(2)
        await eventually(lambda: not imap.folder(HELP).mails)
    row = await world.row("SELECT reason, detail FROM mails WHERE state = 'unhandled'")
    assert row["reason"] == "failed"
    assert "20000" in row["detail"]


async def test_a_page_that_postgres_refuses_is_taken_in_halves_until_the_culprit_stands_alone(
    world: World, imap: FakeImap
) -> None:
    """Design §3: an error of the save costs the mail that causes it."""
    await world.pool.execute(
        "ALTER TABLE mails ADD CHECK (NOT (headers->>'subject' = 'culprit')), "
        "ALTER COLUMN headers SET DEFAULT '{}'"
    )
    subjects = [f"number {number}" for number in range(9)]
    imap.deliver(HELP, *(raw_mail(subject=each) for each in [*subjects[:5], "culprit", *subjects[5:]]))
    async with world.reading(imap.connect):
        mails = await world.until_read(9)
        await eventually(lambda: not imap.folder(HELP).mails)
    assert [mail.content.subject for mail in mails] == subjects
    assert await world.states() == {"received": 9, "unhandled": 1}


async def test_an_alias_without_a_route_is_unhandled(world: World, imap: FakeImap) -> None:
    """RT-4, UH-1."""
    imap.deliver(HELP, raw_mail(to=f"help-alias@{DOMAIN}"), raw_mail(to="else@customer.example"))
    async with world.reading(imap.connect):
        await eventually(lambda: not imap.folder(HELP).mails)
    rows = await world.pool.fetch("SELECT reason FROM mails ORDER BY reason")
    assert [row["reason"] for row in rows] == ["no route", "not addressed"]


async def test_an_answer_joins_the_conversation_of_the_mail_it_answers(world: World, imap: FakeImap) -> None:
    """Within a page, and over pages: how pages are cut changes nothing."""
    first = raw_mail(message_id="first")
    second = raw_mail(message_id="second", In_Reply_To="<first@customer.example>")
    third = raw_mail(message_id="third", In_Reply_To="<second@customer.example>")
    imap.deliver(HELP, first, second)
    async with world.reading(imap.connect):
        await world.until_read(2)
        imap.deliver(HELP, third)
        mails = await world.until_read(3)
    assert len({mail.conversation for mail in mails}) == 1


async def test_ids_follow_from_the_mail(world: World, imap: FakeImap) -> None:
    """Design §2: a replay after a restored backup makes the same records."""
    raw = raw_mail()
    imap.deliver(HELP, raw)
    async with world.reading(imap.connect):
        (first,) = await world.until_read(1)
        (event,) = await world.published_ids()
        await world.pool.execute("TRUNCATE mails, raw_mails, mail_copies, mail_targets, taken_uids, outbox")
        imap.deliver(HELP, raw)
        (again,) = await world.until_read(1)
    assert (first.mail, [event]) == (again.mail, await world.published_ids())


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
