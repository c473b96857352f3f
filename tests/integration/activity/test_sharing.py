"""Mails that stand on linked Tickets, too, and where their answers go (SH-1 to SH-3)."""

from typing import Any
from uuid import UUID

import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.ingest_mails import Answered
from tests.support.office import HELP, Office, received

A, B, C = "100001-T", "100002-T", "100003-T"


async def linked(office: Office) -> UUID:
    """A hub with two spokes; returns the mail that the hub was opened by."""
    for number in (1, 2, 3):
        to = ["billing@acme.test"] if number == 2 else [HELP]
        await office.take_in(
            received(message_id=f"{number}@harbour.test", conversation=f"{number:016x}", to=to)
        )
    await office.step(asked.ActivityLink, A, with_references=[B, C])
    mail: UUID = (await office.ticket(A))["opening_mail"]
    return mail


async def share(office: Office, mail: UUID, *others: str, of: str = A, by: str = "amelie") -> Any:
    return await office.step(asked.ActivityShareMail, of, by, mail=mail, with_references=others)


async def appended(office: Office) -> set[str]:
    """The Tickets that a mail was appended to."""
    return {each for each in (A, B, C) if ("mail_appended", "T36") in await office.rules(each)}


async def test_a_shared_mail_stands_on_both(office: Office) -> None:
    """SH-1, ST-25: without a second copy of it, and somebody should look at it."""
    mail = await linked(office)
    assert (await share(office, mail, B))["type"] == "request.accepted"
    gave, got = (await office.history(A))[-1], (await office.history(B))[-2]
    assert [(row["type"], row["rule"], row["mail"]) for row in (gave, got)] == [
        ("ticket.mail_shared", "SH-1", mail)
    ] * 2
    assert (gave["event"]["with_reference"], gave["event"]["received"]) == (B, False)
    assert (got["event"]["with_reference"], got["event"]["received"]) == (A, True)
    assert (await office.ticket(B))["new_information"] is True
    assert await office.pool.fetchval("SELECT count(*) FROM activity_mails WHERE mail = $1", mail) == 2


async def test_who_has_it_is_passed_over(office: Office) -> None:
    """SH-1, SH-2: and there is no way back, not even by unlinking."""
    mail = await linked(office)
    await share(office, mail, B)
    before = [await office.history(each) for each in (A, B)]
    assert (await share(office, mail, B))["type"] == "request.accepted"
    assert [await office.history(each) for each in (A, B)] == before
    await office.step(asked.ActivityUnlink, A, with_references=[B])
    await office.take_in(received(message_id="8@harbour.test", in_reply_to="1@harbour.test"))
    assert await appended(office) == {A, B}


async def test_an_answer_to_a_shared_mail_comes_to_both(office: Office) -> None:
    """SH-3, IN-2: through the mailbox that the mail came to, which is not B's own."""
    mail = await linked(office)
    await share(office, mail, B)
    await office.take_in(received(message_id="8@harbour.test", in_reply_to="1@harbour.test"))
    assert await appended(office) == {A, B}
    # Where that mailbox is not addressed any more, it is an answer to neither.
    elsewhere = received(message_id="9@harbour.test", in_reply_to="1@harbour.test", to=["billing@acme.test"])
    await office.take_in(elsewhere)
    assert "9@harbour.test" not in {
        row["message_id"]
        for row in await office.pool.fetch(
            """SELECT message_id FROM mails JOIN activity_mails ON mail = id
            WHERE activity = ANY($1::uuid[])""",
            [(await office.ticket(each))["id"] for each in (A, B)],
        )
    }


async def test_what_we_wrote_can_be_shared_before_it_is_sent(office: Office) -> None:
    """SH-1, SH-3: the customer's answer names our own Message-ID."""
    await linked(office)
    await office.step(asked.ActivityReply, A, text="Both of us look after it.")
    written = (await office.asked_of_notify())[-1]
    assert (await share(office, written["mail"], B))["type"] == "request.accepted"
    await office.pool.execute(
        "UPDATE mails SET message_id = 'ours@acme.test' WHERE id = $1", UUID(written["mail"])
    )
    token = Answered(message_id="ours@acme.test", reference=A, conversation="0" * 16, direct=True)
    await office.take_in(
        received(message_id="8@harbour.test", in_reply_to="ours@acme.test", answered=[token])
    )
    assert await appended(office) == {A, B}


async def test_what_was_a_copy_is_shared_like_any_other(office: Office) -> None:
    """LK-5, SH-3: from then on answers come to it."""
    mail = await linked(office)
    opened = await office.step(asked.ActivityLink, A, with_references=[B])
    assert opened["type"] == "request.accepted"
    request = asked.ActivityOpen(
        actor=asked.Actor(kind=asked.ActorKind.USER, id="amelie"),
        process="request",
        title="A part of it",
        linked_to=A,
        copies=["communications"],
    )
    copy = (await office.ask(request))["reference"]
    assert (await share(office, mail, copy))["type"] == "request.accepted"
    await office.take_in(received(message_id="8@harbour.test", in_reply_to="1@harbour.test"))
    assert ("mail_appended", "T36") in await office.rules(copy)


@pytest.mark.parametrize(
    ("others", "code", "missing"),
    [
        ([C, "999999-T"], "not_found", ["999999-T"]),
        ([C, A], "linked_with_itself", [A]),
        ([C, "100004-T"], "not_linked", ["100004-T"]),
        ([C, B], "closed", [B]),
    ],
)
async def test_all_get_it_or_none(office: Office, others: list[str], code: str, missing: list[str]) -> None:
    """SH-2: each reason has a code, and names what it is about."""
    mail = await linked(office)
    await office.take_in(received(message_id="4@harbour.test", conversation="4" * 16))
    await office.step(asked.TicketResolve, B, method=asked.ResolutionMethod.REJECTED_AS_SPAM)
    answer = await share(office, mail, *others)
    assert (answer["code"], answer["missing"]) == (code, missing)
    assert "mail_shared" not in {type_ for type_, _ in await office.rules(C)}


async def test_a_closed_ticket_shares_nothing(office: Office) -> None:
    """SH-2, T38: and nobody shares a mail that stands elsewhere."""
    mail = await linked(office)
    assert (await share(office, mail, A, of=B))["code"] == "not_found"
    await office.step(asked.TicketResolve, A, method=asked.ResolutionMethod.REJECTED_AS_SPAM)
    assert (await share(office, mail, B))["code"] == "closed"


async def test_mails_are_shared_with_those_that_one_may_not_open(office: Office) -> None:
    """SH-2: bruno works on requests only, and B is an invoice."""
    mail = await linked(office)
    assert (await share(office, mail, B, by="bruno"))["type"] == "request.accepted"
