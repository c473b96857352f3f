"""notify on a database that was put back: nothing goes out twice, and what was told holds."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

from services.notify import store_retention, store_told
from services.notify.sender import Sender
from services.notify.store_told import Told
from shared.contracts.mail import Content, Delivery, Mailbox, RecipientResult
from shared.contracts.notify_mails import MailComposed, MailDeferred, MailRefused, MailSent
from shared.postgres import transaction
from shared.relay_history import HistoryLost
from tests.support.dispatch import ACTIVITY, Dispatch, request, sample
from tests.support.fake_smtp import FakeSmtp
from tests.support.letters import CONVERSATION, NOON
from tests.support.waiting import eventually

HOUR = timedelta(hours=1)
ABOUT: dict[str, Any] = {
    "activity": ACTIVITY,
    "reference": "101203-T",
    "conversation": CONVERSATION,
    "at": NOON,
}


def composed(number: int) -> MailComposed:
    return MailComposed(
        **ABOUT,
        mail=request(number).message.mail,
        mailbox="help",
        message_id="x@mailroom.test",
        sender=Mailbox(address="help@mailroom.test"),
        to=(Mailbox(address=f"customer{number}@harbour.test"),),
        content=Content(),
    )


async def remember(office: Dispatch, number: int, told: Told) -> None:
    async with transaction(office.pool) as connection:
        await store_told.add(connection, {("acme", request(number).message.mail): told})


async def test_nothing_is_sent_from_a_database_that_was_put_back(office: Dispatch) -> None:
    asked = 0
    put_back = True

    async def require_own_history(connection: Any) -> None:
        nonlocal asked
        asked += 1
        if put_back:
            raise HistoryLost("Was a backup restored?")

    def connect(server: Any, login: Any) -> Any:
        return FakeSmtp(office.scripts[server.host]).connect(server, login)

    sender = Sender(
        office.settings,
        office.work,
        office.blobs,
        office.organisations,
        connect,
        require_own_history=require_own_history,
    )
    await office.ask(request(1))
    task = asyncio.create_task(sender.run())
    try:
        await eventually(lambda: asked >= 2)
        assert "Was a backup restored?" in (sender.not_ready() or "")
        assert await office.states() == ["queued"]
        put_back = False

        async def sent() -> bool:
            return await office.states() == ["sent"]

        await eventually(sent)
        assert sender.not_ready() is None
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_what_was_told_of_a_mail_holds_when_its_request_comes_again(office: Dispatch) -> None:
    """Also where today's rules would decide otherwise: nobody may have any automatic mail now."""
    await office.configure(sample(sender_mails_per_hour=1), version=2)
    result = RecipientResult(address="customer1@harbour.test", delivery=Delivery.ACCEPTED, code=250)
    mails = {number: request(number, to=(Mailbox(address="one@harbour.test"),)) for number in (1, 2, 3)}
    about = {number: ABOUT | {"mail": each.message.mail} for number, each in mails.items()}
    sent = MailSent(**about[1], message_id="x@mailroom.test", recipients=(result,), attempts=2)
    deferred = MailDeferred(**about[2], reason="later", attempts=1, next_attempt=NOON.replace(year=2100))
    refused = MailRefused(**about[3], code="too_many", detail="Too many.")
    await remember(office, 1, Told(composed(1), sent))
    await remember(office, 2, Told(composed(2), deferred))
    await remember(office, 3, Told(refused))
    assert await office.ask(*mails.values()) == []
    assert await office.states() == ["sent", "deferred", "refused"]
    assert (await office.row(1))["attempts"] == 2
    assert [each["result"] for each in (await office.row(1))["recipients"]] == ["accepted"]
    assert (await office.row(3))["reason"] == "Too many."
    # What the mails say is told once here, in their own rows, from where it goes when it has to (CT-21).
    assert await office.pool.fetchval("SELECT count(*) FROM told_before") == 0


async def test_what_was_told_does_not_bring_back_the_addresses_of_a_mail_that_had_to_go(
    office: Dispatch,
) -> None:
    """CT-21: a topic knows them for some time, and so does `mailroom recover`."""
    await office.ask(request(1))
    mail = request(1).message.mail
    async with transaction(office.pool) as connection:
        await connection.execute(
            "UPDATE outgoing_mails SET state = 'sent', due_at = NULL, ended_at = $1", NOON
        )
        await store_retention.unneeded_since(connection, [("acme", mail)], NOON)
        await store_retention.remove_unneeded(connection, NOON + HOUR, 1, NOON + HOUR)
    result = RecipientResult(address="customer1@harbour.test", delivery=Delivery.ACCEPTED, code=250)
    sent = MailSent(**ABOUT, mail=mail, message_id="x@mailroom.test", recipients=(result,), attempts=1)
    async with transaction(office.pool) as connection:
        await store_told.apply(connection, [(("acme", mail), Told(composed(1), sent))])
    assert (await office.row(1))["recipients"] == []
