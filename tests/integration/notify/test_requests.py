"""From a request to the queue on a real database: what is composed, what is refused, what is repeated."""

import asyncio
from typing import Any

import pytest

from services.notify.domain.compose import compose
from services.notify.domain.mail import Asked
from services.notify.domain.rate import WINDOW
from services.notify.handlers import refuse
from services.notify.outgoing import MIME_INLINE_BYTES
from shared.contracts.mail import TEXT_LIMIT, Mailbox
from shared.contracts.notify_mails import MailComposed, MailRefused
from shared.contracts.notify_requests import MailCompose
from shared.decoding import Incoming, Unknown
from shared.organisation import ConfigurationBehind
from shared.organisation_copy import NeverAnnounced
from tests.support.dispatch import Dispatch, request, sample, written
from tests.support.letters import parsed


def elsewhere(number: int) -> Incoming[MailCompose]:
    """A request of an organisation that does not exist."""
    asked = request(number)
    return Incoming(asked.envelope.model_copy(update={"organisation": "nowhere"}), asked.message)


async def test_a_request_is_composed_queued_and_told(office: Dispatch) -> None:
    await office.ask(request(1))
    (told,) = await office.said()
    row = await office.row()
    assert isinstance(told, MailComposed)
    assert row["state"] == "queued"
    assert told.message_id == row["message_id"]
    assert parsed(row["mime"])["Message-ID"] == f"<{told.message_id}>"
    assert told.content.subject == "We have received your request [101203-T]"
    assert "101203-T" in told.content.text
    assert told.sender.address.startswith("help+101203-T.")


async def test_a_repeated_request_does_and_says_nothing_new(office: Dispatch) -> None:
    await office.ask(request(1), request(1))
    before = await office.row()
    await office.ask(request(1, variables={"queue": "another"}))
    assert await office.row() == before
    assert len(await office.said()) == 1


async def test_a_mail_to_our_own_mailbox_is_refused(office: Dispatch) -> None:
    """IN-5."""
    await office.ask(written(1, "Billing@mailroom.test"))
    (told,) = await office.said()
    assert isinstance(told, MailRefused)
    assert told.code == "own_mailbox"
    assert await office.states() == ["refused"]


async def test_a_refusal_is_repeated_to_nobody(office: Dispatch) -> None:
    await office.ask(written(1, "billing@mailroom.test"))
    await office.ask(written(1, "billing@mailroom.test"))
    assert len(await office.said("mail.refused")) == 1


async def test_one_bad_request_costs_only_itself(office: Dispatch) -> None:
    await office.ask(request(1), request(2, template="gone"), request(3, mailbox="gone"), request(4))
    assert await office.states() == ["queued", "refused", "refused", "queued"]


async def test_a_bug_with_one_request_costs_only_itself(
    office: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:

    def broken(asked: Asked, *rest: Any) -> Any:
        if asked.mail == request(2).message.mail:
            raise RuntimeError("a bug")
        return compose(asked, *rest)

    monkeypatch.setattr("services.notify.outgoing.compose", broken)
    errors = await office.ask(request(1), request(2), request(3))
    assert [str(error) for error in errors] == ["a bug"]
    assert await office.states() == ["queued", "queued"]


async def test_an_address_gets_so_many_automatic_mails_an_hour_and_no_more(office: Dispatch) -> None:
    """AMB-37: loops starve."""
    await office.configure(sample(sender_mails_per_hour=3), version=2)
    anna = (Mailbox(address="anna@harbour.test"),)
    await office.ask(*(request(number, to=anna) for number in range(2)))
    await office.ask(*(request(number, to=anna) for number in range(2, 6)))
    assert await office.states() == ["queued"] * 3 + ["refused"] * 3
    assert {told.code for told in await office.said("mail.refused")} == {"rate_exceeded"}
    await office.ask(request(6), written(7, "anna@harbour.test"))
    assert (await office.states())[6:] == ["queued", "queued"]
    office.clock.advance(WINDOW)
    await office.ask(request(8, to=anna))
    assert (await office.states())[8] == "queued"


async def test_the_limit_holds_for_batches_at_the_same_time(office: Dispatch) -> None:
    """AMB-37."""
    await office.configure(sample(sender_mails_per_hour=5), version=2)
    anna = (Mailbox(address="Anna@harbour.test"),)
    batches = [[request(10 * batch + number, to=anna) for number in range(4)] for batch in range(4)]
    await asyncio.gather(*(office.ask(*batch) for batch in batches))
    assert sorted(await office.states()) == ["queued"] * 5 + ["refused"] * 11


async def test_a_request_waits_for_its_configuration(office: Dispatch) -> None:
    """Design §10: decided with a version that has not arrived here yet."""
    ahead = request(1, configuration=2)
    with pytest.raises(ConfigurationBehind):
        await office.work.run_each(office.handlers.on_requests, [ahead], patience=0.05)
    assert await office.states() == []
    waiting = asyncio.create_task(office.ask(ahead))
    await office.configure(sample(), version=2)
    assert await waiting == []
    assert await office.states() == ["queued"]


async def test_a_request_with_a_version_that_never_was_costs_only_itself(office: Dispatch) -> None:
    """Guarantee 5."""
    office.announcements.everything = True
    errors = await office.ask(request(1), request(2, configuration=10**9), elsewhere(3), request(4))
    assert [type(error) for error in errors] == [NeverAnnounced, NeverAnnounced]
    assert "version 1000000000 of the configuration of 'acme'" in str(errors[0])
    assert "'nowhere'" in str(errors[1])
    assert await office.states() == ["queued", "queued"]


async def test_a_version_that_arrives_while_its_absence_is_being_proved_is_found(office: Dispatch) -> None:
    """The organisation's consumer may commit at any moment."""

    async def meanwhile(_: Any) -> bool:
        await office.configure(sample(), version=2)
        return True

    office.announcements.all_known = meanwhile  # type: ignore[method-assign]
    assert await office.ask(request(1, configuration=2)) == []
    assert await office.states() == ["queued"]


async def test_a_long_text_travels_as_a_claim_check(office: Dispatch) -> None:
    text = "word " * 60_000
    await office.ask(written(1, text=text))
    (told,) = await office.said()
    assert len(told.content.text) == TEXT_LIMIT
    assert (await office.blobs.get(told.content.full_text.object)).decode() == text
    row = await office.row()
    assert row["mime"] is None
    assert len(await office.blobs.get(row["mime_blob"]["object"])) > MIME_INLINE_BYTES


async def test_a_request_that_nobody_understands_is_answered(office: Dispatch) -> None:
    envelope = request(1).envelope.model_copy(update={"type": "mail.draft"})
    told = refuse(envelope, Unknown(envelope))
    assert told.key == f"acme/{envelope.id}"
    assert told.record is not None
    assert told.record.model_dump()["detail"] == "this version knows no 'mail.draft'"
