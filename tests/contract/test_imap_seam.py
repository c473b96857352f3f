"""What ingest relies on at its IMAP seam, asked of the fake and of two real servers alike."""

import asyncio
import os
import smtplib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest

from services.ingest.imap import PAGE_UIDS, Connect, ImapError, ImapServer, ImapSession
from services.ingest.imap_aioimaplib import CLOSE_SECONDS
from services.ingest.imap_aioimaplib import connect as connect_real
from services.ingest.reading import ReadLimits, read_page
from tests.support.dovecot import Dovecot, DovecotMissing, running_dovecot
from tests.support.fake_imap import FakeImap
from tests.support.hostile import KINDS

LIMIT = 256 * 1024


@dataclass
class Account:
    """A fresh account at one server, with a way to deliver mail to it."""

    server: ImapServer
    user: str
    connect: Connect
    deliver: Callable[..., object]

    async def open(self) -> ImapSession:
        session = await self.connect(self.server, self.user, 'a "strange" \\ password')
        await session.select("INBOX")
        return session


def _mail(number: int, body: str = "hello\r\n") -> bytes:
    return (
        f"From: a@customer.example\r\nTo: b@mailroom.example\r\nSubject: (number {number}\r\n"
        f"Message-ID: <{uuid4()}@customer.example>\r\n\r\n{body}"
    ).encode()


@pytest.fixture(scope="session")
async def dovecot() -> AsyncIterator[Dovecot]:
    """A Dovecot that lets everybody in. Where all servers are to be there (`.ci/run`), it has to be, too."""
    try:
        async with running_dovecot(password=None) as running:
            yield running
    except DovecotMissing as missing:
        if "MAILROOM_ALL_SERVERS" in os.environ:
            raise
        pytest.skip(str(missing))


@pytest.fixture(params=["fake", "greenmail", "dovecot"])
def account(request: pytest.FixtureRequest) -> Account:
    user = f"{uuid4().hex}@mailroom.example"
    if request.param == "fake":
        fake = FakeImap()
        server = ImapServer(host="fake.example")
        return Account(server, user, fake.connect, lambda *raws: fake.deliver(user, *raws))
    if request.param == "dovecot":
        dovecot = request.getfixturevalue("dovecot")
        server = ImapServer(host=dovecot.address.host, port=dovecot.address.port, tls=False)
        return Account(server, user, connect_real, lambda *raws: dovecot.deliver(user, *raws))
    stack = request.getfixturevalue("stack")

    def deliver(*raws: bytes) -> None:
        with smtplib.SMTP(stack.smtp.host, stack.smtp.port) as smtp:
            for raw in raws:
                smtp.sendmail("a@customer.example", [user], raw)

    server = ImapServer(host=stack.imap.host, port=stack.imap.port, tls=False)
    return Account(server, user, connect_real, deliver)


@pytest.fixture
async def session(account: Account) -> AsyncIterator[ImapSession]:
    session = await account.open()
    yield session
    await session.close()


async def test_an_empty_folder_has_no_uids(session: ImapSession) -> None:
    assert await session.uids() == []


async def test_uids_ascend_and_new_mail_is_seen_without_selecting_again(
    account: Account, session: ImapSession
) -> None:
    account.deliver(_mail(1), _mail(2))
    first = await session.uids()
    account.deliver(_mail(3))
    then = await session.uids()
    assert len(first) == 2
    assert len(then) == 3
    assert then[:2] == first
    assert then == sorted(then)


async def test_a_page_of_mails_comes_whole(account: Account, session: ImapSession) -> None:
    """aioimaplib: answers of more than about 1 000 lines are its end."""
    account.deliver(*(_mail(number, "a (line\r\n" * 20) for number in range(PAGE_UIDS)))
    uids = await session.uids()
    listed = await session.sizes(uids)
    bodies = await session.fetch(uids, LIMIT)
    assert [one.uid for one in listed] == uids
    assert all(one.arrived is not None and one.arrived.tzinfo is not None for one in listed)
    assert sorted(bodies) == uids
    assert all(b"a (line\r\n" * 19 in body for body in bodies.values())
    assert b"Subject: (number 0\r\n" in bodies[uids[0]]


async def test_a_body_is_cut_at_the_limit_and_its_parts_make_it_whole(
    account: Account, session: ImapSession
) -> None:
    account.deliver(_mail(1, "0123456789abcdef\r\n" * 3_000))
    (uid,) = await session.uids()
    whole = (await session.fetch([uid], LIMIT))[uid]
    start = (await session.fetch([uid], 1_000))[uid]
    assert len(start) == 1_000
    parts = [start]
    while part := await session.fetch_part(uid, sum(map(len, parts)), 10_000):
        assert len(part) <= 10_000
        parts.append(part)
    assert b"".join(parts) == whole
    assert await session.fetch_part(uid, 0, 10) == whole[:10]


async def test_uids_that_are_gone_are_passed_over(account: Account, session: ImapSession) -> None:
    account.deliver(_mail(1))
    (uid,) = await session.uids()
    gone = uid + 1_000
    assert sorted(await session.fetch([uid, gone], LIMIT)) == [uid]
    assert [one.uid for one in await session.sizes([uid, gone])] == [uid]
    assert await session.fetch_part(gone, 0, 10) == b""


async def test_moved_mails_are_in_the_other_folder_only(account: Account, session: ImapSession) -> None:
    account.deliver(_mail(1), _mail(2), _mail(3))
    uids = await session.uids()
    await session.ensure_folder("Mailroom/Done")
    await session.ensure_folder("Mailroom/Done")
    assert session.can_move
    await session.move(uids[:2], "Mailroom/Done")
    assert await session.uids() == uids[2:]
    await session.select("Mailroom/Done")
    assert len(await session.uids()) == 2


async def test_copied_mails_are_in_both_folders_until_deleted(account: Account, session: ImapSession) -> None:
    account.deliver(_mail(1), _mail(2))
    uids = await session.uids()
    await session.ensure_folder("Mailroom/Fertig für heute & mehr")
    await session.copy(uids[:1], "Mailroom/Fertig für heute & mehr")
    assert await session.uids() == uids
    await session.delete(uids[:1])
    assert await session.uids() == uids[1:]
    await session.select("Mailroom/Fertig für heute & mehr")
    assert len(await session.uids()) == 1


async def test_a_missing_folder_is_an_error_after_which_the_session_lives_on(
    account: Account, session: ImapSession
) -> None:
    account.deliver(_mail(1))
    uids = await session.uids()
    with pytest.raises(ImapError) as error:
        await session.move(uids, "Nowhere")
    assert error.value.usable
    assert await session.uids() == uids


async def test_a_second_session_selects_the_same_uidvalidity(account: Account, session: ImapSession) -> None:
    other = await account.open()
    assert await other.select("INBOX") == await session.select("INBOX")
    await other.close()


async def test_waiting_ends_when_mail_arrives(account: Account, session: ImapSession) -> None:
    waiting = asyncio.create_task(session.wait(60))
    while not waiting.done():
        await asyncio.to_thread(account.deliver, _mail(1))
        await asyncio.wait({waiting}, timeout=0.5)
    await waiting
    assert await session.uids()


async def test_waiting_ends_by_itself_and_can_be_repeated(session: ImapSession) -> None:
    await session.wait(0.05)
    await session.wait(0.05)
    assert await session.uids() == []


async def test_who_is_cancelled_while_waiting_can_say_goodbye(account: Account) -> None:
    session = await account.open()
    waiting = asyncio.create_task(session.wait(60))
    await asyncio.wait({waiting}, timeout=0.2)
    waiting.cancel()
    await asyncio.wait({waiting})
    async with asyncio.timeout(CLOSE_SECONDS - 1):  # it does not need to be torn down
        await session.close()


async def test_a_closed_session_raises_and_may_be_closed_again(account: Account) -> None:
    session = await account.open()
    await session.close()
    await session.close()
    with pytest.raises(ImapError) as error:
        await session.uids()
    assert error.value.transient


async def test_hostile_mails_come_as_they_lie_on_the_server(dovecot: Dovecot) -> None:
    """Lines of a megabyte, literals full of brackets, 8 bits, no line ends: an answer is still an answer."""
    user = f"{uuid4().hex}@mailroom.example"
    sent = [kind.raw() for kind in KINDS]
    dovecot.deliver(user, *sent)
    server = ImapServer(host=dovecot.address.host, port=dovecot.address.port, tls=False)
    session = await connect_real(server, user, "")
    await session.select("INBOX")
    uids = await session.uids()
    read: list[bytes] = []
    while uids:
        page = await read_page(session, uids, ReadLimits())
        read += [mail.raw for mail in page.mails]
        uids = uids[len(page.done) :]
    await session.close()
    different = [
        kind.name for kind, raw, got in zip(KINDS, sent, read, strict=True) if _served(raw) != _served(got)
    ]
    assert different == []


def _served(raw: bytes) -> bytes:
    """What may differ: the server sends CRLF for every line end, and for NUL what IMAP can carry."""
    return raw.replace(b"\r\n", b"\n").replace(b"\0", b"\x80")
