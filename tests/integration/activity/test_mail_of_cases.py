"""Mails to and from Cases and Actions: who is woken, who is written to, what is merged in (LK-1)."""

from typing import Any

import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionType,
    ActionUse,
    BlockMode,
    StepDefinition,
)
from shared.contracts.ingest_mails import PlusReference, Routed, Target
from shared.contracts.notify_mails import MailFailed, MailSent, OutgoingMail
from tests.support.hiring import HIRING, WITH_CASES
from tests.support.office import CARLA, HELP, Office, addressed, received

CASE, TICKET = "100001-C", "100002-T"
LAPTOP, ACCOUNT = f"{CASE}-A1.1", f"{CASE}-A1.2"
ROUTED = Routed(route="hiring", process="hiring", send_automated_emails=True)


@pytest.fixture
async def hiring(office: Office) -> Office:
    """An office that hires: a mail has opened a Case, another one a Ticket."""
    await office.configure(WITH_CASES, 2)
    target = Target(mailbox="help", address=HELP, routed=ROUTED)
    await office.take_in(received("Nora starts", message_id="one@harbour.test", targets=[target]))
    await office.take_in(
        received("My printer", message_id="two@harbour.test", conversation="00000000000000b2")
    )
    return office


def to(reference: str, number: int, **more: Any) -> Any:
    """A mail to the signed address of an activity."""
    address = f"help+{reference.lower()}@acme.test"
    plus = PlusReference(address=address, mailbox="help", reference=reference, signed=True)
    return received("An answer", message_id=f"{number}@harbour.test", to=(address,), plus=(plus,), **more)


async def done(office: Office, kind: type[asked.OnActivity], reference: str, **fields: Any) -> Any:
    answer = await office.step(kind, reference, **fields)
    assert answer["type"] == "request.accepted", answer
    return answer


async def test_a_mail_opens_a_case_and_is_acknowledged(hiring: Office) -> None:
    """C2, NT-1: its first Actions are launched with it."""
    case = await hiring.ticket(CASE)
    assert (case["status"], case["title"], case["started_by"]) == ("to_do", "Nora starts", "email")
    assert (await hiring.ticket(f"{CASE}-A1.1"))["title"] == "Create the account"
    (compose, *_) = await hiring.said("notify.requests.v1", "mail.compose")
    assert (compose["reference"], compose["template"]) == (CASE, "ack")


async def test_a_blocked_sender_opens_no_case_that_could_be_closed_as_spam(hiring: Office) -> None:
    """BL-1: the mail is given back to ingest, which lists it as unhandled."""
    spam = received(
        "Buy", message_id="9@harbour.test", targets=[Target(mailbox="help", address=HELP, routed=ROUTED)]
    )
    message = spam.message.model_copy(update={"blocked": BlockMode.REJECT})
    before = len(await hiring.tickets())
    await hiring.take_in(type(spam)(spam.envelope, message))
    assert len(await hiring.tickets()) == before
    (aside,) = await hiring.said("ingest.requests.v1", "mail.set_aside")
    assert "rejected" in aside["detail"]


async def test_a_mail_wakes_the_action_that_waits_for_it_and_its_case(hiring: Office) -> None:
    """A6, C14b: both waited for information."""
    action = f"{CASE}-A1.1"
    await done(hiring, asked.ActivityPickUp, CASE)
    await done(hiring, asked.CaseWait, action)
    await done(hiring, asked.CaseWait, CASE, reason="papers")
    await hiring.take_in(to(action, 3))
    assert (await hiring.ticket(action))["status"] == "to_do"
    case = await hiring.ticket(CASE)
    assert (case["status"], case["owner"]) == ("in_progress", "amelie")
    assert [rule for kind, rule in await hiring.rules(CASE) if kind == "status_changed"][-1] == "C14b"


async def test_an_action_writes_to_the_contact_of_its_case(hiring: Office) -> None:
    """LK-1: and is answered on its own reference."""
    action = f"{CASE}-A1.1"
    await done(hiring, asked.ActivityReply, action, text="Which number may we call?")
    compose = (await hiring.said("notify.requests.v1", "mail.compose"))[-1]
    assert compose["reference"] == action
    assert [each["address"] for each in compose["to"]] == [CARLA.lower()]


async def test_a_ticket_is_merged_into_a_case_or_an_action(hiring: Office) -> None:
    """T33: mails go to what it was merged into; links of what an Action takes over are its Case's."""
    action = f"{CASE}-A1.1"
    await hiring.take_in(
        received(
            "A third",
            message_id="four@harbour.test",
            conversation="00000000000000b4",
            targets=[addressed(HELP)],
        )
    )
    other = "100003-T"
    await done(hiring, asked.ActivityLink, TICKET, with_references=(other,))
    await done(hiring, asked.TicketMergeInto, TICKET, into=action)
    links = await hiring.pool.fetch("SELECT activity, linked FROM links WHERE reason = 'carried'")
    case = await hiring.ticket(CASE)
    assert {row["activity"] for row in links} == {case["id"], (await hiring.ticket(other))["id"]}
    assert (await hiring.ticket(TICKET))["merged_into"] == (await hiring.ticket(action))["id"]
    await hiring.take_in(to(TICKET, 5))
    assert (await hiring.ticket(action))["new_information"]
    await done(hiring, asked.ActivityMerge, CASE, sources=(other,))
    assert (await hiring.ticket(other))["status"] == "closed"


async def test_a_mail_on_an_action_begins_a_new_activity_that_is_linked_with_the_case(hiring: Office) -> None:
    """CE-8."""
    action = f"{CASE}-A1.1"
    mail = to(action, 6)
    await hiring.take_in(mail)
    answer = await done(hiring, asked.ActivityNewFromMail, action, mail=mail.message.mail)
    assert answer["reference"] == action
    again = received("An answer", message_id="6@harbour.test", targets=[addressed(HELP)])
    sent_back = again.message.model_copy(
        update={"mail": mail.message.mail, "reinjected_for": (await hiring.ticket(action))["id"]}
    )
    await hiring.take_in(type(again)(again.envelope.model_copy(update={"id": "again"}), sent_back))
    new = await hiring.ticket("100003-T")
    linked = await hiring.pool.fetchval("SELECT linked FROM links WHERE activity = $1", new["id"])
    assert linked == (await hiring.ticket(CASE))["id"]


WRITING = HIRING.model_copy(
    update={
        "actions": (
            ActionDefinition(name="welcome", title="Welcome", type=ActionType.SEND_EMAIL, template="ack"),
            ActionDefinition(name="ask", title="Ask", type=ActionType.SEND_EMAIL_AND_WAIT, template="ack"),
        ),
        "steps": (
            StepDefinition(name="one", title="One", actions=(ActionUse(action="welcome"),)),
            StepDefinition(name="two", title="Two", actions=(ActionUse(action="ask"),)),
        ),
    }
)
WELCOME, ASK = f"{CASE}-A1.1", f"{CASE}-A2.1"


@pytest.fixture
async def writing(office: Office) -> Office:
    """An office whose Cases write by themselves: one was opened by a mail."""
    processes = (*WITH_CASES.processes[:-1], WRITING)
    await office.configure(WITH_CASES.model_copy(update={"processes": processes}), 2)
    target = Target(mailbox="help", address=HELP, routed=ROUTED)
    await office.take_in(received("Nora starts", message_id="one@harbour.test", targets=[target]))
    return office


async def report(office: Office, reference: str, kind: type[OutgoingMail], **more: Any) -> None:
    """notify says what became of the mail that an Action wrote by itself."""
    said = await office.said("notify.requests.v1", "mail.compose")
    (asked_for,) = (each for each in said if each["reference"] == reference)
    about = {name: asked_for[name] for name in ("mail", "activity", "reference", "conversation")}
    said_more = {"message_id": "a@b.test", "recipients": (), "attempts": 1, **more}
    await office.report(kind(**about, at=office.clock.now(), **said_more))


async def test_an_action_that_sends_a_mail_is_done_when_that_has_left(writing: Office) -> None:
    """A20: to the primary contact of its Case, by its template; then the Case goes on."""
    action = await writing.ticket(WELCOME)
    assert (action["status"], action["wait"]) == ("wait", "more_information")
    said = await writing.said("notify.requests.v1", "mail.compose")
    (compose,) = (each for each in said if each["reference"] == WELCOME)
    assert ([each["address"] for each in compose["to"]], compose["template"]) == ([CARLA.lower()], "ack")
    await report(writing, WELCOME, MailSent)
    assert (await writing.ticket(WELCOME))["status"] == "closed"
    assert (await writing.ticket(ASK))["status"] == "wait"


async def test_a_mail_that_cannot_be_sent_brings_its_action_to_people(writing: Office) -> None:
    """A20: back in its queue, with what became of the mail in the timeline."""
    await report(writing, WELCOME, MailFailed, reason="no such user")
    action = await writing.ticket(WELCOME)
    assert (action["status"], action["queue"], action["new_information"]) == ("to_do", "desk", True)
    assert ASK not in {row["reference"] for row in await writing.tickets()}
    await done(writing, asked.ActionComplete, WELCOME)
    assert (await writing.ticket(ASK))["status"] == "wait"


async def test_an_action_that_waits_for_the_answer_has_it_with_the_next_mail(writing: Office) -> None:
    """A21: that its mail has left ends nothing."""
    await report(writing, WELCOME, MailSent)
    await report(writing, ASK, MailSent)
    assert (await writing.ticket(ASK))["status"] == "wait"
    await writing.take_in(to(ASK, 8))
    action = await writing.ticket(ASK)
    assert (action["status"], action["new_information"]) == ("to_do", True)


async def test_where_there_is_nobody_to_write_to_people_have_to(office: Office) -> None:
    """A20: the timeline says so."""
    processes = (*WITH_CASES.processes[:-1], WRITING)
    await office.configure(WITH_CASES.model_copy(update={"processes": processes}), 2)
    erp = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
    await office.ask(asked.ActivityOpen(type="case.open", actor=erp, process="hiring", title="Nora"))
    action = await office.ticket(WELCOME)
    assert (action["status"], action["new_information"]) == ("to_do", True)
    assert "not_sent" in [kind for kind, _ in await office.rules(WELCOME)]
    assert await office.said("notify.requests.v1") == []
