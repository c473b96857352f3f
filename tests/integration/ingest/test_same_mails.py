"""What is one mail, and what is another: copies, targets, ids and UIDs (IN-7, AMB-9)."""

from services.ingest import store_mails
from services.ingest.imap import ImapError
from tests.support.fake_imap import FakeImap
from tests.support.ingest_world import BILLING, DOMAIN, HELP, ORGANISATION, World, mailbox, raw_mail
from tests.support.waiting import eventually

DONE = "Mailroom/Done"


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
