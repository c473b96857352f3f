"""The tests' second IMAP server does what they rely on."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import psutil
import pytest

from deploy.local.processes import is_alive
from services.ingest.imap import ImapError, ImapServer, ImapSession
from services.ingest.imap_aioimaplib import connect
from tests.support.dovecot import PASSWORD, Dovecot, DovecotMissing, running_dovecot
from tests.support.waiting import eventually

MAIL = b"From: a@customer.example\r\nMessage-ID: <%d@customer.example>\r\n\r\nnumber %d\r\n"
LIMIT = 64 * 1024


@pytest.fixture
async def dovecot() -> AsyncIterator[Dovecot]:
    async with running_dovecot() as running:
        yield running


@pytest.fixture
def user() -> str:
    return f"{uuid4().hex}@mailroom.example"


def mails(number: int) -> list[bytes]:
    return [MAIL % (each, each) for each in range(number)]


async def opened(dovecot: Dovecot, user: str, password: str = PASSWORD) -> ImapSession:
    server = ImapServer(host=dovecot.address.host, port=dovecot.address.port, tls=False)
    session = await connect(server, user, password)
    await session.select("INBOX")
    return session


async def test_mails_lie_in_the_order_of_their_delivery_and_come_out_byte_by_byte(
    dovecot: Dovecot, user: str
) -> None:
    sent = mails(1_001)
    dovecot.deliver(user, *sent[:1_000])
    session = await opened(dovecot, user)
    dovecot.deliver(user, *sent[1_000:])
    uids = await session.uids()
    assert len(uids) == 1_001
    page = uids[-200:]
    fetched = await session.fetch(page, LIMIT)
    assert [fetched[uid] for uid in page] == sent[-200:]
    listed = await session.sizes(page)
    assert [each.size for each in listed] == [len(mail) for mail in sent[-200:]]
    assert dovecot.mails(user) == sent
    await session.close()


async def test_what_is_moved_is_seen_on_disk(dovecot: Dovecot, user: str) -> None:
    dovecot.deliver(user, *mails(3))
    dovecot.deliver(user, *mails(2), folder="Old/Réglé")
    session = await opened(dovecot, user)
    assert session.can_move
    await session.ensure_folder("Done/2026")
    await session.move((await session.uids())[:1], "Done/2026")
    await session.close()
    assert dovecot.folders(user) == {"INBOX": 2, "Done/2026": 1, "Old/R&AOk-gl&AOk-": 2}
    assert dovecot.mails(user, "Done/2026") == mails(1)
    assert dovecot.mails(user, "Old/Réglé") == mails(2)
    assert dovecot.mails(user, "Nowhere") == []
    assert dovecot.folders("nobody@mailroom.example") == {}
    assert [dovecot.number(user), dovecot.number(user, "Done/2026")] == [2, 1]
    assert dovecot.number("nobody@mailroom.example") == 0


async def test_it_comes_back_with_its_mails_on_the_same_port_and_leaves_nothing_running(user: str) -> None:
    async with running_dovecot() as dovecot:
        dovecot.deliver(user, *mails(1))
        session = await opened(dovecot, user)
        first = psutil.Process(dovecot.pid)
        processes = [first, *first.children(recursive=True)]
        assert any("imap" in process.name() for process in processes)
        await dovecot.kill()
        await eventually(lambda: not any(map(is_alive, processes)))
        with pytest.raises(ImapError):
            await session.uids()
        await dovecot.start()
        again = await opened(dovecot, user)
        assert len(await again.uids()) == 1
    await asyncio.gather(session.close(), again.close())
    assert not dovecot.folder.exists()


async def test_a_wrong_password_is_refused_unless_any_will_do(dovecot: Dovecot, user: str) -> None:
    with pytest.raises(ImapError):
        await opened(dovecot, user, "wrong")
    async with running_dovecot(password=None) as trusting:
        await (await opened(trusting, user, 'a "strange" \\ password')).close()


async def test_who_has_no_dovecot_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(DovecotMissing, match="dovecot-imapd"):
        async with running_dovecot():
            pass
    assert not [each for each in psutil.Process(os.getpid()).children() if each.name() == "dovecot"]


def test_the_order_of_delivery_is_not_that_of_letters(
    dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M50000 was delivered before M400000."""
    second = 1_795_000_000 * 1_000_000_000
    for number, microseconds in enumerate((50_000, 400_000)):
        monkeypatch.setattr(time, "time_ns", lambda now=second + microseconds * 1000: now)
        dovecot.deliver(user, MAIL % (number, number))
    assert dovecot.mails(user) == mails(2)
