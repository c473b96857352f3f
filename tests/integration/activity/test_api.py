"""Steps of Tickets over HTTP, and their refusals (design §7, ST-23)."""

import httpx

from tests.support.front_desk import TICKET, Caller
from tests.support.office import Office


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
