"""Is the process alive, and is it ready? Answered for the supervisor, in sentences a person can use."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest


class Component(Protocol):
    """A part of a process that runs for as long as the process does: a consumer, a relay, a poller."""

    @property
    def name(self) -> str: ...

    async def run(self) -> None:
        """Work until cancelled. Returning or raising before that stops the whole process."""
        ...

    def not_ready(self) -> str | None:
        """Why this part cannot do its work at the moment, in one sentence; None when it can."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A component that can tell that it has stopped working without having ended (aiokafka #1037).

    A supervisor restarts the process then: say it only when waiting longer is pointless.
    """

    def not_alive(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Report:
    """Per component the sentence that says what is wrong. Empty when all is well."""

    wrong: dict[str, str]

    def response(self) -> JSONResponse:
        status = "unavailable" if self.wrong else "ok"
        return JSONResponse(
            {"status": status, "reasons": self.wrong},
            status_code=503 if self.wrong else 200,
            headers={"Cache-Control": "no-store"},
        )


class Health(Protocol):
    """What the health pages ask; the running service answers."""

    def alive(self) -> Report: ...

    def ready(self) -> Report: ...


def health_router(health: Health) -> APIRouter:
    """`/livez`, `/readyz` and `/metrics`: no version, no authentication, not in the OpenAPI."""
    router = APIRouter(include_in_schema=False)

    @router.get("/livez")
    async def livez() -> Response:
        # That this is answered at all proves that the event loop turns.
        return health.alive().response()

    @router.get("/readyz")
    async def readyz() -> Response:
        return health.ready().response()

    @router.get("/metrics")
    async def metrics() -> Response:
        health.ready()  # which also sets what the components say of themselves
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return router
