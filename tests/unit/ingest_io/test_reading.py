"""Pages are bounded in number and bytes, whatever the server says of sizes."""

import pytest

from services.ingest.imap import PAGE_UIDS, ImapError, ImapServer
from services.ingest.reading import FetchedMail, ReadLimits, read_page
from tests.support.fake_imap import FakeImap, FakeSession

LIMITS = ReadLimits(mail_bytes=1_000, page_bytes=2_500, first_bytes=100, part_bytes=130)
USER = "help@acme.test"


async def _session(imap: FakeImap, *raws: bytes) -> FakeSession:
    imap.deliver(USER, *raws)
    session = await imap.connect(ImapServer(host="fake.example"), USER, "")
    await session.select("INBOX")
    return session


async def _all(imap: FakeImap, *raws: bytes, limits: ReadLimits = LIMITS) -> list[tuple[FetchedMail, ...]]:
    session = await _session(imap, *raws)
    uids = await session.uids()
    pages = []
    while uids:
        page = await read_page(session, uids, limits)
        assert page.done
        pages.append(page.mails)
        uids = uids[len(page.done) :]
    return pages


@pytest.mark.parametrize("lies", [False, True])
async def test_mails_of_any_size_come_whole_and_in_order(lies: bool) -> None:
    """Sizes around every border: of the first bytes, of a part, of both."""
    sizes = [0, 1, 99, 100, 101, 229, 230, 231, 360, 999, 1_000]
    raws = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    pages = await _all(FakeImap(lies_about_size=lies), *raws)
    mails = [mail for page in pages for mail in page]
    assert [mail.raw for mail in mails] == raws
    assert [mail.size for mail in mails] == sizes
    assert not any(mail.truncated for mail in mails)


@pytest.mark.parametrize("lies", [False, True])
async def test_a_page_holds_about_what_it_may(lies: bool) -> None:
    pages = await _all(FakeImap(lies_about_size=lies), *[b"x" * 900] * 20)
    assert sum(map(len, pages)) == 20
    assert all(sum(len(mail.raw) for mail in page) <= 2_500 + 1_000 for page in pages)


async def test_a_page_has_no_more_mails_than_a_command_may_name() -> None:
    pages = await _all(FakeImap(), *[b"x"] * (PAGE_UIDS + 1))
    assert [len(page) for page in pages] == [PAGE_UIDS, 1]


@pytest.mark.parametrize("lies", [False, True])
async def test_of_a_mail_past_the_limit_only_the_head_is_kept(lies: bool) -> None:
    raw = b"Subject: x\r\n\r\n" + b"y" * 5_000
    ((mail,),) = await _all(FakeImap(lies_about_size=lies), raw)
    assert mail.truncated
    assert mail.raw == b"Subject: x\r\n\r\n"
    assert mail.size >= (1_000 if not lies else 1)


async def test_mails_that_vanish_are_dealt_with() -> None:
    imap = FakeImap()
    session = await _session(imap, b"a", b"b", b"c")
    uids = await session.uids()
    del imap.folder(USER).mails[uids[1]]
    page = await read_page(session, uids, LIMITS)
    assert page.done == tuple(uids)
    assert [mail.raw for mail in page.mails] == [b"a", b"c"]


@pytest.mark.parametrize("lies", [False, True])
@pytest.mark.parametrize("size", [230, 500, 999])
async def test_a_mail_that_vanishes_between_its_parts_is_no_mail(
    size: int, lies: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came of it would be taken for the whole."""
    imap = FakeImap(lies_about_size=lies)
    session = await _session(imap, b"a", b"b" * size, b"c")
    uids = await session.uids()
    fetch_part = session.fetch_part

    async def fetch_part_and_remove(uid: int, offset: int, length: int) -> bytes:
        part = await fetch_part(uid, offset, length)
        imap.folder(USER).mails.pop(uid, None)
        return part

    monkeypatch.setattr(session, "fetch_part", fetch_part_and_remove)
    page = await read_page(session, uids, LIMITS)
    assert page.done == tuple(uids)
    assert [mail.raw for mail in page.mails] == [b"a", b"c"]


async def test_a_failure_in_the_middle_is_one_kind_of_error() -> None:
    imap = FakeImap()
    session = await _session(imap, b"a" * 500)
    imap.fail("fetch_part")
    with pytest.raises(ImapError):
        await read_page(session, await session.uids(), LIMITS)
