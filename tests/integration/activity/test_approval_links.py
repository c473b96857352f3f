"""Links of approvers: who decides by them, what they show, and that nobody else gets to see one (A25)."""

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from services.activity.approval_links import ApprovalLink
from shared.blobs import BlobStore
from shared.contracts.activity_requests_approvals import ActionApprove
from shared.contracts.ingest_mails import PlusReference
from shared.contracts.mail import Content, Mailbox
from shared.contracts.notify_mails import MailComposed
from shared.postgres import transaction
from tests.support.approvals import CASE, CONSENT, PAGE, answer, links, mails, report
from tests.support.databases import waiting_for_locks
from tests.support.front_desk import Caller
from tests.support.office import LINKS, Office, received
from tests.support.waiting import eventually


async def test_whoever_reads_the_timeline_cannot_decide_by_it(
    asking: Office, browser: httpx.AsyncClient
) -> None:
    compose, _ = await mails(asking)
    content = Content(subject="Please decide", text=f"See {compose['variables']['link']} please")
    sender = Mailbox(address="help@acme.test")
    to = (Mailbox(address="amelie@people.test"),)
    more = {"sender": sender, "to": to, "cc": (), "content": content, "mailbox": "help", "automatic": True}
    await report(asking, MailComposed, compose, **more)
    shown = await Caller(browser, "bruno").get(f"/v1/actions/{CONSENT}/timeline")
    assert "See https://mailroom.test/v1/approvals/… please" in shown.text
    assert compose["variables"]["link"] not in shown.text


async def test_a_mail_that_quotes_the_request_shows_no_link(
    asking: Office, browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    """A machine answers in the approver's place, and its answer lets the approval wait."""
    link = (await mails(asking))[0]["variables"]["link"]
    blobs = BlobStore(f"file://{tmp_path}", "activity")
    quoted = f"> See {link} please"
    html = await blobs.put("acme", f'<a href="{link}">{link}</a> is \N{SNOWMAN}'.encode(), "text/html")
    whole = await blobs.put("acme", f"{quoted}, all of it".encode(), "text/plain")
    address = f"help+{CONSENT.lower()}@acme.test"
    plus = PlusReference(address=address, mailbox="help", reference=CONSENT, signed=True)
    came = received("Away", message_id="3@x.test", to=(address,), plus=(plus,), automatic="auto-replied")
    content = Content(subject="Away", text=quoted, html=html, full_text=whole)
    message = came.message.model_copy(update={"content": content})
    await asking.take_in(replace(came, message=message))
    amelie = Caller(browser, "amelie")
    timeline = await amelie.get(f"/v1/actions/{CONSENT}/timeline")
    (mail,) = [each["mail"] for each in timeline.json()["items"] if (each["mail"] or {}).get("html")]
    place = f"/v1/actions/{CONSENT}/mails/{mail['id']}"
    shown = [timeline, *[await amelie.get(f"{place}/{part}") for part in ("html", "text")]]
    assert [each.status_code for each in shown] == [200, 200, 200]
    cut = "https://mailroom.test/v1/approvals/…"
    assert shown[1].text == f'<a href="{cut}">{cut}</a> is \N{SNOWMAN}'
    assert shown[2].text == f"> See {cut} please, all of it"
    assert mail["text"] == f"> See {cut} please"
    assert link not in "".join(each.text for each in shown)
    kept = [dict(row) for row in await asking.pool.fetch("SELECT * FROM mails")]
    assert link not in str(kept)


async def test_what_is_opened_by_a_mail_that_quotes_a_request_has_no_link(asking: Office) -> None:
    link = (await mails(asking))[0]["variables"]["link"]
    came = received("Away", message_id="4@x.test", conversation="4" * 16)
    content = Content(subject="Away", text=f"> See {link} please")
    await asking.take_in(replace(came, message=came.message.model_copy(update={"content": content})))
    opened = [each["description"] for each in await asking.tickets() if each["title"] == "Away"]
    assert opened == ["> See https://mailroom.test/v1/approvals/… please"]


async def test_a_link_shows_a_page_and_decides_nothing_however_often_it_is_followed(
    asking: Office, browser: httpx.AsyncClient
) -> None:
    """And no title runs scripts there."""
    path = (await links(asking))["amelie"]
    before = await asking.written()
    for _ in range(2):
        shown = await browser.get(path, headers=PAGE)
        assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert await asking.written() == before
    assert "script" not in shown.text.replace("&lt;script&gt;", "").replace("&lt;/script&gt;", "")
    for said in (
        "Agree to the costs",
        CONSENT,
        "Process hiring",
        "She &amp; a dog",
        "Device",
        "laptop",
    ):
        assert said in shown.text
    assert "Bruno has not answered yet" in shown.text
    assert shown.headers["cache-control"] == "private, no-store"
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in shown.headers["x-robots-tag"]
    assert "default-src 'none'" in shown.headers["content-security-policy"]


async def test_a_form_decides_as_the_user_whom_the_link_names(
    asking: Office, browser: httpx.AsyncClient
) -> None:
    path = (await links(asking))["amelie"]
    done = await browser.post(path, data={"decision": "approve", "comment": "  "}, headers=PAGE)
    assert (done.status_code, "You have approved" in done.text) == (200, True)
    given = [row for row in await asking.history(CONSENT) if row["type"] == "action.approval_given"]
    assert [(row["actor_kind"], row["actor"]) for row in given] == [("user", "amelie")]
    again = await browser.post(path, data={"decision": "decline", "comment": "No"}, headers=PAGE)
    assert (again.status_code, "You have approved it already" in again.text) == (410, True)
    told = await browser.post(path, json={"decision": "approve"})
    assert (told.status_code, told.json()["code"], told.json()["approved"]) == (410, "link_used", True)
    assert (await asking.ticket(CONSENT))["status"] == "wait"


async def test_json_decides_too_and_who_declines_says_why(asking: Office, browser: httpx.AsyncClient) -> None:
    path = (await links(asking))["bruno"]
    for body in ({"decision": "decline"}, {"decision": "decline", "comment": " "}):
        refused = await browser.post(path, json=body)
        assert (refused.status_code, refused.json()["missing"]) == (422, ["comment"])
    page = await browser.post(path, data={"decision": "decline"}, headers=PAGE)
    assert (page.status_code, "Say in a comment why" in page.text, "<form" in page.text) == (422, True, True)
    done = await browser.post(path, json={"decision": "decline", "comment": "Not this year"})
    assert done.json() == {"reference": CONSENT, "approved": False}
    assert (await asking.ticket(CONSENT))["status"] == "to_do"
    assert await asking.pool.fetchval("SELECT text FROM notes") == "Not this year"


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/plain", b"approve", 415),
        ("application/json", b"{", 400),
        ("application/json", b"[]", 422),
        ("application/json", b'{"decision": "maybe"}', 422),
        ("application/json", b'{"decision": "approve", "more": 1}', 422),
        ("application/x-www-form-urlencoded", b"decision=approve&comment=%FF%00", 422),
        ("application/x-www-form-urlencoded", b"\xff", 400),
    ],
)
async def test_what_is_no_decision_decides_nothing(
    asking: Office, browser: httpx.AsyncClient, content_type: str, body: bytes, status: int
) -> None:
    path = (await links(asking))["amelie"]
    refused = await browser.post(path, content=body, headers={"Content-Type": content_type})
    assert (refused.status_code, refused.headers["cache-control"]) == (status, "private, no-store")
    assert (await browser.get(path)).status_code == 200


async def test_a_link_that_is_none_of_ours_is_not_found(asking: Office, browser: httpx.AsyncClient) -> None:
    path = (await links(asking))["amelie"]
    action = (await asking.ticket(CONSENT))["id"]
    case = (await asking.ticket(CASE))["id"]
    elsewhere = [
        ApprovalLink("nowhere", action, 1, 1, "amelie"),
        ApprovalLink("acme", case, 1, 1, "amelie"),
    ]
    for each in (path[:-2], f"{path}AA", "/v1/approvals/x", *(LINKS.url(one) for one in elsewhere)):
        gone = await browser.get(each.removeprefix("https://mailroom.test"))
        assert (gone.status_code, gone.json()["code"]) == (404, "link_unknown")
        shown = await browser.get(each.removeprefix("https://mailroom.test"), headers=PAGE)
        assert (shown.status_code, "none of ours" in shown.text) == (404, True)


async def test_of_two_who_use_a_link_at_once_one_decides(asking: Office, browser: httpx.AsyncClient) -> None:
    path = (await links(asking))["amelie"]
    answers = await asyncio.gather(*(browser.post(path, json={"decision": "approve"}) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [200, 410, 410, 410]
    assert {each.json()["code"] for each in answers if each.status_code == 410} == {"link_used"}
    given = [row for row in await asking.history(CONSENT) if row["type"] == "action.approval_given"]
    assert len(given) == 1


async def test_a_double_click_answers_one_level_and_not_the_next_that_asks_the_same_person(
    asking: Office, browser: httpx.AsyncClient
) -> None:
    """Both have found the link good before either is carried out: their Case is held until then."""
    await answer(asking, ActionApprove, "amelie")
    path = (await links(asking))["bruno"]

    async def both_wait() -> bool:
        return bool(await waiting_for_locks(asking.pool) == 2)

    async with transaction(asking.pool) as connection:
        await connection.execute("SELECT 1 FROM families FOR UPDATE")
        clicks = [asyncio.create_task(browser.post(path, json={"decision": "approve"})) for _ in range(2)]
        await eventually(both_wait)
    answers = await asyncio.gather(*clicks)
    assert sorted(each.status_code for each in answers) == [200, 410]
    assert [each.json()["code"] for each in answers if each.status_code == 410] == ["link_used"]
    given = [row["event"] for row in await asking.history(CONSENT) if row["type"] == "action.approval_given"]
    assert [each["level"] for each in given] == [1, 1]
    assert (await asking.ticket(CONSENT))["status"] == "wait"
    assert (await browser.get((await links(asking))["bruno"])).status_code == 200
