"""The HTTP side of every service: one way to answer, to fail, to be correlated (docs/http.md)."""

import re
import time
import uuid
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import openapi_examples, openapi_strictness, problems, tracing
from shared.bodies import UNKNOWN_FIELD, unknown_field
from shared.failure import is_transient
from shared.logs import correlated, get_logger
from shared.metrics import HTTP_REQUESTS
from shared.problems import Problem

VERSION_HEADER = "Mailroom-Version"
REQUEST_ID_HEADER = "X-Request-ID"
MAX_BODY_BYTES = 1024 * 1024
RETRY_AFTER_SECONDS = 5

_MAX_BODY = "mailroom.max_body_bytes"

_VERSION = version("mailroom")  # looking it up costs more than most answers
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_ETAG = re.compile(r'(?:W/)?"(\d{1,18})"')
_log = get_logger(__name__)


def create_api(
    title: str,
    routers: Sequence[APIRouter] = (),
    *,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> FastAPI:
    """The application of a service: OpenAPI at `/openapi.json`, every error a problem.

    Routers bring their own `/v1/…` prefix. What an endpoint raises is answered 503 with Retry-After if it
    passes (`failure.is_transient`), else 500. The pages that load scripts from elsewhere are switched off.
    """
    api = _Described(
        title=title,
        version=_VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        responses=problems.PROBLEM_RESPONSES,
        telemetry=tracing.of_http(),
    )
    api.add_exception_handler(HTTPException, _answer_http_exception)
    api.add_exception_handler(RequestValidationError, _answer_validation_error)
    api.add_middleware(_Frame, max_body_bytes=max_body_bytes)
    for router in routers:
        api.include_router(router)
    return api


class _Described(FastAPI):
    """Its OpenAPI has an example for every operation."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = openapi_strictness.complete(super().openapi())
            self.openapi_schema = openapi_examples.complete(described)
        return self.openapi_schema


def etag(version: int) -> str:
    """The ETag header for a record's version; give it back as If-Match."""
    return f'"{version}"'


def take_body_of(request: Request, most: int) -> None:
    """Let this request's body be as large as that, before any of it is read; `Problem` where it says more."""
    request.scope[_MAX_BODY] = most
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > most:
        raise Problem(problems.TOO_LARGE, f"At most {most} bytes are taken.")


def _expected_version(
    if_match: Annotated[str | None, Header(description="the ETag that you have seen (ST-23)")] = None,
) -> int | None:
    if if_match is None:
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise Problem(problems.MALFORMED_REQUEST, 'If-Match must be one ETag of ours, such as "7".')
    return int(match[1])


def _idempotency_key(
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$", description="the request's own id"),
    ] = None,
) -> str:
    if idempotency_key is None:
        raise Problem(
            problems.IDEMPOTENCY_KEY_MISSING,
            "Send an Idempotency-Key, the same one when you repeat the request.",
            missing=["Idempotency-Key"],
        )
    return idempotency_key


ExpectedVersion = Annotated[int | None, Depends(_expected_version)]
"""For an endpoint's signature: the version in If-Match, None without it. A stale one is a conflict."""

IdempotencyKey = Annotated[str, Depends(_idempotency_key)]
"""For an endpoint's signature: the Idempotency-Key; 400 without."""


async def _answer_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problems.response(problems.of_exception(error), _request_id(request))


async def _answer_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [
        # The value itself is not repeated: it may be anything, a password included.
        {
            "at": ".".join(str(step) for step in detail["loc"]),
            "detail": _sentence(request, detail),
            "type": detail["type"],
        }
        for detail in error.errors()
    ]
    if any(row["type"] == "json_invalid" for row in found):
        problem = Problem(problems.MALFORMED_REQUEST, "The body is not JSON.")
    else:
        problem = Problem(
            problems.VALIDATION_FAILED,
            "; ".join(f"{row['at']}: {row['detail']}" for row in found),
            missing=[row["at"] for row in found if row["type"] == "missing"],
            errors=found,
        )
    return problems.response(problem, _request_id(request))


def _sentence(request: Request, detail: Mapping[str, Any]) -> str:
    """What is wrong with one value; of a field that is unknown, also which one may be meant."""
    body = getattr(request.scope.get("route"), "body_field", None)
    if detail["type"] != UNKNOWN_FIELD or body is None:
        return str(detail["msg"])
    return unknown_field(body.field_info.annotation, detail["loc"][1:])


def _request_id(request: Request) -> str | None:
    return request.scope.get("mailroom.request_id")


class _Frame:
    """Around every request: its id, its size limit, its headers, its metric, and the last resort."""

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID_HEADER, "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        scope["mailroom.request_id"] = request_id
        began = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answered = MutableHeaders(scope=message)
                answered[VERSION_HEADER] = _VERSION
                answered[REQUEST_ID_HEADER] = request_id
            await send(message)

        with tracing.request(headers.get("traceparent")) as traceparent, correlated(request_id, traceparent):
            try:
                await self._app(scope, self._limited(scope, receive), answer)
            except Exception as error:
                problem = _explained(error, scope)
                if status:  # the answer has begun: all that is left is to break it off
                    raise
                await problems.response(problem, request_id)(scope, receive, answer)
            finally:
                HTTP_REQUESTS.labels(scope["method"], _route(scope), str(status)).observe(
                    time.perf_counter() - began
                )

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            most = scope.get(_MAX_BODY, self._max_body_bytes)
            if seen > most:
                raise Problem(problems.TOO_LARGE, f"At most {most} bytes are taken.")
            return message

        return limited


def _explained(error: Exception, scope: Scope) -> Problem:
    """What an endpoint did not expect, logged, and as little of it as a stranger may know."""
    if is_transient(error):
        _log.warning(
            "a dependency is away", reason=str(error), kind=type(error).__name__, route=_route(scope)
        )
        return Problem(
            problems.UNAVAILABLE,
            "Something that this needs is away at the moment; try again.",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
    _log.exception("an endpoint failed", method=scope["method"], route=_route(scope))
    return Problem(problems.INTERNAL, "This is a mistake of ours; it was written down.")


def _route(scope: Scope) -> str:
    # The template, not the path: a label for every id would drown the metrics.
    return getattr(scope.get("route"), "path", "none")
