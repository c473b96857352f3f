"""HTTP in: the links of approvers. Looking never decides, because programs follow links, too (A25)."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from services.activity import approval_page as page
from services.activity import store_activities
from services.activity.access import bearer_key
from services.activity.api_steps import carried_out, done_of
from services.activity.approval_links import ApprovalLink
from services.activity.domain.activity import Activity
from services.activity.permissions import ENDPOINTS
from services.activity.views_approvals import Question, question, unusable
from services.activity.work import Work
from shared.auth import Principal
from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests_approvals import ActionApprove, ActionDecline
from shared.contracts.record import Storable
from shared.organisation import NoConfiguration, Organisations
from shared.permissions import guarded
from shared.problems import (
    MALFORMED_REQUEST,
    UNSUPPORTED_MEDIA_TYPE,
    VALIDATION_FAILED,
    Problem,
    ProblemType,
)
from shared.unit_of_work import Batch, UnitOfWork

LINK_UNKNOWN = ProblemType("link_unknown", 404, "This link is none of ours")
LINK_SUSPENDED = ProblemType("link_suspended", 403, "Whoever this link was sent to may not decide")
LINK_VOID = ProblemType("link_void", 410, "This link counts no more")
LINK_USED = ProblemType("link_used", 410, "This link has been used")

_FORM, _JSON, _HTML = "application/x-www-form-urlencoded", "application/json", "text/html"
_PROBLEM: dict[str, Any] = {_HTML: {}, "application/problem+json": {}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    403: {"description": "Whoever the link was sent to is suspended or retired", "content": _PROBLEM},
    404: {"description": "The link is none of ours", "content": _PROBLEM},
    410: {"description": "The link counts no more, or has been used", "content": _PROBLEM},
}


class Decision(BaseModel):
    """What an approver decides; who declines says why."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["approve", "decline"]
    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000), Storable] | None = (
        None
    )


class Decided(BaseModel):
    """What was decided, about which Action."""

    reference: str
    approved: bool


_SCHEMA = Decision.model_json_schema()
_EXAMPLE = {"decision": "decline", "comment": "Not this year."}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {each: {"schema": _SCHEMA, "example": _EXAMPLE} for each in (_FORM, _JSON)},
    }
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """An approval that waits for whom the link names."""

    link: ApprovalLink
    reference: str
    question: Question


def approval_routes(unit: UnitOfWork, work: Work, organisations: Organisations) -> APIRouter:
    """`/v1/approvals/{token}`: no token of a caller is asked for, the link says whose it is."""
    router = APIRouter(tags=["approvals"])
    door = _Door(unit, work, organisations)

    @router.get("/v1/approvals/{token}", response_class=HTMLResponse, responses=_RESPONSES)
    async def show_approval(token: str, request: Request) -> Response:
        """A page for the approver that says what he is asked, with a form to answer. It decides nothing."""

        async def show() -> Response:
            found = await door.asked(token)
            return _page(200, page.asking(found.question))

        return await _answered(request, show)

    @router.post(
        "/v1/approvals/{token}",
        response_model=Decided,
        responses={200: {"content": {_HTML: {}}}, **_RESPONSES},
        openapi_extra=_BODY,
    )
    async def decide_approval(token: str, request: Request) -> Response:
        """Approve or decline, as the user whom the link was sent to; a comment is kept as a note."""

        async def decide() -> Response:
            decision = await _decision_of(request)
            if decision.decision == "decline" and not decision.comment:
                found = await door.asked(token)
                wrong = "Say in a comment why you decline."
                if _wants_page(request):
                    return _page(VALIDATION_FAILED.status, page.asking(found.question, wrong))
                raise Problem(VALIDATION_FAILED, wrong, missing=["comment"], headers=page.HEADERS)
            reference = await door.decide(token, decision)
            decided = Decided(reference=reference, approved=decision.decision == "approve")
            if _wants_page(request):
                said = "approved" if decided.approved else "declined"
                return _page(200, page.telling("Thank you", f"You have {said} {reference}."))
            return JSONResponse(decided.model_dump(mode="json"), headers=page.HEADERS)

        return await _answered(request, decide)

    return guarded(router, ENDPOINTS)


class _Door:
    """Lets in whom a link names, for as long as he is asked."""

    def __init__(self, unit: UnitOfWork, work: Work, organisations: Organisations) -> None:
        self._unit = unit
        self._work = work
        self._organisations = organisations

    async def asked(self, token: str) -> _Asked:
        """What a link asks. Raises `Problem` for one that leads to no decision."""
        return await self._unit.run(lambda batch: self._asked(batch, token))

    async def decide(self, token: str, decision: Decision) -> str:
        """Ask for what was decided; returns the Action's reference. Raises `Problem`."""
        key = f"approval-{uuid4()}"

        async def serve(batch: Batch[Any]) -> dict[str, Any]:
            found = await self._asked(batch, token)
            caller = Principal(found.link.approver, found.link.organisation)
            return await carried_out(batch, self._work, caller, key, _request(found, decision))

        answer = await self._unit.run(serve)
        if answer["type"] != "request.accepted":
            # Somebody was faster: the link says what has become of it.
            await self.asked(token)
        return done_of(answer).reference

    async def _asked(self, batch: Batch[Any], token: str) -> _Asked:
        link = self._work.links.read(token) if self._work.links else None
        if link is None:
            raise _unknown()
        try:
            organisation = await self._organisations.current(batch.connection, link.organisation)
        except NoConfiguration:
            raise _unknown() from None
        action = await _loaded(batch, (link.organisation, link.action))
        case = action and action.parent and await _loaded(batch, (link.organisation, action.parent))
        if not (action and case):
            raise _unknown()
        bearer = await _loaded(batch, bearer_key(action)) if case.is_sub_case else case
        assert bearer is not None, "a Case at the top is there as long as what is under it"
        why = unusable(organisation, action, link)
        if why is not None and why.suspended:
            raise Problem(LINK_SUSPENDED, why.why, headers=page.HEADERS)
        if why is not None and why.verdict is not None:
            told: dict[str, Any] = {"approved": why.verdict.approved, "at": why.verdict.at.isoformat()}
            raise Problem(LINK_USED, why.why, headers=page.HEADERS, **told)
        if why is not None:
            raise Problem(LINK_VOID, why.why, headers=page.HEADERS)
        return _Asked(link, str(action.reference), question(organisation, action, case, bearer, link))


def _unknown() -> Problem:
    detail = "It may have been cut on its way, or its key is not used any more."
    return Problem(LINK_UNKNOWN, detail, headers=page.HEADERS)


async def _loaded(batch: Batch[Any], key: Any) -> Activity | None:
    return (await store_activities.load(batch.connection, {key})).get(key)


def _request(found: _Asked, decision: Decision) -> asked.OnActivity:
    """For what the link asks alone: by the time it is carried out the same person may be asked for more."""
    link = found.link
    actor = asked.Actor(kind=asked.ActorKind.USER, id=link.approver)
    about: dict[str, Any] = {"reference": found.reference, "round": link.round, "level": link.level}
    if decision.decision == "approve":
        return ActionApprove(actor=actor, comment=decision.comment or None, **about)
    return ActionDecline(actor=actor, comment=decision.comment or "", **about)


async def _decision_of(request: Request) -> Decision:
    """What stands in the body: a form, as the page sends it, or JSON. Raises `Problem`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    try:
        if kind == _FORM:
            given: Any = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=10))
        elif kind == _JSON:
            given = json.loads(body)
        else:
            raise Problem(UNSUPPORTED_MEDIA_TYPE, f"Send {_FORM} or {_JSON}.", headers=page.HEADERS)
    except ValueError:
        raise Problem(MALFORMED_REQUEST, "The body is no form and no JSON.", headers=page.HEADERS) from None
    try:
        return Decision.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise Problem(VALIDATION_FAILED, wrong, headers=page.HEADERS) from None


async def _answered(request: Request, serve: Callable[[], Awaitable[Response]]) -> Response:
    """The answer, or what stands in its way: in words for who wants a page."""
    try:
        return await serve()
    except Problem as problem:
        if not _wants_page(request):
            raise
        return _page(problem.status_code, page.telling(problem.type.title, problem.detail))


def _wants_page(request: Request) -> bool:
    return _HTML in request.headers.get("accept", "")


def _page(status: int, html: str) -> HTMLResponse:
    return HTMLResponse(html, status_code=status, headers=page.PAGE_HEADERS)
