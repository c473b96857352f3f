"""One way to answer and to fail (docs/http.md, RFC 9457)."""

import base64
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Query
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from structlog.testing import capture_logs

from shared import problems
from shared.bodies import unknown_field
from shared.http import ExpectedVersion, IdempotencyKey, create_api, etag
from shared.pages import Keyset, Page, PageQuery, PageRequest
from shared.problems import PROBLEM_TYPES, STEP_REFUSED, Problem

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEYSET = Keyset(datetime, UUID)


class Step(BaseModel):
    step: str
    days: int


def example() -> FastAPI:
    router = APIRouter(prefix="/v1")

    @router.get("/refused")
    async def refused() -> None:
        raise Problem(STEP_REFUSED, "Closed Tickets do not wait.", missing=["open"], state="closed")

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError("jane@example.org hunter2")

    @router.get("/away")
    async def away() -> None:
        raise ConnectionRefusedError("postgres at 10.0.0.1")

    @router.post("/steps/{number}")
    async def steps(number: int, step: Step, version: ExpectedVersion, key: IdempotencyKey) -> dict[str, Any]:
        return {"number": number, "version": version, "key": key}

    @router.get("/list")
    async def listed(page: PageQuery, size: Annotated[int, Query()] = 5) -> Page[int]:
        after = KEYSET.decode(page.after)
        rows = [(NOON + timedelta(minutes=n), UUID(int=n)) for n in range(size)]
        rows = [row for row in rows if after is None or row > after][: page.limit + 1]
        return KEYSET.page(rows, page, key=lambda row: row, item=lambda row: row[1].int)

    return create_api("example", [router])


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=example())
    # Captured, because an unconfigured structlog takes seconds to draw a traceback.
    with capture_logs():
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


def is_problem(answer: httpx.Response, code: str, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["code"], body["status"]) == (code, status)
    assert body["type"] == f"urn:mailroom:problem:{code}"
    assert body["detail"]
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return body


class Part(BaseModel):
    name: str


class Whole(BaseModel):
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    due: int | None = None


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (("deu",), "did you mean 'due'?"),
        (("when",), "there are due, part, parts."),
        (("part", "nme"), "did you mean 'name'?"),
        (("parts", 3, "x"), "there are name."),
    ],
)
def test_an_unknown_field_is_told_from_those_that_there_are(path: tuple[str | int, ...], says: str) -> None:
    assert unknown_field(Annotated[Whole | None, "described"], path) == f"There is no such field; {says}"


HEADERS = {"If-Match": '"7"', "Idempotency-Key": "k-1"}
STEP = {"step": "wait", "days": 3}


async def test_a_refusal_says_what_is_missing(client: httpx.AsyncClient) -> None:
    body = is_problem(await client.get("/v1/refused"), "step_refused", 409)
    assert (body["missing"], body["state"]) == (["open"], "closed")


@pytest.mark.parametrize(
    ("method", "path", "code", "status"),
    [
        ("GET", "/v1/nothing", "not_found", 404),
        ("DELETE", "/v1/list", "method_not_allowed", 405),
        ("GET", "/docs", "not_found", 404),
        ("GET", "/redoc", "not_found", 404),
        ("GET", "/v1/away", "unavailable", 503),
        ("GET", "/v1/broken", "internal_error", 500),
    ],
)
async def test_every_error_is_a_problem(
    client: httpx.AsyncClient, method: str, path: str, code: str, status: int
) -> None:
    answer = await client.request(method, path)
    is_problem(answer, code, status)
    assert ("retry-after" in answer.headers) == (status == 503)
    assert ("allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize("path", ["/v1/broken", "/v1/away"])
async def test_our_own_mistakes_are_not_explained_to_strangers(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert "hunter2" not in answer.text
    assert "10.0.0.1" not in answer.text


async def test_wrong_values_are_named_and_not_repeated(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/steps/1", json={"days": "hunter2"}, headers=HEADERS)
    body = is_problem(answer, "validation_failed", 422)
    assert body["missing"] == ["body.step"]
    assert [row["at"] for row in body["errors"]] == ["body.step", "body.days"]
    assert "hunter2" not in answer.text


async def test_what_is_not_json_is_malformed(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/v1/steps/1", content="{", headers={**HEADERS, "Content-Type": "application/json"}
    )
    is_problem(answer, "malformed_request", 400)


async def test_a_body_without_end_is_cut_off(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    answer = await client.post("/v1/steps/1", content=endless(), headers=HEADERS)
    is_problem(answer, "too_large", 413)


@pytest.mark.parametrize(
    ("headers", "code", "status", "missing"),
    [
        ({"Idempotency-Key": "k", "If-Match": "*"}, "malformed_request", 400, []),
        ({"Idempotency-Key": "k", "If-Match": '"x"'}, "malformed_request", 400, []),
        ({"If-Match": '"7"'}, "idempotency_key_missing", 400, ["Idempotency-Key"]),
        ({"If-Match": '"7"', "Idempotency-Key": "k" * 256}, "validation_failed", 422, []),
    ],
)
async def test_preconditions_are_asked_for(
    client: httpx.AsyncClient, headers: dict[str, str], code: str, status: int, missing: list[str]
) -> None:
    answer = await client.post("/v1/steps/1", json=STEP, headers=headers)
    assert is_problem(answer, code, status)["missing"] == missing


async def test_preconditions_are_handed_on(client: httpx.AsyncClient) -> None:
    headers = {"If-Match": etag(7), "Idempotency-Key": "k-1"}
    answer = await client.post("/v1/steps/3", json=STEP, headers=headers)
    assert answer.json() == {"number": 3, "version": 7, "key": "k-1"}
    answer = await client.post("/v1/steps/3", json=STEP, headers={"Idempotency-Key": "k-1"})
    assert answer.json()["version"] is None


async def test_every_answer_names_the_version_and_the_request(client: httpx.AsyncClient) -> None:
    given = await client.get("/v1/list", headers={"X-Request-ID": "r-1"})
    assert given.headers["X-Request-ID"] == "r-1"
    assert given.headers["Mailroom-Version"]
    for wrong in ("a b", "x" * 200, ""):
        made = await client.get("/v1/list", headers={"X-Request-ID": wrong})
        assert UUID(made.headers["X-Request-ID"])


async def test_the_openapi_tells_of_problems_and_needs_no_other_server(client: httpx.AsyncClient) -> None:
    openapi = (await client.get("/openapi.json")).json()
    responses = openapi["paths"]["/v1/list"]["get"]["responses"]
    assert "application/problem+json" in responses["default"]["content"]
    assert "422" not in responses


async def test_a_list_is_read_page_by_page(client: httpx.AsyncClient) -> None:
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(3):
        answer = await client.get("/v1/list", params={"limit": 2} | ({"after": cursor} if cursor else {}))
        page = answer.json()
        seen += page["items"]
        cursor = page["next"]
    assert seen == [0, 1, 2, 3, 4]
    assert cursor is None


@pytest.mark.parametrize("cursor", ["x", "%%%", "W10", "WyJub29uIiwiMSJd", "bnVsbA", "é"])
async def test_a_made_up_cursor_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    is_problem(await client.get("/v1/list", params={"after": cursor}), "invalid_cursor", 400)


@pytest.mark.parametrize("number", [1 << 63, -(1 << 63) - 1])
def test_a_made_up_number_is_refused_before_the_database_sees_it(number: int) -> None:
    cursor = base64.urlsafe_b64encode(f"[{number}]".encode()).decode()
    with pytest.raises(Problem):
        Keyset(int).decode(cursor)


@pytest.mark.parametrize(
    "time", ["2026-03-02T12:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
async def test_a_made_up_time_that_is_none_in_utc_is_refused(client: httpx.AsyncClient, time: str) -> None:
    """A database would fail on it, as if the mistake were ours."""
    cursor = base64.urlsafe_b64encode(f'["{time}", "{UUID(int=7)}"]'.encode()).decode()
    is_problem(await client.get("/v1/list", params={"after": cursor}), "invalid_cursor", 400)


@pytest.mark.parametrize("limit", ["0", "201", "many"])
async def test_a_page_has_a_size(client: httpx.AsyncClient, limit: str) -> None:
    is_problem(await client.get("/v1/list", params={"limit": limit}), "validation_failed", 422)


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_keeps_its_key(time: datetime, id: UUID) -> None:
    assert KEYSET.decode(KEYSET.encode((time, id))) == (time, id)


@given(st.integers(0, 12), st.integers(1, 5))
def test_only_the_last_page_has_no_next(size: int, limit: int) -> None:
    keyset = Keyset(int)
    seen: list[int] = []
    after: int | None = -1
    while after is not None:
        rows = list(range(after + 1, size))[: limit + 1]
        page = keyset.page(rows, PageRequest(limit, None), key=lambda row: (row,), item=lambda row: row)
        seen += page.items
        decoded = keyset.decode(page.next)
        after = decoded[0] if decoded else None
    assert seen == list(range(size))


def test_codes_are_unique_and_statuses_are_errors() -> None:
    codes = [row.code for row in PROBLEM_TYPES]
    assert len(set(codes)) == len(codes) > 10
    assert all(400 <= row.status < 600 for row in PROBLEM_TYPES)


def test_a_status_without_a_row_is_a_problem_too() -> None:
    answer = problems.response(problems.of_exception(HTTPException(418)))
    assert answer.status_code == 418
    assert b'"code":"http_418"' in bytes(answer.body)


def test_the_documentation_lists_every_code_with_its_status() -> None:
    page = (Path(__file__).parents[3] / "docs" / "http.md").read_text()
    listed = dict(re.findall(r"^\| `(\w+)` \| (\d{3}) \|", page, re.MULTILINE))
    assert listed == {row.code: str(row.status) for row in PROBLEM_TYPES}
