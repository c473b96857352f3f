"""Tickets over HTTP: what is shown to whom, steps and their refusals (design §7, AMB-34, ST-23)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from services.activity.store_mails import by_id, update
from shared.blobs import BlobStore
from shared.contracts import activity_requests as asked
from shared.contracts.mail import Attachment
from shared.postgres import transaction
from tests.support.front_desk import Caller, connected, front_desk
from tests.support.office import ACME, Office, received

TICKET = "/v1/tickets/100001-T"


@pytest.fixture
async def client(office: Office, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with connected(front_desk(office, tmp_path)) as client:
        yield client


@pytest.fixture
def amelie(client: httpx.AsyncClient) -> Caller:
    """Works on both processes."""
    return Caller(client, "amelie")


@pytest.fixture
def bruno(client: httpx.AsyncClient) -> Caller:
    """Works on requests."""
    return Caller(client, "bruno")


@pytest.fixture
def clara(client: httpx.AsyncClient) -> Caller:
    """Works on invoices only."""
    return Caller(client, "clara")


@pytest.fixture
async def ticket(office: Office) -> str:
    """A Ticket of the process `request`."""
    await office.take_in(received(message_id="one@harbour.test"))
    return "100001-T"


async def test_a_ticket_is_shown_whole_to_whoever_may_see_its_process(ticket: str, amelie: Caller) -> None:
    answer = await amelie.get(TICKET)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert answer.headers["ETag"] == f'"{shown["version"]}"'
    assert (shown["reference"], shown["status"], shown["process"]) == (ticket, "to_do", "Process request")
    assert {contact["tag"] for contact in shown["contacts"]} >= {"primary_contact", "requester"}
    assert shown["description"] == "Text of one@harbour.test"


async def test_everybody_else_sees_header_data_only(ticket: str, clara: Caller) -> None:
    """AMB-34."""
    shown = (await clara.get(TICKET)).json()
    assert shown == {
        "reference": ticket,
        "kind": "ticket",
        "title": "My printer",
        "status": "to_do",
        "status_label": "To Do",
        "process": "Process request",
        "assignee": None,
        "queue": "desk",
        "due": {
            "at": None,
            "state": "not_set",
            "by_hand": False,
            "paused": None,
            "left_seconds": None,
            "sentence": None,
        },
        "permitted": False,
    }
    assert (await clara.get(f"{TICKET}/timeline")).status_code == 403
    assert (await clara.get(f"{TICKET}/steps")).status_code == 403
    refused = await clara.step("pick_up")
    assert refused.status_code == 403
    assert refused.json()["missing"] == ["process:request"]


async def test_another_organisation_sees_nothing(ticket: str, client: httpx.AsyncClient) -> None:
    eve = Caller(client, "amelie@elsewhere")
    assert (await eve.get(TICKET)).status_code == 404
    assert (await eve.get("/v1/tickets")).status_code == 404
    assert (await eve.step("pick_up")).status_code == 404


async def test_lists_are_filtered_and_paged_newest_first(
    office: Office, amelie: Caller, clara: Caller
) -> None:
    for number in range(5):
        await office.take_in(received(message_id=f"{number}@harbour.test", sender=f"c{number}@harbour.test"))
    await amelie.step("pick_up")
    first = (await amelie.get("/v1/tickets?limit=3")).json()
    rest = (await amelie.get(f"/v1/tickets?limit=3&after={first['next']}")).json()
    seen = [item["reference"] for item in (*first["items"], *rest["items"])]
    assert seen == [f"10000{number}-T" for number in (5, 4, 3, 2, 1)]
    assert rest["next"] is None

    async def found(caller: Caller, query: str) -> list[str]:
        return [item["reference"] for item in (await caller.get(f"/v1/tickets?{query}")).json()["items"]]

    assert await found(amelie, "assignee=amelie") == ["100001-T"]
    assert await found(amelie, "status=in_progress") == ["100001-T"]
    assert await found(amelie, "contact=C3@harbour.test") == ["100004-T"]
    assert await found(amelie, "queue=desk&process=invoice") == []
    # What only a permitted caller may know is no filter for others.
    assert await found(clara, "contact=c3@harbour.test") == []
    assert len(await found(clara, "queue=desk")) == 5
    assert (await amelie.get("/v1/tickets?after=nonsense")).status_code == 400


async def test_the_timeline_shows_mails_notes_and_status_changes(ticket: str, amelie: Caller) -> None:
    """ST-16."""
    await amelie.step("pick_up")
    await amelie.step("note", text="Called her")
    entries = (await amelie.get(f"{TICKET}/timeline")).json()["items"]
    assert [entry["version"] for entry in entries] == sorted((e["version"] for e in entries), reverse=True)
    by_type = {entry["type"]: entry for entry in entries}
    assert by_type["ticket.noted"]["note"] == "Called her"
    assert by_type["ticket.noted"]["actor"] == {"kind": "user", "id": "amelie"}
    opened = by_type["ticket.opened"]["mail"]
    assert opened["sender"]["address"] == "Carla.Customer@harbour.test"
    assert (opened["direction"], opened["text"]) == ("in", "Text of one@harbour.test")
    change = by_type["ticket.status_changed"]
    assert (change["was"], change["status"], change["reason"]) == (
        "to_do",
        "in_progress",
        "updated_by_resource",
    )
    asked = by_type["ticket.mail_requested"]["mail"]
    assert (asked["direction"], asked["purpose"], asked["outcome"]) == ("out", "acknowledgement", "requested")


async def test_what_can_be_done_now_is_told_with_reasons(ticket: str, amelie: Caller) -> None:
    offers = {offer["step"]: offer for offer in (await amelie.get(f"{TICKET}/steps")).json()}
    assert offers["pick_up"]["allowed"]
    assert not offers["reopen"]["allowed"]
    assert offers["reopen"]["detail"]


async def test_a_repeated_request_gets_the_same_answer(ticket: str, office: Office, amelie: Caller) -> None:
    """Design §2."""
    first = await amelie.step("note", key="k1", text="Once")
    again = await amelie.step("note", key="k1", text="Once")
    assert first.status_code == 200, first.text
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert await office.pool.fetchval("SELECT count(*) FROM notes") == 1
    other = await amelie.step("note", key="k1", text="Something else")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    answers = await office.said("activity.answers.v1")
    assert len({answer["headers"]["ce_id"] for answer in answers}) == 1


async def test_a_step_without_an_idempotency_key_is_not_taken(ticket: str, client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{TICKET}/steps/pick_up", json={}, headers={"Authorization": "Bearer amelie"})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


async def test_who_has_seen_an_older_version_is_told_who_has_it(
    ticket: str, amelie: Caller, bruno: Caller
) -> None:
    """ST-23: conflict names the present version and holder."""
    seen = (await bruno.get(TICKET)).json()["version"]
    assert (await amelie.step("pick_up", seen=seen)).status_code == 200
    late = await bruno.step("pick_up", seen=seen)
    assert late.status_code == 409
    problem = late.json()
    assert (problem["code"], problem["holder"]) == ("conflict", "amelie")
    assert problem["version"] > seen
    unconfirmed = await bruno.step("pick_up")
    assert (unconfirmed.status_code, unconfirmed.json()["missing"]) == (409, ["assignment"])
    assert (await bruno.step("pick_up", take_over=True)).status_code == 200
    assert (await bruno.get(TICKET)).json()["assignee"] == "bruno"


async def test_refusals_are_problems_with_state_and_step(ticket: str, amelie: Caller) -> None:
    refused = await amelie.step("reopen")
    problem = refused.json()
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.status_code, problem["code"], problem["reason"]) == (409, "step_refused", "not_allowed")
    assert (problem["state"], problem["step"]) == ("to_do", "reopen")
    assert (await amelie.step("fly")).status_code == 404
    invalid = await amelie.step("wait", days=0)
    assert (invalid.status_code, invalid.json()["code"]) == (422, "validation_failed")
    nobody = await amelie.step("assign", assignee="nobody")
    assert (nobody.status_code, nobody.json()["reason"]) == (422, "unknown_name")
    stranger = await amelie.step("assign", assignee="clara")
    assert stranger.json()["reason"] == "assignee_without_permission"


async def test_a_user_opens_a_draft_and_hands_it_in(office: Office, amelie: Caller) -> None:
    """T1, T5: what is missing is listed."""
    opened = await amelie.open(process="request", title="New laptop")
    assert opened.status_code == 201, opened.text
    assert opened.headers["Location"] == TICKET
    refused = await amelie.step("submit")
    assert refused.status_code == 422
    assert refused.json()["missing"] == ["description", "category", "primary_contact", "requester"]
    person = {"address": "Dora@harbour.test", "name": "Dora Dock"}
    edited = await amelie.step("edit", description="Please", category="Hardware", primary_contact=person)
    assert edited.status_code == 200, edited.text
    submitted = await amelie.step("submit")
    assert submitted.json()["status"] == "to_do"
    (compose,) = await office.asked_of_notify()
    assert compose["to"] == [{"address": "dora@harbour.test", "name": "Dora Dock"}]
    assert compose["in_reply_to"] is None


async def test_opening_needs_permission_for_the_process(clara: Caller) -> None:
    assert (await clara.open(process="request")).status_code == 403
    assert (await clara.open(process="nothing")).status_code == 422
    assert (await clara.open()).status_code == 422


async def test_a_reply_goes_to_the_customer_in_their_thread(
    ticket: str, office: Office, amelie: Caller
) -> None:
    """NT-10."""
    await amelie.step("reply", text="Have you tried turning it off?")
    compose = (await office.asked_of_notify())[-1]
    assert compose["to"] == [{"address": "carla.customer@harbour.test", "name": "Carla Customer"}]
    assert (compose["text"], compose["automatic"]) == ("Have you tried turning it off?", False)
    assert (compose["in_reply_to"], compose["subject"]) == ("one@harbour.test", "My printer")


async def test_files_and_html_of_mails_cannot_act(
    ticket: str, office: Office, amelie: Caller, clara: Caller, tmp_path: Path
) -> None:
    blobs = BlobStore(f"file://{tmp_path}", "ingest")
    html = await blobs.put(ACME, b"<p>Hello</p>", "text/html")
    file = await blobs.put(ACME, b"%PDF", "text/html; charset=x", '../r\xe9sum\xe9".pdf')
    (id_,) = await office.mails(ticket)
    async with transaction(office.pool) as connection:
        (mail,) = await by_id(connection, {(ACME, id_)})
        content = mail.content.model_copy(update={"html": html, "attachments": (Attachment(blob=file),)})
        await update(connection, {mail.key: mail}, [replace(mail, content=content)])
    shown = await amelie.get(f"{TICKET}/mails/{id_}/html")
    assert (shown.status_code, shown.text) == (200, "<p>Hello</p>")
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    saved = await amelie.get(f"{TICKET}/mails/{id_}/attachments/0")
    assert saved.content == b"%PDF"
    assert saved.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "/" not in saved.headers["Content-Disposition"]
    assert saved.headers["Content-Type"] == "application/octet-stream"
    assert saved.headers["X-Content-Type-Options"] == "nosniff"
    assert (await amelie.get(f"{TICKET}/mails/{id_}/attachments/1")).status_code == 404
    assert (await amelie.get(f"{TICKET}/mails/{uuid4()}/html")).status_code == 404
    assert (await clara.get(f"{TICKET}/mails/{id_}/html")).status_code == 403


async def test_labels_come_in_the_readers_language(ticket: str, amelie: Caller) -> None:
    """AMB-2."""
    french = {"Accept-Language": "fr-BE, en;q=0.5"}
    assert (await amelie.get(TICKET, **french)).json()["status_label"] == "À faire"


async def test_what_no_database_takes_is_the_callers_mistake(ticket: str, amelie: Caller) -> None:
    assert (await amelie.step("note", text="a\x00b")).status_code == 422
    person = {"address": "a@b.test", "name": "\x00"}
    assert (await amelie.step("edit", primary_contact=person)).status_code == 422
    assert (await amelie.get("/v1/tickets/1%00-T")).status_code == 404
    assert (await amelie.get("/v1/tickets?contact=a%00@b.test")).status_code == 422
    assert (await amelie.get("/v1/tickets/99999999999999999999-T")).status_code == 404


async def test_who_is_no_user_of_the_organisation_takes_no_step(
    ticket: str, client: httpx.AsyncClient
) -> None:
    nobody = Caller(client, "No Body")
    assert (await nobody.step("pick_up")).status_code == 403
    assert (await nobody.open(process="request")).status_code == 403


async def test_who_may_not_see_a_ticket_copies_nothing_of_it(
    office: Office, amelie: Caller, bruno: Caller, clara: Caller
) -> None:
    """LK-5, LK-7: linking with it is allowed, which shows header data only."""
    await office.take_in(received(message_id="1@harbour.test"))
    mine = {"process": "invoice", "title": "A part of it", "linked_to": "100001-T"}
    for copies in (["communications"], ["links"], ["fields"]):
        refused = await clara.open(**mine, copies=copies)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    opened = await clara.open(**mine)
    assert opened.status_code == 201
    seen = (await clara.get(f"/v1/tickets/{opened.json()['reference']}")).json()["links"]
    assert [(link["activity"]["reference"], link["activity"]["permitted"]) for link in seen] == [
        ("100001-T", False)
    ]
    assert "version" not in seen[0]["activity"]
    assert (await amelie.open(**mine, copies=["communications"])).status_code == 201


async def test_a_ticket_with_very_many_links_shows_them_page_by_page(office: Office, bruno: Caller) -> None:
    """LK-3: fifty in a step, any number in all."""
    mails = [
        received(message_id=f"{number}@many.test", conversation=f"{number:016x}") for number in range(71)
    ]
    await office.take_in(*mails)
    others = [f"{100002 + number}-T" for number in range(70)]
    for some in (others[:50], others[50:]):
        linked = await office.step(asked.ActivityLink, "100001-T", with_references=some)
        assert linked["type"] == "request.accepted", linked
    view = (await bruno.get("/v1/tickets/100001-T")).json()
    assert len(view["links"]) == 50
    rest = (await bruno.get(f"/v1/tickets/100001-T/links?after={view['more_links']}")).json()
    assert rest["next"] is None
    shown = [each["activity"]["reference"] for each in (*view["links"], *rest["items"])]
    assert shown == others
    assert (await bruno.get(f"/v1/tickets/{others[0]}")).json()["more_links"] is None
    too_many = await bruno.step("link", with_references=others[:51])
    assert too_many.status_code == 422


async def test_links_are_made_and_refused_over_http(office: Office, bruno: Caller) -> None:
    """LK-3: with the same codes as over Kafka; more than fifty are too many."""
    for number in (1, 2):
        await office.take_in(received(message_id=f"{number}@harbour.test", conversation=f"{number:016x}"))
    done = await bruno.step("link", with_references=["100002-T"])
    assert (done.status_code, done.headers["ETag"]) == (200, f'"{done.json()["version"]}"')
    unknown = await bruno.step("link", with_references=["100002-T", "999999-T"])
    assert (unknown.status_code, unknown.json()["missing"]) == (404, ["999999-T"])
    itself = await bruno.step("link", with_references=["100001-T"])
    assert (itself.status_code, itself.json()["reason"]) == (422, "linked_with_itself")
    many = await bruno.step("link", with_references=[f"{number}-T" for number in range(51)])
    assert many.status_code == 422
    offered = {each["step"]: each["allowed"] for each in (await bruno.get(f"{TICKET}/steps")).json()}
    assert (offered["link"], offered["unlink"]) == (True, True)
