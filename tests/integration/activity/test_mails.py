"""What mails do: open Tickets, come home to them, and do nothing twice (sections 3 and 6)."""

import asyncio
from typing import Any

from shared.contracts import activity_requests as asked
from shared.contracts.ingest_mails import Answered, PlusReference
from tests.support.office import BILLING, DEFINITION, HELP, Office, addressed, received


async def test_a_mail_opens_a_ticket_and_is_acknowledged(office: Office) -> None:
    """T2, CT-5, CT-12, CT-16, NT-1, NT-2."""
    await office.take_in(received(message_id="one@harbour.test"))
    ticket = await office.ticket("100001-T")
    assert (ticket["status"], ticket["queue"], ticket["title"]) == ("to_do", "desk", "My printer")
    assert (ticket["process"], ticket["category"], ticket["started_by"]) == ("request", "Other", "email")
    (contact,) = await office.pool.fetch("SELECT * FROM contacts")
    assert (contact["address"], contact["first_name"], contact["last_name"]) == (
        "carla.customer@harbour.test",
        "Carla",
        "Customer",
    )
    assert contact["auto_created"]
    tags = await office.pool.fetch("SELECT tag FROM activity_contacts ORDER BY tag")
    assert [row["tag"] for row in tags] == ["original_requester", "primary_contact", "requester", "subject"]
    (compose,) = await office.asked_of_notify()
    assert compose["to"] == [{"address": "carla.customer@harbour.test", "name": "Carla Customer"}]
    assert (compose["template"], compose["automatic"], compose["language"]) == ("ack", True, "en")
    assert (compose["in_reply_to"], compose["references"]) == ("one@harbour.test", ["one@harbour.test"])
    assert (compose["reference"], compose["mailbox"]) == ("100001-T", "help")
    assert compose["variables"]["process"] == "Process request"
    assert compose["key"] == f"acme/{compose['conversation']}"


async def test_versions_of_events_have_no_gap_and_keys_are_the_activity(office: Office) -> None:
    await office.take_in(received(message_id="one@harbour.test"))
    await office.step(asked.ActivityPickUp, "100001-T")
    await office.step(asked.ActivityNote, "100001-T", text="Looked at it")
    events = await office.said("activity.activities.v1")
    assert [event["version"] for event in events] == list(range(1, len(events) + 1))
    assert {event["key"] for event in events} == {f"acme/{events[0]['activity']}"}
    assert len({event["headers"]["ce_id"] for event in events}) == len(events)
    assert [row["version"] for row in await office.history("100001-T")] == [e["version"] for e in events]
    assert (await office.ticket("100001-T"))["version"] == len(events)


async def test_an_answer_comes_home_by_the_message_id_it_answers(office: Office) -> None:
    """IN-2, T36: appended, new information, no acknowledgement (AMB-37)."""
    await office.take_in(received(message_id="one@harbour.test"))
    await office.take_in(received(message_id="two@harbour.test", in_reply_to="one@harbour.test"))
    assert len(await office.tickets()) == 1
    assert (await office.ticket("100001-T"))["new_information"]
    assert ("mail_appended", "T36") in await office.rules("100001-T")
    assert len(await office.asked_of_notify()) == 1


async def test_an_answer_comes_home_by_its_signed_address(office: Office) -> None:
    """PA-4, AMB-38."""
    await office.take_in(received(message_id="one@harbour.test"))
    plus = PlusReference(
        address="help+100001-t.token@acme.test", mailbox="help", reference="100001-T", signed=True
    )
    answer = received(
        message_id="two@other.test",
        to=[plus.address],
        sender="dan@other.test",
        plus=[plus],
        targets=[addressed(HELP)],
    )
    await office.take_in(answer)
    assert len(await office.tickets()) == 1
    appended = await office.said("activity.activities.v1", "ticket.mail_appended")
    assert [event["matched_by"] for event in appended] == ["signed_address"]


async def test_an_answer_to_our_acknowledgement_comes_home_before_notify_reported_it(office: Office) -> None:
    """The token in our own Message-ID is enough: no index can lag behind (design §1)."""
    await office.take_in(received(message_id="one@harbour.test"))
    token = Answered(
        message_id="mail.100001-T.token@acme.test",
        reference="100001-T",
        conversation="0123456789abcdef",
        direct=True,
    )
    await office.take_in(
        received(message_id="two@harbour.test", in_reply_to=token.message_id, answered=[token])
    )
    assert len(await office.tickets()) == 1
    assert len(await office.mails("100001-T")) == 2


async def test_a_bare_reference_counts_for_participants_only(office: Office) -> None:
    """AMB-38: a stranger's guess opens a Ticket of its own, and is noted."""
    await office.take_in(received(message_id="one@harbour.test"))
    plus = PlusReference(
        address="help+100001-t@acme.test", mailbox="help", reference="100001-T", signed=False
    )
    guess: dict[str, Any] = {"to": [plus.address], "plus": [plus], "targets": [addressed(HELP)]}
    await office.take_in(received(message_id="two@harbour.test", **guess))
    await office.take_in(received(message_id="three@evil.test", sender="eve@evil.test", **guess))
    assert len(await office.mails("100001-T")) == 2
    assert len(await office.tickets()) == 2
    doubts = await office.pool.fetchval("SELECT doubts FROM mails WHERE message_id = 'three@evil.test'")
    assert doubts == ["stranger help+100001-t@acme.test"]


async def test_the_same_mail_again_does_nothing(office: Office) -> None:
    """IN-7, design §7: effects are keyed by mail and target."""
    one = received(message_id="one@harbour.test")
    await office.take_in(one, one)
    before = await office.said("activity.activities.v1")
    await office.take_in(one)
    assert await office.said("activity.activities.v1") == before
    assert len(await office.tickets()) == 1


async def test_a_later_copy_does_only_what_is_missing(office: Office) -> None:
    """RT-6, design §7: two mailboxes, two Tickets, whichever copy comes first."""
    both: dict[str, Any] = {"message_id": "one@harbour.test", "to": [HELP, BILLING]}
    await office.take_in(received(targets=[addressed(HELP)], **both))
    await office.take_in(received(targets=[addressed(BILLING)], **both))
    await office.take_in(received(targets=[addressed(HELP), addressed(BILLING)], **both))
    assert [ticket["process"] for ticket in await office.tickets()] == ["request", "invoice"]


async def test_a_mailbox_that_joins_gets_a_linked_ticket(office: Office) -> None:
    """RT-7, LK-8: and the answer still lands on the first one."""
    await office.take_in(received(message_id="one@harbour.test"))
    await office.take_in(
        received(message_id="two@harbour.test", to=[HELP], cc=[BILLING], in_reply_to="one@harbour.test")
    )
    first, second = await office.tickets()
    assert second["process"] == "invoice"
    links = {(row["activity"], row["linked"]) for row in await office.pool.fetch("SELECT * FROM links")}
    assert links == {(first["id"], second["id"]), (second["id"], first["id"])}
    assert len(await office.mails("100001-T")) == 2
    await office.take_in(
        received(message_id="three@harbour.test", to=[HELP], cc=[BILLING], in_reply_to="two@harbour.test")
    )
    assert len(await office.tickets()) == 2


async def test_a_mail_for_a_closed_ticket_opens_a_linked_one_once(office: Office) -> None:
    """T35, IN-14, AMB-4; the thread goes on at the new Ticket."""
    await office.take_in(received(message_id="one@harbour.test"))
    await office.step(asked.ActivityPickUp, "100001-T")
    spam = asked.ResolutionMethod.REJECTED_AS_SPAM
    await office.step(asked.TicketResolve, "100001-T", method=spam)
    for number in ("two", "three"):
        await office.take_in(received(message_id=f"{number}@harbour.test", in_reply_to="one@harbour.test"))
    closed, continued = await office.tickets()
    assert (closed["status"], continued["status"]) == ("closed", "to_do")
    assert len(await office.mails("100001-T")) == 1
    assert len(await office.mails("100002-T")) == 2


async def test_a_waiting_ticket_is_woken_and_its_timer_goes(office: Office) -> None:
    """T11, T13."""
    await office.take_in(received(message_id="one@harbour.test"))
    await office.step(asked.TicketWait, "100001-T", days=3)
    assert await office.pool.fetchval("SELECT count(*) FROM timers") == 1
    await office.take_in(received(message_id="two@harbour.test", in_reply_to="one@harbour.test"))
    assert (await office.ticket("100001-T"))["status"] == "to_do"
    assert await office.pool.fetchval("SELECT count(*) FROM timers") == 0


async def test_automatic_mail_is_not_answered(office: Office) -> None:
    """IN-17."""
    await office.take_in(received(message_id="one@harbour.test", automatic="auto-submitted"))
    assert len(await office.tickets()) == 1
    assert await office.asked_of_notify() == []


async def test_a_mail_that_finds_no_place_can_be_tried_again_when_there_is_a_route(office: Office) -> None:
    await office.take_in(received(message_id="one@harbour.test", targets=[addressed(HELP, routed=False)]))
    assert await office.tickets() == []
    await office.take_in(received(message_id="one@harbour.test"))
    assert len(await office.tickets()) == 1


async def test_a_mail_whose_process_and_mailbox_were_taken_away_meanwhile_is_given_back(
    office: Office,
) -> None:
    """UH-1: it was routed by an older configuration; nobody would see it among the dead letters."""
    left = {"mailboxes": DEFINITION.mailboxes[1:], "processes": DEFINITION.processes[1:], "users": ()}
    await office.configure(DEFINITION.model_copy(update=left), version=2)
    await office.take_in(received(message_id="one@harbour.test"))
    assert await office.tickets() == []
    (given_back,) = await office.said("ingest.requests.v1")
    assert given_back["addresses"] == [HELP]


async def test_two_copies_that_race_open_one_ticket(office: Office) -> None:
    """Design §2: the second waits for the first, then finds it done."""
    one = received(message_id="one@harbour.test")
    await asyncio.gather(*(office.take_in(one) for _ in range(4)))
    assert len(await office.tickets()) == 1
    assert len(await office.asked_of_notify()) == 1


async def test_two_mails_of_a_new_sender_that_race_share_one_contact(office: Office) -> None:
    """CT-15."""
    mails = [
        received(message_id=f"{number}@harbour.test", conversation=f"{number:016x}") for number in range(6)
    ]
    await asyncio.gather(*(office.take_in(mail) for mail in mails))
    assert len({ticket["reference"] for ticket in await office.tickets()}) == 6
    assert await office.pool.fetchval("SELECT count(*) FROM contacts") == 1


async def test_two_mails_that_race_for_a_ticket_both_arrive(office: Office) -> None:
    """AMB-44: the family's lock decides, and no version is lost."""
    await office.take_in(received(message_id="root@harbour.test"))
    await asyncio.gather(
        *(
            office.take_in(received(message_id=f"{number}@harbour.test", in_reply_to="root@harbour.test"))
            for number in range(5)
        )
    )
    assert len(await office.mails("100001-T")) == 6
    versions = [row["version"] for row in await office.history("100001-T")]
    assert versions == list(range(1, len(versions) + 1))
