"""What notify removes when activity needs it no more, and never before it is sent (design §4)."""

import os
from datetime import timedelta
from typing import Any

from services.notify import retention
from shared.blobs import BlobMissing
from shared.contracts.envelope import Envelope
from shared.contracts.mail import TEXT_LIMIT
from shared.contracts.notify_requests import MailForget
from shared.decoding import Incoming
from shared.identity import derive
from shared.retention import remove
from tests.support.dispatch import Dispatch, request, written
from tests.support.letters import NOON
from tests.support.waiting import eventually

LONG = "x" * (TEXT_LIMIT + 1) + "\n"


async def removed(office: Dispatch) -> dict[str, int]:
    """What the rules removed, by rule."""
    rules = retention.rules(office.settings)
    return {each.rule.name: each.number or 0 async for each in remove(office.work, rules)}


async def forget(office: Dispatch, number: int = 1) -> None:
    mail = derive(NOON, "tests", "request", number)
    envelope = Envelope(
        id=f"forget {mail}", source="/mailroom/activity", type="mail.forget", time=NOON, organisation="acme"
    )
    assert await office.ask(Incoming(envelope, MailForget(mail=mail))) == []  # type: ignore[arg-type]


async def sent(office: Dispatch, *requests: Any) -> None:
    async with office.sending():
        await office.ask(*requests)

        async def all_sent() -> bool:
            return set(await office.states()) == {"sent"}

        await eventually(all_sent)


async def kept(office: Dispatch, object: str) -> bool:
    try:
        await office.blobs.get(object)
    except BlobMissing:
        return False
    return True


def age(office: Dispatch) -> None:
    """Let time pass, for rows and blobs."""
    office.clock.advance(timedelta(days=2))
    for file in (office.settings.secrets_dir / "blobs").rglob("*"):
        if file.is_file():
            os.utime(file, (1, 1))


async def test_a_sent_mail_that_is_needed_no_more_loses_its_bytes_and_is_not_sent_again(
    office: Dispatch,
) -> None:
    await sent(office, written(1, text=LONG))
    (composed,) = await office.said("mail.composed")
    age(office)
    assert (await removed(office))["mails"] == 0
    await forget(office)
    office.clock.advance(timedelta(seconds=1))
    done = await removed(office)
    assert (done["mails"], done["blobs"]) == (1, 1)
    assert not await kept(office, composed.content.full_text.object)
    row = await office.row()
    assert (row["mime"], row["subject"], row["recipients"], row["state"]) == (None, "", [], "sent")
    assert await removed(office) == dict.fromkeys(done, 0)
    await office.ask(written(1, text=LONG))
    assert await office.states() == ["sent"]


async def test_a_mail_that_is_not_sent_yet_is_kept_whatever_is_asked(office: Dispatch) -> None:
    await office.ask(written(1, text=LONG))
    await forget(office)
    age(office)
    assert (await removed(office))["mails"] == 0
    assert (await office.row())["mime"] is not None
    async with office.sending():

        async def is_sent() -> bool:
            return await office.states() == ["sent"]

        await eventually(is_sent)
    assert len(office.scripts["main"].delivered) == 1
    assert (await removed(office))["mails"] == 1


async def test_whole_texts_are_kept_while_a_mail_has_them(office: Dispatch) -> None:
    await office.ask(written(1, text=LONG), written(2, text=LONG))
    composed = await office.said("mail.composed")
    assert len({each.content.full_text.object for each in composed}) == 1
    await sent(office)
    await forget(office, 1)
    age(office)
    assert (await removed(office))["mails"] == 1
    assert await kept(office, composed[0].content.full_text.object)


async def test_who_was_sent_an_automatic_mail_is_forgotten_when_it_counts_no_more(office: Dispatch) -> None:
    """AMB-37 counts the last hour."""
    await office.ask(request(1))
    office.clock.advance(timedelta(minutes=61))
    assert (await removed(office))["automatic"] == 0
    office.clock.advance(timedelta(hours=1))
    assert (await removed(office))["automatic"] == 1
    assert await office.pool.fetchval("SELECT count(*) FROM automatic_mails") == 0
