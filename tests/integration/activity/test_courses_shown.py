"""The course of a Case over HTTP: as a document, and as a drawing that nobody else may see."""

from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from shared.contracts import activity_requests as asked
from tests.support.front_desk import Caller, connected, front_desk
from tests.support.hiring import WITH_CASES
from tests.support.office import Office, user

CASE = "100001-C"
DRAWING, COURSE = f"/v1/cases/{CASE}/drawing", f"/v1/cases/{CASE}/course"


@pytest.fixture
async def client(office: Office, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """An office with a Case whose account could not be made, and is made again."""
    await office.configure(WITH_CASES, 2)
    opened = asked.ActivityOpen(
        type="case.open",
        actor=user("amelie"),
        process="hiring",
        title="<script>alert('Nora')</script>",
        fields={"device": "laptop"},
    )
    answers = [
        await office.ask(opened),
        await office.step(asked.ActivitySubmit, CASE),
        await office.step(asked.ActionGiveUp, f"{CASE}-A1.2", reason="There is no licence left."),
    ]
    assert [each["type"] for each in answers] == ["request.accepted"] * 3
    async with connected(front_desk(office, tmp_path)) as client:
        yield client


async def drawing(client: httpx.AsyncClient) -> list[str]:
    """What stands in it, once it was read as XML."""
    answer = await Caller(client, "amelie").get(DRAWING)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    root = ElementTree.fromstring(answer.content)
    assert "script" not in {each.tag.rpartition("}")[2] for each in root.iter()}
    return [each.text or "" for each in root.iter() if each.tag.endswith("}text")]


async def test_a_case_is_drawn_with_what_failed_and_what_is_done_again(
    client: httpx.AsyncClient, office: Office
) -> None:
    """CA-5, C17: also what was passed over, and who did what."""
    said = await drawing(client)
    assert f"{CASE} · <script>alert('Nora')</script>" in said
    assert f"Needs attention: Create the account ({CASE}-A1.2) could not be done" in said
    assert {"Unable to complete", "by Amélie", "Prepare", "Ship", "Welcome", "in Store"} <= set(said)
    await office.step(asked.CaseRework, CASE, step=1, action="account")
    said = await drawing(client)
    assert "done again" in said
    assert {f"{CASE}-A1.2", f"{CASE}-A1.3"} <= set(said)
    assert not any(each.startswith("Needs attention") for each in said)


async def test_the_course_says_the_same_as_a_document(client: httpx.AsyncClient, office: Office) -> None:
    """CA-5; where the Case is over, nothing is to come."""
    shown = (await Caller(client, "amelie").get(COURSE)).json()
    assert (shown["attention"], shown["because"]) == (True, f"{CASE}-A1.2")
    assert [step["state"] for step in shown["steps"]] == ["current", "to_come", "to_come"]
    assert [each["method"] for each in shown["steps"][0]["actions"]] == [None, "unable_to_complete"]
    await office.step(asked.CaseAbandon, CASE)
    shown = (await Caller(client, "amelie").get(COURSE)).json()
    assert [step["state"] for step in shown["steps"]] == ["done", "passed_over", "passed_over"]


async def test_nothing_in_the_drawing_acts_wherever_it_is_opened(client: httpx.AsyncClient) -> None:
    headers = (await Caller(client, "amelie").get(DRAWING)).headers
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-store"


async def test_who_may_not_read_the_process_gets_no_drawing(
    client: httpx.AsyncClient, office: Office
) -> None:
    """AMB-34."""
    users = tuple(
        each.model_copy(update={"processes": ("request",), "leads": ()}) if each.name == "bruno" else each
        for each in WITH_CASES.users
    )
    await office.configure(WITH_CASES.model_copy(update={"users": users}), 3)
    refused = await Caller(client, "bruno").get(DRAWING)
    assert (refused.status_code, refused.json()["missing"]) == (403, ["process:hiring"])


async def test_what_is_no_case_is_not_drawn(client: httpx.AsyncClient) -> None:
    answer = await Caller(client, "amelie").get(f"/v1/cases/{CASE}-A1.1/drawing")
    assert (answer.status_code, "is no Case, but an Action" in answer.json()["detail"]) == (404, True)


async def test_sub_cases_that_one_may_not_open_are_header_data(
    client: httpx.AsyncClient, office: Office
) -> None:
    """AMB-34, CA-7: in the course, and beside the Case."""
    await office.step(asked.CaseStartSubCase, CASE, process="equipping", title="A desk for Nora")
    people = tuple(
        each.model_copy(update={"processes": ("hiring",), "leads": ()}) if each.name == "bruno" else each
        for each in WITH_CASES.users
    )
    hiding = WITH_CASES.rules.model_copy(update={"hide_titles": True})
    await office.configure(WITH_CASES.model_copy(update={"users": people, "rules": hiding}), 3)

    for who, title in (("amelie", "A desk for Nora"), ("bruno", None)):
        (line,) = (await Caller(client, who).get(COURSE)).json()["sub_cases"]
        shown = (await Caller(client, who).get(f"/v1/cases/{CASE}")).json()
        (header,) = shown["family"]["sub_cases"]
        assert (line["reference"], line["title"], header["title"]) == ("100002-C", title, title)
        drawn = (await Caller(client, who).get(DRAWING)).text
        assert ("A desk for Nora" in drawn) is (title is not None)
