"""Errors of the HTTP API: `application/problem+json` (RFC 9457), with a `code` that programs can rely on.

A row of this table is a promise to callers; docs/http.md lists them. A service adds rows of its own next
to its `api.py`, with `ProblemType(...)`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of error. `code` never changes, `title` is for people."""

    code: str
    status: int
    title: str


MALFORMED_REQUEST = ProblemType("malformed_request", 400, "The request cannot be understood")
INVALID_CURSOR = ProblemType("invalid_cursor", 400, "The page's cursor is not one of ours")
IDEMPOTENCY_KEY_MISSING = ProblemType("idempotency_key_missing", 400, "An Idempotency-Key is needed")
UNAUTHENTICATED = ProblemType("unauthenticated", 401, "Who is asking is not known")
FORBIDDEN = ProblemType("forbidden", 403, "The caller may not do this")
NOT_FOUND = ProblemType("not_found", 404, "There is no such thing")
METHOD_NOT_ALLOWED = ProblemType("method_not_allowed", 405, "This cannot be done here")
CONFLICT = ProblemType("conflict", 409, "The state of things does not allow this")
CONFIGURATION_IN_USE = ProblemType(
    "configuration_in_use", 409, "The configuration takes away what is still in use"
)
STEP_REFUSED = ProblemType("step_refused", 409, "The activity's rules refuse this step")
TOO_LARGE = ProblemType("too_large", 413, "The request's body is too large")
UNSUPPORTED_MEDIA_TYPE = ProblemType("unsupported_media_type", 415, "The body's media type is not accepted")
VALIDATION_FAILED = ProblemType("validation_failed", 422, "Some values are missing or wrong")
IDEMPOTENCY_KEY_REUSED = ProblemType(
    "idempotency_key_reused", 422, "The Idempotency-Key was used for another request"
)
TOO_MANY_REQUESTS = ProblemType("too_many_requests", 429, "Too many requests")
INTERNAL = ProblemType("internal_error", 500, "A mistake of ours")
UNAVAILABLE = ProblemType("unavailable", 503, "Something that this needs is away")

PROBLEM_TYPES: Sequence[ProblemType] = [row for row in globals().values() if isinstance(row, ProblemType)]

# What frameworks raise by status alone. Of several rows with one status, the first is the general one.
_BY_STATUS: dict[int, ProblemType] = {row.status: row for row in reversed(PROBLEM_TYPES)}


class Problem(HTTPException):
    """Raised anywhere below an endpoint; becomes the answer.

    `detail` is one sentence about this case. `missing` names what the caller would have to add: fields,
    guards, permissions. `extensions` are further members of the answer.
    """

    def __init__(
        self,
        type: ProblemType,
        detail: str,
        *,
        missing: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(type.status, detail, headers)
        self.type = type
        self.missing = tuple(missing)
        self.extensions = extensions


class ProblemBody(BaseModel):
    """The members that every problem has (RFC 9457 3.1, and ours)."""

    type: str = Field(examples=["urn:mailroom:problem:step_refused"])
    title: str
    status: int
    detail: str
    code: str
    missing: list[str] = Field(default_factory=list)
    request_id: str | None = None


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": ProblemBody.model_json_schema()}},
    }
}
"""For FastAPI's `responses=`: every operation may answer with a problem."""


def of_exception(error: HTTPException) -> Problem:
    """A framework's own exception (404, 405 …) as a problem."""
    if isinstance(error, Problem):
        return error
    row = _BY_STATUS.get(error.status_code) or _unlisted(error.status_code)
    return Problem(row, str(error.detail), headers=error.headers)


def response(problem: Problem, request_id: str | None = None) -> JSONResponse:
    """The answer for a problem."""
    body = ProblemBody(
        type=f"urn:mailroom:problem:{problem.type.code}",
        title=problem.type.title,
        status=problem.type.status,
        detail=problem.detail,
        code=problem.type.code,
        missing=list(problem.missing),
        request_id=request_id,
    )
    return JSONResponse(
        {**problem.extensions, **body.model_dump(mode="json")},
        status_code=problem.type.status,
        headers=dict(problem.headers or {}),
        media_type=MEDIA_TYPE,
    )


def _unlisted(status: int) -> ProblemType:
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    return ProblemType(f"http_{status}", status, phrase)
