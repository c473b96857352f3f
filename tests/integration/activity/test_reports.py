"""What notify says of our mails: kept with them, shown in the timeline, known to matching (NT-14)."""

from typing import Any
from uuid import UUID, uuid4

from services.activity.handlers import Handlers
from services.activity.work_reports import UnknownMail
from shared.contracts import activity_requests as asked
from shared.contracts.activity_answers import AskedBy
from shared.contracts.mail import Content, Delivery, Mailbox, RecipientResult
from shared.contracts.notify_mails import (
    MailComposed,
    MailDeferred,
    MailFailed,
    MailRefused,
    MailSent,
    RequestRefused,
)
from tests.support.office import NOON, Office, incoming, received

HOME = "help+100001-t.token@acme.test"
CARLA = Mailbox(address="carla.customer@harbour.test")


async def about(office: Office) -> dict[str, Any]:
    """A Ticket with an acknowledgement that was asked for: what every report says of it."""
    await office.take_in(received(message_id="one@harbour.test"))
    (compose,) = await office.asked_of_notify()
    return {name: compose[name] for name in ("mail", "activity", "reference", "conversation")} | {"at": NOON}


def composed(about: dict[str, Any]) -> MailComposed:
    return MailComposed(
        **about,
        mailbox="help",
        message_id="ack.100001-T.token@acme.test",
        sender=Mailbox(address=HOME, name="Help"),
        to=(CARLA,),
        content=Content(subject="We have it", text="100001-T"),
    )


def sent(about: dict[str, Any]) -> MailSent:
    result = RecipientResult(address=CARLA.address, delivery=Delivery.ACCEPTED, code=250, answer="ok")
    return MailSent(**about, message_id="ack.100001-T.token@acme.test", recipients=(result,), attempts=1)


async def mail(office: Office, id_: str) -> Any:
    return await office.pool.fetchrow("SELECT * FROM mails WHERE id = $1", UUID(id_))


async def test_a_mail_is_followed_from_request_to_delivery(office: Office) -> None:
    report = await about(office)
    assert (await mail(office, report["mail"]))["outcome"] == "requested"
    await office.report(composed(report))
    row = await mail(office, report["mail"])
    assert (row["outcome"], row["message_id"]) == ("composed", "ack.100001-T.token@acme.test")
    assert row["content"]["text"] == "100001-T"
    await office.report(MailDeferred(**report, reason="greylisted", attempts=1, next_attempt=NOON))
    await office.report(sent(report))
    row = await mail(office, report["mail"])
    assert (row["outcome"], row["delivery"]["recipients"][0]["code"]) == ("sent", 250)
    told = await office.said("activity.activities.v1", "ticket.mail_reported")
    assert [event["outcome"] for event in told] == ["deferred", "sent"]
    assert CARLA.address not in str(told), "events hold ids, never addresses (design §4)"


async def test_reports_in_one_batch_add_up(office: Office) -> None:
    report = await about(office)
    await office.take_in(
        incoming(composed(report), "composed", source="notify"),
        incoming(sent(report), "sent", source="notify"),
    )
    row = await mail(office, report["mail"])
    assert (row["outcome"], row["content"]["text"], row["sender"]["address"]) == ("sent", "100001-T", HOME)


async def test_why_a_mail_was_not_sent_is_kept(office: Office) -> None:
    report = await about(office)
    await office.report(MailFailed(**report, reason="mailbox full", attempts=10))
    assert (await mail(office, report["mail"]))["delivery"]["reason"] == "mailbox full"
    await office.report(MailRefused(**report, code="rate", detail="Too many mails to this address."))
    row = await mail(office, report["mail"])
    assert (row["outcome"], row["delivery"]["reason"]) == ("refused", "Too many mails to this address.")


async def test_an_answer_to_a_composed_mail_comes_home_by_its_message_id(office: Office) -> None:
    """IN-2: outbound mails count, whatever became of our token on the way."""
    report = await about(office)
    await office.report(composed(report))
    await office.take_in(received(message_id="two@harbour.test", in_reply_to="ack.100001-T.token@acme.test"))
    assert len(await office.tickets()) == 1
    assert (await office.rules("100001-T"))[-2:] == [("mail_appended", "T36"), ("information_marked", "T36")]


async def test_a_delivery_makes_nobody_late(office: Office) -> None:
    """ST-23: its report grows the version, but who has seen the Ticket before it has not missed anything."""
    report = await about(office)
    seen = (await office.ticket("100001-T"))["version"]
    await office.report(MailDeferred(**report, reason="greylisted", attempts=1, next_attempt=NOON))
    await office.report(sent(report))
    assert (await office.ticket("100001-T"))["version"] == seen + 2
    ahead = await office.step(asked.ActivityPickUp, "100001-T", expected_version=seen + 3)
    assert (ahead["code"], ahead["version"]) == ("conflict", seen + 2)
    taken = await office.step(asked.ActivityPickUp, "100001-T", expected_version=seen)
    assert (taken["type"], taken["version"]) == ("request.accepted", seen + 3)
    late = await office.step(asked.ActivityPickUp, "100001-T", by="bruno", expected_version=seen + 2)
    assert (late["code"], late["version"]) == ("conflict", seen + 3)


async def test_what_older_code_does_meanwhile_makes_late(office: Office) -> None:
    """ST-23, design §6: in a rolling upgrade it counts the version on and knows no other column."""
    report = await about(office)
    seen = (await office.ticket("100001-T"))["version"]
    await office.report(sent(report))
    await office.pool.execute("UPDATE activities SET version = version + 1, title = 'Edited'")
    late = await office.step(asked.ActivityNote, "100001-T", text="Hm", expected_version=seen)
    assert (late["code"], late["version"]) == ("conflict", seen + 2)
    done = await office.step(asked.ActivityNote, "100001-T", text="Hm", expected_version=seen + 2)
    assert done["version"] == seen + 3


async def test_a_report_about_an_unknown_mail_costs_only_itself(office: Office) -> None:
    """Design §2."""
    report = await about(office)
    stray = sent(report | {"mail": uuid4()})
    stray_activity = sent(report | {"activity": uuid4()})
    culprits = await office.attempt(
        incoming(stray, "stray", source="notify"),
        incoming(stray_activity, "stray-activity", source="notify"),
        incoming(sent(report), "sent", source="notify"),
    )
    assert [type(culprit.error) for culprit in culprits] == [UnknownMail, UnknownMail]
    assert (await mail(office, report["mail"]))["outcome"] == "sent"


async def test_a_request_that_notify_does_not_understand_holds_no_report_up(office: Office) -> None:
    """Design §3: old and new versions run side by side."""
    report = await about(office)
    asked_by = AskedBy(source="/mailroom/activity", id="one", type="mail.compose.later")
    refused = RequestRefused(request=asked_by, code="request_not_understood", detail="unknown")
    records = (
        incoming(refused, "refused", source="notify", org="nobody"),
        incoming(sent(report), "sent", source="notify"),
    )
    assert await office.unit.run_each(Handlers(office.work).on_reports, records) == []
    assert (await mail(office, report["mail"]))["outcome"] == "sent"
