"""A Ticket goes on as a Case, and ends with it (T30 to T32)."""

from typing import Any

import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.ingest_mails import PlusReference
from tests.support.hiring import WITH_CASES
from tests.support.office import ACME, Office, received, user

TICKET, CASE = "100001-T", "100001-C"
LAPTOP, ACCOUNT = f"{CASE}-A1.1", f"{CASE}-A1.2"


@pytest.fixture
async def hiring(office: Office) -> Office:
    """An office that hires, with a Ticket of a mail that asks for that."""
    await office.configure(WITH_CASES, 2)
    await office.take_in(received("Nora starts in March", message_id="one@harbour.test"))
    return office


async def convert(office: Office, **fields: Any) -> Any:
    fields = {"process": "hiring", "fields": {"device": "laptop"}} | fields
    return await office.step(asked.TicketConvert, TICKET, **fields)


async def test_a_ticket_goes_on_as_a_case_with_its_number(hiring: Office) -> None:
    """T30, GL-7, LK-1: the Case has its title, contacts and mails, and runs; the Ticket waits for it."""
    answer = await convert(hiring)
    assert answer["type"] == "request.accepted", answer
    assert [each["reference"] for each in answer["others"]] == [CASE]
    ticket, case = await hiring.ticket(TICKET), await hiring.ticket(CASE)
    assert (ticket["status"], ticket["wait"]) == ("wait", "case_launched")
    assert (case["status"], case["title"], case["owner"]) == ("to_do", "Nora starts in March", "amelie")
    assert (await hiring.ticket(LAPTOP))["status"] == "to_do"
    tags = await hiring.pool.fetch("SELECT tag FROM activity_contacts WHERE activity = $1", case["id"])
    assert len(tags) == 4
    mails = await hiring.pool.fetch("SELECT mail FROM activity_mails WHERE activity = $1", case["id"])
    assert ticket["opening_mail"] in [each["mail"] for each in mails]


async def test_a_mail_for_the_ticket_goes_to_the_case(hiring: Office) -> None:
    """T32, IN-10."""
    await convert(hiring)
    before = await hiring.ticket(TICKET)
    named = f"help+{TICKET.lower()}@acme.test"
    plus = PlusReference(address=named, mailbox="help", reference=TICKET, signed=True)
    await hiring.take_in(
        received("Re: Nora", message_id="two@harbour.test", in_reply_to="one@harbour.test"),
        received("Nora's address", message_id="three@harbour.test", to=(named,), plus=(plus,)),
    )
    assert (await hiring.ticket(TICKET))["version"] == before["version"]
    assert (await hiring.ticket(CASE))["new_information"]
    appended = [row for row in await hiring.history(CASE) if row["type"] == "case.mail_appended"]
    assert [row["event"]["matched_by"] for row in appended] == ["in_reply_to", "converted"]


@pytest.mark.parametrize("end", ["abandoned", "done"])
async def test_the_ticket_is_closed_with_its_case_however_that_ends(hiring: Office, end: str) -> None:
    """T31, AMB-17: resolved alone changes nothing."""
    await convert(hiring, fields={"device": None})
    if end == "abandoned":
        await hiring.step(asked.CaseAbandon, CASE)
    else:
        await hiring.step(asked.ActionComplete, f"{CASE}-A1.1")
        await hiring.step(asked.ActionComplete, f"{CASE}-A3.1")
        await hiring.step(asked.ActionComplete, f"{CASE}-A3.1", by="bruno")
        assert (await hiring.ticket(CASE))["status"] == "resolved"
        assert (await hiring.ticket(TICKET))["status"] == "wait"
        await hiring.step(asked.CaseAbandon, CASE)
    ticket = await hiring.ticket(TICKET)
    assert (ticket["status"], ticket["resolution"]["method"]) == ("closed", "case_launched")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"process": "invoice"}, "other_kind"),
        ({"process": "nothing"}, "unknown_name"),
        ({"fields": {"colour": "red"}}, "invalid_fields"),
        ({"expected_version": 1}, "conflict"),
    ],
)
async def test_half_a_conversion_is_none(hiring: Office, fields: dict[str, Any], code: str) -> None:
    """Refused, with its own code, and nothing is done."""
    await hiring.step(asked.ActivityPickUp, TICKET)
    before = await hiring.written()
    answer = await convert(hiring, **fields)
    assert (answer["type"], answer["code"]) == ("request.refused", code)
    assert await hiring.written() == before


async def test_who_may_not_work_on_the_cases_converts_nothing(hiring: Office) -> None:
    """A request needs its role in every process that it names."""
    users = tuple(
        each.model_copy(update={"processes": ("request",), "leads": ()}) if each.name == "bruno" else each
        for each in WITH_CASES.users
    )
    await hiring.configure(WITH_CASES.model_copy(update={"users": users}), 3)
    request = asked.TicketConvert(actor=user("bruno"), reference=TICKET, process="hiring")
    assert (await hiring.ask(request, org=ACME))["code"] == "forbidden"
