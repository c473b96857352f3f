"""Steps that are asked for: every row of the Ticket's table that a request can take (section 3)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import BlockMode
from shared.contracts.activity_requests import Actor, ActorKind, Person
from shared.contracts.notify_mails import MailFailed
from shared.decoding import Incoming
from tests.support.office import DEFINITION, NOON, Office, incoming, received, user

ROBOT = Actor(kind=ActorKind.INTEGRATION, id="shop")
PERSON = Person(address="dora@harbour.test", name="Dora Dock")
METHOD = asked.ResolutionMethod.WITH_CUSTOMER_RESPONSE

Request = tuple[type[asked.OnActivity], dict[str, Any]]
PICK_UP: Request = (asked.ActivityPickUp, {})
WAIT: Request = (asked.TicketWait, {"days": 2})
WAIT_UNTIL: Request = (asked.ActivityWaitUntil, {"until": NOON + timedelta(days=1)})
RESOLVE: Request = (asked.TicketResolve, {"method": METHOD})
ASSIGN: Request = (asked.ActivityAssign, {"assignee": "bruno"})

# What has been done before, what is asked for, and the rule and status it must lead to. Every Ticket
# begins as one that a mail opened.
ROWS: list[tuple[tuple[Request, ...], Request, str, str]] = [
    ((), PICK_UP, "T7", "in_progress"),
    ((), (asked.ActivityEdit, {"title": "Better"}), "T7", "in_progress"),
    ((PICK_UP,), ASSIGN, "T8", "to_do"),
    ((PICK_UP,), (asked.ActivityAssign, {"assignee": None}), "T8", "to_do"),
    ((), ASSIGN, "ST-21", "to_do"),
    ((PICK_UP,), (asked.ActivitySetToDo, {}), "T9", "to_do"),
    ((), WAIT, "T11", "wait"),
    ((PICK_UP,), WAIT, "T11", "wait"),
    ((), WAIT_UNTIL, "T12", "wait"),
    ((WAIT,), (asked.ActivityResume, {}), "T17b", "in_progress"),
    ((WAIT_UNTIL,), (asked.ActivityResume, {"to": "to_do"}), "T17b", "to_do"),
    ((WAIT,), WAIT_UNTIL, "ST-20", "wait"),
    ((PICK_UP,), RESOLVE, "T18", "resolved"),
    ((PICK_UP,), (asked.TicketResolve, {"method": "rejected_as_spam"}), "T21", "closed"),
    ((PICK_UP, RESOLVE), (asked.ActivityReopen, {}), "T25", "to_do"),
    ((WAIT,), (asked.ActivityEdit, {"category": "Hardware"}), "T37", "wait"),
    ((), (asked.ActivityNote, {"text": "Hm"}), "ST-22", "to_do"),
    ((PICK_UP,), (asked.ActivityAssign, {"assignee": "bruno", "note": "Yours"}), "T8", "to_do"),
    ((PICK_UP,), (asked.ActivityKeepWithMe, {}), "ST-20", "in_progress"),
    ((PICK_UP,), (asked.TicketSendAndResolve, {"text": "Mended"}), "T20", "resolved"),
    ((PICK_UP, RESOLVE), (asked.ActivityFeedback, {"rating": 1, "comment": "No"}), "T24", "to_do"),
    ((PICK_UP,), (asked.ActivityFeedback, {"rating": 5}), "FB-1", "in_progress"),
    ((PICK_UP,), (asked.TicketWait, {"days": 2, "category": "Hardware"}), "T11", "wait"),
    ((), (asked.ActivityReply, {"text": "Hello"}), "ST-22", "to_do"),
    ((), (asked.ActivityMarkInformation, {"new": True}), "ST-25", "to_do"),
]


@pytest.mark.parametrize(
    ("before", "request_", "rule", "status"), ROWS, ids=[f"{row[2]}-{row[1][0].__name__}" for row in ROWS]
)
async def test_a_step_leads_where_its_row_says(
    office: Office, before: tuple[Request, ...], request_: Request, rule: str, status: str
) -> None:
    await office.take_in(received(message_id="one@harbour.test"))
    for kind, fields in before:
        assert (await office.step(kind, "100001-T", **fields))["type"] == "request.accepted"
    kind, fields = request_
    answer = await office.step(kind, "100001-T", **fields)
    assert answer["type"] == "request.accepted", answer
    ticket = await office.ticket("100001-T")
    assert (answer["status"], answer["version"]) == (status, ticket["version"])
    assert (ticket["status"], (await office.rules("100001-T"))[-1][1]) == (status, rule)


async def test_a_process_without_a_feedback_window_closes_at_once(office: Office) -> None:
    """T19."""
    await office.take_in(received(message_id="one@harbour.test", to=["billing@acme.test"]))
    await office.step(asked.ActivityPickUp, "100001-T")
    await office.step(asked.TicketResolve, "100001-T", method=METHOD)
    ticket = await office.ticket("100001-T")
    assert (ticket["status"], ticket["assignee"], ticket["queue"]) == ("closed", None, None)


async def test_an_integration_submits_at_once_and_is_acknowledged(office: Office) -> None:
    """T3."""
    answer = await office.ask(
        asked.ActivityOpen(
            actor=ROBOT,
            process="request",
            title="Order 1",
            description="Broken",
            category="Hardware",
            primary_contact=PERSON,
        )
    )
    assert answer["status"] == "to_do"
    ticket = await office.ticket(answer["reference"])
    assert (ticket["mailbox"], ticket["family"]) == ("help", ticket["id"])
    (compose,) = await office.asked_of_notify()
    assert compose["to"][0]["address"] == PERSON.address


async def test_a_refused_opening_leaves_nothing_behind(office: Office) -> None:
    refused = await office.ask(asked.ActivityOpen(actor=ROBOT, process="request", primary_contact=PERSON))
    assert (refused["type"], refused["code"]) == ("request.refused", "incomplete")
    assert refused["missing"] == ["title", "description", "category"]
    assert await office.tickets() == []
    assert await office.pool.fetchval("SELECT count(*) FROM contacts") == 0


async def test_a_closed_ticket_never_changes_again(office: Office) -> None:
    """T38."""
    await office.take_in(received(message_id="one@harbour.test"))
    await office.step(asked.ActivityPickUp, "100001-T")
    await office.step(asked.TicketResolve, "100001-T", method="rejected_as_spam")
    before = await office.ticket("100001-T")
    for kind, fields in (PICK_UP, WAIT, RESOLVE, (asked.ActivityReply, {"text": "Hello"})):
        refused = await office.step(kind, "100001-T", **fields)
        assert (refused["code"], refused["state"]) == ("closed", "closed")
    assert await office.ticket("100001-T") == before


async def test_what_a_request_names_has_to_exist(office: Office) -> None:
    await office.take_in(received(message_id="one@harbour.test"))
    unknown = await office.step(asked.ActivityPickUp, "7-T")
    assert (unknown["type"], unknown["code"]) == ("request.refused", "not_found")
    process = await office.ask(asked.ActivityOpen(actor=user("amelie"), process="nothing"))
    assert process["code"] == "unknown_name"
    elsewhere = await office.ask(asked.ActivityOpen(actor=user("amelie"), process="request"), org="nowhere")
    assert elsewhere["code"] == "unknown_organisation"
    mail = await office.step(
        asked.ActivityReply, "100001-T", text="Hello", answers="019cae6b-6600-7e2b-a7f5-8e99f9857065"
    )
    assert mail["code"] == "not_found"


async def test_the_same_request_gets_the_same_answer_for_ever(office: Office) -> None:
    """Design §2: answered again, under the same id, and done once."""
    await office.take_in(received(message_id="one@harbour.test"))
    note = incoming(
        asked.ActivityNote(actor=user("amelie"), reference="100001-T", text="Once"), "note-1", source="tests"
    )
    await office.take_in(note)
    await office.advance(days=400)
    await office.take_in(note, note)
    assert await office.pool.fetchval("SELECT count(*) FROM notes") == 1
    answers = await office.said("activity.answers.v1")
    assert len(answers) == 3
    assert all(answer == answers[0] for answer in answers)
    assert (answers[0]["key"], answers[0]["request"]["id"]) == ("acme/note-1", "note-1")


async def test_the_same_request_twice_at_once_is_done_once(office: Office) -> None:
    await office.take_in(received(message_id="one@harbour.test"))
    note = asked.ActivityNote(actor=user("amelie"), reference="100001-T", text="Once")
    answers = await asyncio.gather(*(office.ask(note, "note-1") for _ in range(4)))
    assert all(answer == answers[0] for answer in answers)
    assert await office.pool.fetchval("SELECT count(*) FROM notes") == 1


async def test_two_people_who_take_a_ticket_at_once_do_not_both_get_it(office: Office) -> None:
    """ST-23."""
    await office.take_in(received(message_id="one@harbour.test"))
    answers = await asyncio.gather(
        *(office.step(asked.ActivityPickUp, "100001-T", by=name) for name in ("amelie", "bruno"))
    )
    assert sorted(answer["type"] for answer in answers) == ["request.accepted", "request.refused"]
    (refused,) = (answer for answer in answers if answer["type"] == "request.refused")
    assert (refused["code"], refused["holder"]) == ("conflict", (await office.ticket("100001-T"))["assignee"])


async def test_an_older_version_is_refused(office: Office) -> None:
    """ST-23."""
    await office.take_in(received(message_id="one@harbour.test"))
    seen = (await office.ticket("100001-T"))["version"]
    await office.step(asked.ActivityNote, "100001-T", text="Faster")
    refused = await office.step(asked.ActivityPickUp, "100001-T", expected_version=seen)
    assert (refused["code"], refused["version"]) == ("conflict", seen + 1)


async def test_references_of_each_organisation_are_its_own_and_never_given_twice(office: Office) -> None:
    await office.configure(DEFINITION.model_copy(update={"organisation": "other"}))
    draft = asked.ActivityOpen(actor=user("amelie"), process="request")
    answers = await asyncio.gather(*(office.ask(draft, org=org) for org in ("acme", "other") * 5))
    references = [answer["reference"] for answer in answers]
    assert sorted(references[::2]) == sorted(references[1::2]) == [f"{n}-T" for n in range(100001, 100006)]


async def test_a_reply_answers_the_mail_that_was_chosen(office: Office) -> None:
    """NT-10; without a choice the newest one the customer sent."""
    await office.take_in(received(message_id="one@harbour.test"))
    later = NOON + timedelta(hours=1)
    await office.take_in(
        received(message_id="two@harbour.test", in_reply_to="one@harbour.test", at=later, subject="And now?")
    )
    first, _ = await office.mails("100001-T")
    await office.step(asked.ActivityReply, "100001-T", text="To the newest")
    await office.step(asked.ActivityReply, "100001-T", text="To the first", answers=first)
    newest, chosen = (await office.asked_of_notify())[-2:]
    assert (newest["in_reply_to"], newest["subject"]) == ("two@harbour.test", "And now?")
    assert newest["references"] == ["one@harbour.test", "two@harbour.test"]
    assert chosen["in_reply_to"] == "one@harbour.test"


async def test_giving_a_tag_to_another_takes_it_from_its_holder(office: Office) -> None:
    """CT-3, CT-15."""
    await office.take_in(received(message_id="one@harbour.test"))
    await office.step(asked.ActivityEdit, "100001-T", primary_contact=PERSON)
    holders = await office.pool.fetch(
        "SELECT address FROM activity_contacts JOIN contacts ON id = contact WHERE tag = 'primary_contact'"
    )
    assert [row["address"] for row in holders] == [PERSON.address]
    events = await office.said("activity.activities.v1", "ticket.contact_tagged")
    assert PERSON.address not in str(events), "events hold ids, never addresses (design §4)"


async def test_a_mail_and_the_resolution_by_it_are_asked_for_together_or_not_at_all(office: Office) -> None:
    """T20: one transaction holds both; a refusal holds neither, and a lost mail brings the Ticket back."""
    await office.take_in(received(message_id="one@harbour.test"))
    await office.step(asked.ActivityPickUp, "100001-T", by="bruno")
    before = len(await office.asked_of_notify())
    refused = await office.step(asked.TicketSendAndResolve, "100001-T", text="Mended")
    assert (refused["code"], len(await office.asked_of_notify())) == ("conflict", before)
    await office.step(asked.TicketSendAndResolve, "100001-T", by="bruno", text="Mended")
    (*_, compose) = await office.asked_of_notify()
    ticket = await office.ticket("100001-T")
    assert (ticket["status"], ticket["resolution"]["written"]) == ("resolved", compose["mail"])
    await office.report(
        MailFailed(
            mail=compose["mail"],
            activity=compose["activity"],
            reference="100001-T",
            conversation=compose["conversation"],
            at=NOON,
            recipients=(),
            reason="nobody there",
            attempts=10,
        )
    )
    ticket = await office.ticket("100001-T")
    assert (ticket["status"], ticket["assignee"], ticket["new_information"]) == ("to_do", "bruno", True)


@pytest.mark.parametrize(
    ("mode", "status"), [(BlockMode.REJECT, "closed"), (BlockMode.TICKETS, "to_do"), (None, "to_do")]
)
async def test_mail_of_a_blocked_sender_is_never_answered(
    office: Office, mode: BlockMode | None, status: str
) -> None:
    """T22, BL-1, NT-5."""
    mail = received(message_id="one@harbour.test")
    await office.take_in(Incoming(mail.envelope, mail.message.model_copy(update={"blocked": mode})))
    assert (await office.ticket("100001-T"))["status"] == status
    assert bool(await office.asked_of_notify()) is (mode is None)


async def test_the_first_mail_from_a_draft_says_what_it_is_about(office: Office) -> None:
    """T4."""
    opened = await office.ask(
        asked.ActivityOpen(actor=user("amelie"), process="request", primary_contact=PERSON)
    )
    await office.step(asked.ActivityReply, opened["reference"], subject="Smoke", text="It smells.")
    ticket = await office.ticket(opened["reference"])
    assert (ticket["status"], ticket["title"], ticket["description"]) == ("draft", "Smoke", "It smells.")
