"""Bad input over HTTP and over Kafka: each has its own code and sentence, and half of nothing is done."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.activity.handlers import refuse
from services.activity.resources import MODELS
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import Company, ContactScope, Contract, Service
from shared.contracts.envelope import Envelope
from shared.decoding import Incoming, Unreadable, decode
from shared.references import ReferenceKind
from shared.topics import ACTIVITY_REQUESTS
from tests.support.front_desk import Caller, connected, front_desk
from tests.support.notes import Raw
from tests.support.office import DEFINITION, NOON, Office, process, received, user

OPEN, CLOSED, ELSEWHERE = "100001-T", "100002-T", "100004-T"
STRANGER = {"address": "stan@quay.test"}
LONG = "x" * 2_000_000


@dataclass(frozen=True)
class Bad:
    """What is wrong, asked of `reference` (None opens a Ticket), and what the answers must be."""

    step: str
    fields: dict[str, Any]
    status: int
    code: str
    reason: str
    says: str
    reference: str | None = OPEN


ROWS = {
    "an unknown process": Bad(
        "open", {"process": "nothing"}, 422, "validation_failed", "unknown_name", "nothing", None
    ),
    "another company's contact": Bad(
        "open",
        {"process": "request", "primary_contact": STRANGER},
        422,
        "validation_failed",
        "contact_of_another_company",
        "another company",
        None,
    ),
    "another company's contact on a Ticket that there is": Bad(
        "edit",
        {"title": "Never written", "primary_contact": STRANGER},
        422,
        "validation_failed",
        "contact_of_another_company",
        "another company",
    ),
    "a date in the past": Bad(
        "wait_until",
        {"until": "2020-01-01T00:00:00Z"},
        422,
        "validation_failed",
        "incomplete",
        "a time in the future",
    ),
    "another organisation's reference": Bad(
        "pick_up", {}, 404, "not_found", "not_found", ELSEWHERE, ELSEWHERE
    ),
    "a step on a closed Ticket": Bad("pick_up", {}, 409, "step_refused", "closed", "is Closed", CLOSED),
    "another organisation's reference inside": Bad(
        "merge_into", {"into": ELSEWHERE}, 404, "not_found", "not_found", ELSEWHERE
    ),
    "a link with another organisation's": Bad(
        "link", {"with_references": [ELSEWHERE]}, 404, "not_found", "not_found", ELSEWHERE
    ),
    "a due date in the past": Bad(
        "set_due_date",
        {"due": "2020-01-01T00:00:00Z"},
        422,
        "validation_failed",
        "incomplete",
        "a time in the future",
    ),
    "half a split": Bad(
        "split",
        {"parts": [{"title": "One", "description": "Half", "category": "Other"}]},
        422,
        "validation_failed",
        "incomplete_split",
        "at least two parts",
    ),
    "a split with a part that says nothing": Bad(
        "split",
        {"parts": [{"title": "One", "description": "Whole", "category": "Other"}, {"title": "Two"}]},
        422,
        "validation_failed",
        "incomplete_split",
        "a description for part 2",
    ),
    "a split of a closed Ticket": Bad(
        "split",
        {"parts": [{"title": "One", "description": "Whole", "category": "Other"}] * 2},
        409,
        "step_refused",
        "closed",
        "is Closed",
        CLOSED,
    ),
    "a user who is none": Bad(
        "assign", {"assignee": "nobody"}, 422, "validation_failed", "unknown_name", "nobody"
    ),
}


UNKNOWN_FIELDS = {
    "set_due_date": ({"due": None, "at": "2026-03-09T12:00:00Z"}, "body.at", "are due, expected_version"),
    "assign": ({"assignee": None, "asignee": "bruno"}, "body.asignee", "'assignee'"),
    "edit": (
        {"primary_contact": {"address": "dora@harbour.test", "naem": "Dora"}},
        "body.primary_contact.naem",
        "'name'",
    ),
    "split": ({"parts": [{"titel": "One"}, {}]}, "body.parts.0.titel", "'title'"),
    "reply": ({"text": "Hello", "cc": [{"address": "a@harbour.test", "x": 1}]}, "body.cc.0.x", "address, n"),
    "note": ({"text": "Hello", "actor": {"kind": "system", "id": "erp"}}, "body.actor", "are expected_"),
}
"""Bodies with a field that is none, where the answer says it stands, and what it says of it."""


@pytest.fixture
async def busy(office: Office) -> Office:
    """A Ticket, a closed one, one of another company with its contact, and more in another organisation."""
    quay: dict[str, Any] = {
        "rules": DEFINITION.rules.model_copy(update={"contact_scope": ContactScope.LOCAL}),
        "companies": (*DEFINITION.companies, Company(name="quay", title="Quay")),
        "contracts": (*DEFINITION.contracts, Contract(name="quays", title="Quays", company="quay")),
        "services": (*DEFINITION.services, Service(name="docks", title="Docks", contract="quays")),
        "processes": (
            *DEFINITION.processes,
            process("dock", company="quay", contract="quays", service="docks"),
        ),
        "users": tuple(
            each.model_copy(update={"processes": (*each.processes, "dock")}) for each in DEFINITION.users
        ),
    }
    await office.configure(DEFINITION.model_copy(update=quay), version=2)
    await office.configure(DEFINITION.model_copy(update={"organisation": "other"}))
    await office.take_in(received(message_id="one@harbour.test"), received(message_id="two@harbour.test"))
    draft = {"process": "dock", "primary_contact": STRANGER}
    await office.ask(asked.ActivityOpen.model_validate({**draft, "actor": user("amelie")}))
    await office.step(asked.ActivityPickUp, CLOSED)
    closed = await office.step(asked.TicketResolve, CLOSED, method="rejected_as_spam")
    assert closed.get("status") == "closed", closed
    for _ in range(4):
        await office.ask(asked.ActivityOpen(actor=user("amelie"), process="request"), org="other")
    return office


@pytest.fixture
async def amelie(busy: Office, tmp_path: Path) -> AsyncIterator[Caller]:
    async with connected(front_desk(busy, tmp_path)) as client:
        yield Caller(client, "amelie")


def path_of(bad: Bad) -> str:
    return f"/v1/tickets/{bad.reference}/steps/{bad.step}" if bad.reference else "/v1/tickets"


async def test_bad_input_is_refused_alike_over_http_and_kafka_and_does_nothing(
    busy: Office, amelie: Caller
) -> None:
    """T38, CT-10, ST-9."""
    before = await busy.written()
    for name, bad in ROWS.items():
        answer = await amelie.call("POST", path_of(bad), bad.fields)
        problem = answer.json()
        assert (answer.status_code, problem.get("code")) == (bad.status, bad.code), (name, problem)
        assert bad.says in problem["detail"], name
        if bad.code != bad.reason:
            assert problem["reason"] == bad.reason, name
        model: type[asked.Request] = (
            MODELS[ReferenceKind.TICKET][bad.step] if bad.reference else asked.ActivityOpen
        )
        about = {"reference": bad.reference} if bad.reference else {}
        refused = await busy.ask(model.model_validate({**bad.fields, **about, "actor": user("amelie")}))
        assert (refused["type"], refused["code"]) == ("request.refused", bad.reason), (name, refused)
        assert bad.says in refused["detail"], name
        assert await busy.written() == before, f"{name} was refused and did something"


async def test_what_is_far_too_long_is_refused_before_anything_else(busy: Office, amelie: Caller) -> None:
    """A title of two megabytes, and one that is only too long for a title."""
    before = await busy.written()
    for title, status, code in ((LONG, 413, "too_large"), ("x" * 999, 422, "validation_failed")):
        answer = await amelie.call("POST", f"/v1/tickets/{OPEN}/steps/edit", {"title": title})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert "xxxx" not in answer.text, "what was sent is not said again"
        value = {"actor": {"kind": "user", "id": "amelie"}, "reference": OPEN, "title": title}
        headers = Envelope(
            id="long", source="/erp", type="ticket.edit", time=NOON, organisation="acme"
        ).to_headers()
        raw = Raw(0, json.dumps(value).encode(), tuple(headers))
        found = decode(raw, ACTIVITY_REQUESTS.models, structured=True)
        assert isinstance(found, Unreadable)
        assert found.envelope is not None
        said = json.loads(refuse(found.envelope, found).value or b"")
        assert said["code"] == "malformed_request"
        assert said["detail"].startswith("title: ")
        assert len(said["detail"]) < 200
    assert await busy.written() == before


async def test_of_two_steps_at_once_one_is_done_and_the_other_told_so(busy: Office, amelie: Caller) -> None:
    """ST-23: with the version that both have seen, over HTTP and over Kafka."""
    version = f"SELECT version FROM activities WHERE organisation = 'acme' AND reference = '{OPEN}'"
    seen = await busy.pool.fetchval(version)
    answers = await asyncio.gather(
        *(amelie.step("note", seen=seen, text=text) for text in ("one", "two")),
        busy.step(asked.ActivityNote, OPEN, text="three", expected_version=seen),
    )
    over_http = [answer.json().get("code", "done") for answer in answers[:2]]
    over_kafka = answers[2].get("code", "done")
    assert sorted([*over_http, over_kafka]) == ["conflict", "conflict", "done"]
    assert await busy.pool.fetchval(version) == seen + 1
    assert await busy.pool.fetchval("SELECT count(*) FROM notes") == 1


@pytest.mark.parametrize("step", UNKNOWN_FIELDS)
async def test_a_field_that_is_none_is_refused_over_http_and_named(
    busy: Office, amelie: Caller, step: str
) -> None:
    """Whoever misspelled a field learns it, and does not learn that it was done."""
    before = await busy.written()
    body, where, says = UNKNOWN_FIELDS[step]
    answer = await amelie.call("POST", f"/v1/tickets/{OPEN}/steps/{step}", body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "validation_failed"), problem
    (error,) = problem["errors"]
    assert (error["at"], error["type"]) == (where, "extra_forbidden")
    assert says in error["detail"]
    assert await busy.written() == before


@pytest.mark.parametrize(
    ("step", "field"), [("set_due_date", "due"), ("assign", "assignee"), ("edit", "untag.address")]
)
async def test_what_null_takes_away_is_not_taken_away_by_saying_nothing(
    busy: Office, amelie: Caller, step: str, field: str
) -> None:
    """Over Kafka unknown fields are passed over (design §4), so a misspelled one means nothing, not null."""
    misspelled: dict[str, Any] = {"edit": {"untag": [{"tag": "cc", "adress": "a@harbour.test"}]}}
    given = misspelled.get(step, {})
    before = await busy.written()
    value = {"actor": {"kind": "user", "id": "amelie"}, "reference": OPEN, "at": "2026-03-09", **given}
    headers = Envelope(
        id="unsaid", source="/erp", type=f"ticket.{step}", time=NOON, organisation="acme"
    ).to_headers()
    raw = Raw(0, json.dumps(value).encode(), tuple(headers))
    found = decode(raw, ACTIVITY_REQUESTS.models, structured=True)
    assert isinstance(found, Incoming)
    refused = await busy.ask(found.message)
    assert (refused["code"], refused["missing"]) == ("incomplete", [field])
    assert "null" in refused["detail"]
    answer = await amelie.call("POST", f"/v1/tickets/{OPEN}/steps/{step}", given)
    assert answer.status_code == 422, answer.text
    assert await busy.written() == before
    if not given:
        assert answer.json()["missing"] == [f"body.{field}"]
        said = await amelie.call("POST", f"/v1/tickets/{OPEN}/steps/{step}", {field: None})
        assert said.status_code == 200, said.text
