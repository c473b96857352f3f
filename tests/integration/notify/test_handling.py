"""What people do about mail that was not sent (NT-14)."""

from datetime import timedelta
from typing import Any

import pytest

from services.notify import outgoing
from shared.unit_of_work import Batch
from tests.support.dispatch import Dispatch, request, written
from tests.support.waiting import eventually


async def retry(office: Dispatch, number: int = 1) -> Any:
    mail = request(number).message.mail

    async def asked(batch: Batch[Any]) -> Any:
        return await outgoing.retry(batch, "acme", mail)

    return await office.work.run(asked)


async def cancel(office: Dispatch, number: int = 1) -> Any:
    mail = request(number).message.mail

    async def asked(batch: Batch[Any]) -> Any:
        return await outgoing.cancel(batch, "acme", mail, "olga")

    return await office.work.run(asked)


async def reach(office: Dispatch, *states: str) -> None:
    async def reached() -> bool:
        return await office.states() == list(states)

    await eventually(reached)


async def test_a_failed_mail_is_sent_again_to_those_who_did_not_get_it(office: Dispatch) -> None:
    script = office.scripts["main"]
    script.data = (554, "no")
    async with office.sending():
        await office.ask(written(1, "a@harbour.test", "b@harbour.test"))
        await reach(office, "failed")
        script.data = None
        script.recipients = {"b@harbour.test": (550, "nobody")}
        await retry(office)
        await reach(office, "sent")
    assert [each.recipients for each in script.delivered] == [("a@harbour.test",)]
    row = await office.row()
    assert (row["attempts"], row["forgiven"]) == (2, 1)


async def test_a_deferred_mail_is_sent_at_once_when_a_person_asks(office: Dispatch) -> None:
    office.scripts["main"].data = (451, "later")
    async with office.sending():
        await office.ask(request(1))
        await reach(office, "deferred")
        office.scripts["main"].data = None
        await retry(office)
        await reach(office, "sent")


async def test_a_cancelled_mail_is_reported_and_never_sent(office: Dispatch) -> None:
    office.scripts["main"].data = (451, "later")
    async with office.sending():
        await office.ask(request(1))
        await reach(office, "deferred")
        await cancel(office)
        office.scripts["main"].data = None
        office.clock.advance(timedelta(days=9))
        await office.ask(request(2))
        await reach(office, "cancelled", "sent")
    (told,) = await office.said("mail.failed")
    assert told.reason == "Cancelled by olga."
    assert len(office.scripts["main"].delivered) == 1


async def test_a_failed_mail_that_is_put_away_is_not_reported_twice(office: Dispatch) -> None:
    office.scripts["main"].data = (554, "no")
    async with office.sending():
        await office.ask(request(1))
        await reach(office, "failed")
    await cancel(office)
    assert await office.states() == ["cancelled"]
    assert len(await office.said("mail.failed")) == 1


async def test_what_was_sent_or_refused_is_past_handling(office: Dispatch) -> None:
    async with office.sending():
        await office.ask(request(1), written(2, "billing@mailroom.test"))
        await reach(office, "sent", "refused")
    for handle in (retry, cancel):
        with pytest.raises(outgoing.NotAllowed, match="It is sent"):
            await handle(office)
        assert await handle(office, 2) is None
