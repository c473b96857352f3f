"""HTTP in: opening an activity, the steps that can be taken on it, and taking one."""

import inspect
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.activity import announce
from services.activity.access import Access, Reception, opened_activity
from services.activity.domain.activity import Activity
from services.activity.domain.context import Context
from services.activity.domain.decide import Offer, allowed
from services.activity.domain.vocabulary import Actor, ActorKind
from services.activity.request_bodies import body_of, request_of
from services.activity.resources import Resource
from services.activity.rules import rules_for
from services.activity.store_requests import RequestKey
from services.activity.views import StepOffer
from services.activity.work import Work
from services.activity.work_requests import digest_of
from shared import tracing
from shared.asyncapi import SAMPLES
from shared.auth import Caller, Principal
from shared.contracts import activity_requests as asked
from shared.contracts.activity_answers import AlsoChanged
from shared.contracts.envelope import Envelope
from shared.contracts.record import types_of
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
from shared.topics import ACTIVITY_ANSWERS
from shared.unit_of_work import Batch, Incoming

# What a refusal's code is over HTTP; every other code says that the request names or lacks something.
PROBLEM_OF: dict[str, ProblemType] = {
    "forbidden": FORBIDDEN,
    "not_found": NOT_FOUND,
    "conflict": CONFLICT,
    "late_answer": CONFLICT,
    "address_in_use": CONFLICT,
    "no_merge_target": STEP_REFUSED,
    "closed": STEP_REFUSED,
    "not_allowed": STEP_REFUSED,
    "not_asked": STEP_REFUSED,
}

_REPEATED = "A repeat with the same Idempotency-Key gets the first one's answer again."


class Done(BaseModel):
    """A request that was carried out; the answer on `activity.answers.v1` says the same.

    `opened` is the new activity that came of it, once there is one (CE-7); `file` was put on it (NT-15).
    """

    reference: str
    status: str
    version: int
    opened: str | None = None
    file: UUID | None = None
    others: tuple[AlsoChanged, ...] = ()


def step_routes(reception: Reception, work: Work, resource: Resource) -> APIRouter:
    """`POST <prefix>`, `<prefix>/{reference}/steps`, and one endpoint below it for each step."""
    router = APIRouter(prefix=resource.prefix, tags=[resource.tag])
    if resource.has(asked.ActivityOpen):
        router.add_api_route(
            "",
            _opening(reception, work, resource),
            methods=["POST"],
            status_code=201,
            name=f"open_{resource.kind}",
            responses=done_example(201),
        )

    @router.get("/{reference}/steps", name=f"list_steps{resource.operations}")
    async def list_steps(reference: str, caller: Caller) -> list[StepOffer]:
        """Every step, whether it can be taken now, and if not, why."""

        async def serve(batch: Batch[Any], access: Access) -> list[StepOffer]:
            activity = await opened_activity(batch, access, reference, resource.kind)
            return [
                StepOffer(
                    step=offer.step,
                    allowed=offer.allowed,
                    code=offer.refusal and offer.refusal.code.value,
                    detail=offer.refusal and offer.refusal.sentence,
                    missing=tuple(map(str, offer.refusal.missing)) if offer.refusal else (),
                )
                for offer in offers(activity, access, batch.now)
            ]

        return await reception.admit(caller, serve)

    for step, model in resource.steps.items():
        router.add_api_route(
            f"/{{reference}}/steps/{step}",
            _step(reception, work, resource, model),
            methods=["POST"],
            name=f"{step}{resource.operations}",
            operation_id=f"take_step_{step}{resource.operations}",
            summary=step.replace("_", " ").capitalize(),
            description=f"{inspect.getdoc(model)} {_REPEATED}",
            responses=done_example(200),
        )
    return router


def _opening(reception: Reception, work: Work, resource: Resource) -> Callable[..., Awaitable[Done]]:
    """The endpoint that starts an activity."""
    type_ = resource.type_of(asked.ActivityOpen)

    async def open_activity(body: BaseModel, caller: Caller, key: IdempotencyKey, response: Response) -> Done:
        async def serve(batch: Batch[Any], access: Access) -> dict[str, Any]:
            request = request_of(asked.ActivityOpen, body, type=type_, actor=access.actor)
            _require_open(access, request)
            return await carried_out(batch, work, caller, key, request)

        taken = done_of(await reception.admit(caller, serve))
        response.headers["Location"] = f"{resource.prefix}/{taken.reference}"
        response.headers["ETag"] = etag(taken.version)
        return taken

    open_activity.__doc__ = f"Start a {resource.kind.capitalize()}: a Draft for a user (T1, C1)."
    open_activity.__annotations__["body"] = body_of(asked.ActivityOpen, type_)
    return open_activity


def _step(
    reception: Reception, work: Work, resource: Resource, model: type[asked.OnActivity]
) -> Callable[..., Awaitable[Done]]:
    """The endpoint that takes the step of a request."""
    type_ = resource.type_of(model)

    async def take_step(
        reference: str,
        body: BaseModel,
        caller: Caller,
        key: IdempotencyKey,
        response: Response,
        seen: ExpectedVersion,
    ) -> Done:
        async def serve(batch: Batch[Any], access: Access) -> dict[str, Any]:
            activity = await opened_activity(batch, access, reference, resource.kind, model)
            given: dict[str, Any] = {
                "type": type_,
                "reference": str(activity.reference),
                "actor": access.actor,
            }
            if seen is not None:
                given["expected_version"] = seen
            return await carried_out(batch, work, caller, key, request_of(model, body, **given))

        taken = done_of(await reception.admit(caller, serve))
        response.headers["ETag"] = etag(taken.version)
        return taken

    take_step.__annotations__["body"] = body_of(model, type_)
    return take_step


def offers(activity: Activity, access: Access, now: datetime) -> tuple[Offer, ...]:
    """Every step, and whether the caller can take it now."""
    rules = rules_for(access.organisation, activity.process, activity.mailbox, activity.task)
    actor = Actor(ActorKind(access.actor.kind.value), access.actor.id)
    context = Context(organisation=activity.organisation, actor=actor, process=rules, effect=activity.id)
    return allowed(activity, context, now)


def done_example(status: int) -> dict[int | str, dict[str, Any]]:
    """For FastAPI's `responses=`: an answer as the contract's sample has it."""
    sample = json.loads((SAMPLES / ACTIVITY_ANSWERS.name / "request.accepted.json").read_text())["value"]
    example = {name: sample.get(name) for name in Done.model_fields}
    return {status: {"content": {"application/json": {"example": example}}}}


def _require_open(access: Access, request: asked.Request) -> None:
    assert isinstance(request, asked.ActivityOpen)
    try:
        access.organisation.process(request.process)
    except Unknown:
        detail = f"There is no process {request.process!r}."
        raise Problem(VALIDATION_FAILED, detail, reason="unknown_name") from None
    access.require(request.process, asked.ActivityOpen)


def key_of(caller: Principal, key: str) -> RequestKey:
    """By what a request over HTTP is known when it is repeated."""
    return caller.organisation, f"{announce.SOURCE}/http/{caller.user}", key


async def carried_out(
    batch: Batch[Any], work: Work, caller: Principal, key: str, request: asked.Request
) -> dict[str, Any]:
    """Through the same use case as a request from Kafka, with the same answer."""
    envelope = Envelope(
        id=key,
        source=key_of(caller, key)[1],
        type=request.type,
        time=batch.now,
        organisation=caller.organisation,
        traceparent=tracing.current(),
    )
    answers = await work.perform(batch, [Incoming(envelope, request)])
    answered = answers[key_of(caller, key)]
    # A recovered answer does not know what was asked over HTTP (recover.py), but of what type it was.
    answer = answered.told
    # A request may have gone by another of its names when it was asked first.
    name = answer["request"]["type"]
    same = name in types_of(type(request)) and answered.digest in ("", None, digest_of(request, name))
    if not same:
        raise Problem(IDEMPOTENCY_KEY_REUSED, "Use another Idempotency-Key for another request.")
    return answer


def done_of(answer: dict[str, Any]) -> Done:
    """What was done; `Problem` where it was refused, which is an answer too and was committed like one."""
    if answer["type"] == "request.accepted":
        # An answer that older code kept names nothing that was opened.
        given = {name: answer.get(name) for name in Done.model_fields}
        return Done.model_validate(given)
    raise refused(answer)


def refused(answer: dict[str, Any]) -> Problem:
    """The problem that a refusal is over HTTP."""
    return Problem(
        PROBLEM_OF.get(answer["code"], VALIDATION_FAILED),
        answer["detail"],
        missing=answer["missing"],
        reason=answer["code"],
        **{name: answer[name] for name in ("state", "step", "version", "holder")},
        **{name: answer[name] for name in ("fields", "contact") if answer.get(name)},
    )
