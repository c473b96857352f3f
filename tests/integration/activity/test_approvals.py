"""Approvals on a real database: mails that ask, answers over Kafka and HTTP, new rounds (A25)."""

import httpx

from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests_approvals import ActionApprove, ActionDecline
from shared.contracts.ingest_mails import PlusReference
from shared.contracts.notify_mails import MailFailed, MailSent
from tests.support.approvals import CASE, CONSENT, answer, links, mails, report
from tests.support.front_desk import Caller
from tests.support.office import Office, received


async def test_everybody_of_a_level_gets_a_mail_with_a_link_of_his_own(asking: Office) -> None:
    """From the mailbox of the Case, as an answer to nobody, with nothing that a stranger wrote."""
    action = await asking.ticket(CONSENT)
    assert (action["status"], action["wait"], action["queue"]) == ("wait", "more_information", None)
    first, second = await mails(asking)
    assert [each["to"][0]["address"] for each in (first, second)] == [
        "amelie@people.test",
        "bruno@people.test",
    ]
    assert (first["template"], first["mailbox"], first["automatic"]) == ("please", "help", True)
    assert (first["reference"], first["in_reply_to"]) == (CONSENT, None)
    assert first["variables"]["link"] != second["variables"]["link"]
    events = [row["event"] for row in await asking.history(CONSENT)]
    (told,) = (each for each in events if each["type"] == "action.approval_asked")
    assert (told["round"], told["level"], told["approvers"]) == (1, 1, ["amelie", "bruno"])
    assert "people.test" not in str(events)


async def test_level_after_level_is_asked_and_then_the_case_goes_on(asking: Office) -> None:
    """Answered over Kafka; who is asked needs no role in the process."""
    assert (await answer(asking, ActionApprove, "amelie"))["type"] == "request.accepted"
    twice = await answer(asking, ActionApprove, "amelie")
    assert (twice["code"], twice["missing"]) == ("not_asked", ["being_asked"])
    assert len(await mails(asking)) == 2
    await answer(asking, ActionApprove, "bruno", comment="Within the budget")
    assert [each["to"][0]["address"] for each in (await mails(asking))[2:]] == [
        "clara@people.test",
        "bruno@people.test",
    ]
    await answer(asking, ActionApprove, "clara")
    action = await asking.ticket(CONSENT)
    assert (action["status"], action["resolution"]["method"]) == ("closed", "complete")
    notes = await asking.pool.fetch("SELECT text FROM notes")
    assert [each["text"] for each in notes] == ["Within the budget"]
    ended = [row["event"] for row in await asking.history(CASE) if row["type"] == "case.action_ended"]
    assert [each["ended"]["reference"] for each in ended] == [CONSENT]


async def test_who_declines_brings_it_to_people_and_a_new_round_voids_what_was_asked(
    asking: Office, browser: httpx.AsyncClient
) -> None:
    old = await links(asking)
    await answer(asking, ActionDecline, "bruno", comment="Too much")
    action = await asking.ticket(CONSENT)
    assert (action["status"], action["queue"], action["new_information"]) == ("to_do", "desk", True)
    assert (await browser.get(old["amelie"])).json()["code"] == "link_void"
    assert (await asking.step(asked.CaseWait, CONSENT))["type"] == "request.accepted"
    new = await links(asking)
    assert len(await mails(asking)) == 4
    for path in old.values():
        assert (await browser.get(path)).status_code == 410
    assert [(await browser.get(path)).status_code for path in new.values()] == [200, 200]
    await asking.step(asked.CaseWait, CONSENT)
    assert [(await browser.get(path)).json()["code"] for path in new.values()] == ["link_void"] * 2
    assert len(await mails(asking)) == 6


async def test_a_mail_that_cannot_be_sent_brings_it_to_people(asking: Office) -> None:
    first, second = await mails(asking)
    await report(asking, MailSent, first, recipients=(), attempts=1)
    assert (await asking.ticket(CONSENT))["status"] == "wait"
    await report(asking, MailFailed, second, recipients=(), attempts=1, reason="no such user")
    action = await asking.ticket(CONSENT)
    assert (action["status"], action["new_information"]) == ("to_do", True)


async def test_an_answer_by_mail_brings_it_to_people_and_voids_the_links(
    asking: Office, browser: httpx.AsyncClient
) -> None:
    """A6."""
    address = f"help+{CONSENT.lower()}@acme.test"
    plus = PlusReference(address=address, mailbox="help", reference=CONSENT, signed=True)
    await asking.take_in(received("Re: Please decide", message_id="3@x.test", to=(address,), plus=(plus,)))
    assert (await asking.ticket(CONSENT))["status"] == "to_do"
    for path in (await links(asking)).values():
        assert (await browser.get(path)).json()["code"] == "link_void"


async def test_an_answer_over_kafka_may_say_which_level_it_is_to(asking: Office) -> None:
    for place in ({"level": 2}, {"round": 2}):
        refused = await answer(asking, ActionApprove, "amelie", **place)
        assert (refused["code"], refused["missing"]) == ("not_asked", ["being_asked"])
    assert (await answer(asking, ActionApprove, "amelie", round=1, level=1))["type"] == "request.accepted"


async def test_people_approve_over_http_with_their_own_token(
    asking: Office, browser: httpx.AsyncClient
) -> None:
    amelie, clara = (Caller(browser, name, f"/v1/actions/{CONSENT}") for name in ("amelie", "clara"))
    refused = await clara.step("approve")
    assert (refused.status_code, refused.json()["reason"]) == (409, "not_asked")
    assert (await amelie.step("approve")).status_code == 200
    task = (await amelie.get(f"/v1/actions/{CONSENT}")).json()["task"]
    assert task["approval"] == {
        "round": 1,
        "level": 1,
        "levels": 2,
        "waits": True,
        "approvers": [{"user": "amelie", "approved": True}, {"user": "bruno", "approved": None}],
    }
