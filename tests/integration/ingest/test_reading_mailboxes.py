"""Mailboxes are read whole and once, whatever breaks in between (IN-5, IN-7, RT-*)."""

from uuid import uuid4

import pytest

from services.ingest.imap import ImapError
from services.ingest.reading import ReadLimits
from shared.contracts.activity_organisation import Blocked, BlockMode
from shared.tokens import message_id
from shared.topics import INGEST_MAILS
from tests.support.fake_imap import FakeImap
from tests.support.ingest_world import DOMAIN, HELP, ORGANISATION, World, mailbox, raw_mail, route
from tests.support.waiting import eventually

DONE = "Mailroom/Done"


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
