"""HTTP in: opening a Ticket, the steps that can be taken on it, and taking one."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from services.activity import announce
from services.activity.access import Access, Reception, opened_ticket
from services.activity.asked_steps import OF_SEVERAL, STEPS
from services.activity.domain.context import Context
from services.activity.domain.decide import allowed
from services.activity.domain.vocabulary import Actor, ActorKind
from services.activity.rules import process_rules
from services.activity.views import StepOffer
from services.activity.work import Work
from services.activity.work_requests import digest_of
from shared import tracing
from shared.auth import Caller, Principal
from shared.contracts import activity_requests as asked
from shared.contracts.envelope import Envelope
from shared.http import ExpectedVersion, IdempotencyKey, etag
from shared.organisation import Unknown
from shared.problems import (
    CONFLICT,
    FORBIDDEN,
    IDEMPOTENCY_KEY_REUSED,
    NOT_FOUND,
    STEP_REFUSED,
    VALIDATION_FAILED,
    Problem,
    ProblemType,
)
from shared.unit_of_work import Batch, Incoming

MODELS: dict[str, type[asked.OnTicket]] = {
    str(model.model_fields["type"].default).removeprefix("ticket."): model for model in (*STEPS, *OF_SEVERAL)
}
"""The steps by their names in the URL: those of the contract, without the kind."""

# What a refusal's code is over HTTP; every other code says that the request names or lacks something.
PROBLEM_OF: dict[str, ProblemType] = {
    "forbidden": FORBIDDEN,
    "not_found": NOT_FOUND,
    "conflict": CONFLICT,
    "closed": STEP_REFUSED,
    "not_allowed": STEP_REFUSED,
}
# Said by the URL and the token, so not by the body.
_NOT_IN_BODY = ("type", "reference", "actor")

Fields = Annotated[dict[str, Any], Body(default_factory=dict, description="the request's fields (AsyncAPI)")]


class Done(BaseModel):
    """A request that was carried out; the answer on `activity.answers.v1` says the same."""

    reference: str
    status: str
    version: int


def step_routes(reception: Reception, work: Work, prefix: str) -> APIRouter:
    """`POST <prefix>`, `<prefix>/{reference}/steps` and `<prefix>/{reference}/steps/{step}`."""
    router = APIRouter(prefix=prefix)

    @router.post("", status_code=201)
    async def open_ticket(fields: Fields, caller: Caller, key: IdempotencyKey, response: Response) -> Done:
        """Start a Ticket: a Draft for a user (T1)."""

        async def serve(batch: Batch[Any], access: Access) -> dict[str, Any]:
            request = _request(asked.TicketOpen, fields, {}, access)
            _require_open(access, request)
            return await _carried_out(batch, work, caller, key, request)

        done = _done(await reception.admit(caller, serve))
        response.headers["Location"] = f"/v1/tickets/{done.reference}"
        response.headers["ETag"] = etag(done.version)
        return done

    @router.get("/{reference}/steps")
    async def list_steps(reference: str, caller: Caller) -> list[StepOffer]:
        """Every step, whether it can be taken now, and if not, why."""

        async def serve(batch: Batch[Any], access: Access) -> list[StepOffer]:
            activity = await opened_ticket(batch, access, reference)
            rules = process_rules(access.organisation, activity.process, activity.mailbox)
            actor = Actor(ActorKind(access.actor.kind.value), access.actor.id)
            context = Context(
                organisation=activity.organisation, actor=actor, process=rules, effect=activity.id
            )
            return [
                StepOffer(
                    step=offer.step,
                    allowed=offer.allowed,
                    code=offer.refusal and offer.refusal.code.value,
                    detail=offer.refusal and offer.refusal.sentence,
                    missing=tuple(offer.refusal.missing) if offer.refusal else (),
                )
                for offer in allowed(activity, context, batch.now)
            ]

        return await reception.admit(caller, serve)

    @router.post("/{reference}/steps/{step}")
    async def take_step(
        reference: str,
        step: str,
        fields: Fields,
        caller: Caller,
        key: IdempotencyKey,
        response: Response,
        seen: ExpectedVersion,
    ) -> Done:
        """Take a step. A repeat with the same Idempotency-Key gets the first one's answer again."""
        model = MODELS.get(step)
        if model is None:
            raise Problem(NOT_FOUND, f"There is no step {step!r}.", steps=sorted(MODELS))

        async def serve(batch: Batch[Any], access: Access) -> dict[str, Any]:
            activity = await opened_ticket(batch, access, reference, model)
            given: dict[str, Any] = {"reference": str(activity.reference)}
            if seen is not None:
                given["expected_version"] = seen
            return await _carried_out(batch, work, caller, key, _request(model, fields, given, access))

        done = _done(await reception.admit(caller, serve))
        response.headers["ETag"] = etag(done.version)
        return done

    return router


def _require_open(access: Access, request: asked.Request) -> None:
    assert isinstance(request, asked.TicketOpen)
    try:
        access.organisation.process(request.process)
    except Unknown:
        raise Problem(VALIDATION_FAILED, f"There is no process {request.process!r}.") from None
    access.require(request.process, asked.TicketOpen)


def _request(
    model: type[asked.Request], fields: dict[str, Any], given: dict[str, Any], access: Access
) -> asked.Request:
    """The request's record, from the body and what URL and token say. Raises FastAPI's 422."""
    said = {name: value for name, value in fields.items() if name not in _NOT_IN_BODY}
    try:
        return model.model_validate({**said, **given, "actor": access.actor})
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found]) from None


async def _carried_out(
    batch: Batch[Any], work: Work, caller: Principal, key: str, request: asked.Request
) -> dict[str, Any]:
    """Through the same use case as a request from Kafka, with the same answer."""
    envelope = Envelope(
        id=key,
        source=f"{announce.SOURCE}/http/{caller.user}",
        type=request.type,
        time=batch.now,
        organisation=caller.organisation,
        traceparent=tracing.current(),
    )
    answers = await work.perform(batch, [Incoming(envelope, request)])
    answered = answers[caller.organisation, envelope.source, key]
    # A recovered answer does not know what was asked over HTTP (recover.py).
    if answered.digest and answered.digest != digest_of(request):
        raise Problem(IDEMPOTENCY_KEY_REUSED, "Use another Idempotency-Key for another request.")
    return answered.answer


def _done(answer: dict[str, Any]) -> Done:
    """What was done; `Problem` where it was refused, which is an answer too and was committed like one."""
    if answer["type"] == "request.accepted":
        return Done(reference=answer["reference"], status=answer["status"], version=answer["version"])
    raise Problem(
        PROBLEM_OF.get(answer["code"], VALIDATION_FAILED),
        answer["detail"],
        missing=answer["missing"],
        reason=answer["code"],
        **{name: answer[name] for name in ("state", "step", "version", "holder")},
        **({"fields": answer["fields"]} if answer.get("fields") else {}),
    )
