"""HTTP in: Inbox, Owned Work, queues with their counts, and what to do next (GL-2, ST-10, ST-11)."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel

from services.activity import store_worklists
from services.activity.access import Access, Reception
from services.activity.api_steps import Done, carried_out, done_example, done_of
from services.activity.domain.states import Status
from services.activity.permissions import ENDPOINTS
from services.activity.request_bodies import body_of, request_of
from services.activity.store_worklists import FIRST, Place, Sieve, place_of
from services.activity.views import Shown
from services.activity.views_worklists import QueueCounts, WorkItem, queue_counts, work_item
from services.activity.work import Work
from services.activity.worklists import next_best, queues_of, resting_processes
from shared.auth import Caller
from shared.contracts.activity_requests import WorkTakeNext
from shared.contracts.record import Instant, Name
from shared.http import IdempotencyKey, etag
from shared.organisation import Organisations
from shared.pages import Keyset, Page, PageQuery, PageRequest
from shared.permissions import Role, guarded
from shared.unit_of_work import Batch, UnitOfWork

_SOONEST_FIRST = Keyset(Instant, int, UUID)
Language = Annotated[str | None, Header(alias="Accept-Language", description="for labels: en, fr")]
Highlighted = Annotated[
    bool | None, Query(description="with new information, or back from a wait or a resolution")
]


class Whose(StrEnum):
    """Whose work is listed: the caller's own, or that of the queues that he works from."""

    MINE = "mine"
    QUEUES = "queues"


class WaitGroup(StrEnum):
    """Wait types as people search for them (ST-11): all waits for other activities are one (AMB-1)."""

    MORE_INFORMATION = "more_information"
    UNTIL = "until"
    PAUSE = "pause"
    RELATED = "related"

    @property
    def types(self) -> tuple[str, ...]:
        """The wait types that it stands for."""
        return ("split", "case_launched") if self is WaitGroup.RELATED else (self.value,)


def worklist_routes(unit: UnitOfWork, work: Work, organisations: Organisations) -> APIRouter:
    """`/v1/inbox`, `/v1/inbox/next`, `/v1/owned-work` and `/v1/queues`."""
    reception = Reception(unit, organisations)
    router = APIRouter(tags=["work lists"])

    @router.get("/v1/inbox")
    async def read_inbox(
        caller: Caller,
        page: PageQuery,
        language: Language = None,
        of: Whose = Whose.MINE,
        status: Status | None = None,
        process: Name | None = None,
        queue: Name | None = None,
        highlighted: Highlighted = None,
    ) -> Page[WorkItem]:
        """What the caller must act on now, the soonest due first: his own, or what waits in his queues."""

        async def serve(batch: Batch[Any], access: Access) -> Page[WorkItem]:
            sieve = Sieve(
                processes=_readable(access, process),
                statuses=(status.value,) if status else None,
                queue=queue,
                highlighted=highlighted,
            )
            where = (batch.connection, caller.organisation)
            if of is Whose.MINE:
                rows = await store_worklists.in_inbox(*where, caller.user, sieve, *_part(page))
            else:
                queues = queues_of(access.organisation, caller.user, access.processes)
                rows = await store_worklists.nobody_has(*where, queues, sieve, *_part(page))
            return _shown(access, page, rows, language, batch.now)

        return await reception.admit(caller, serve)

    @router.get(
        "/v1/inbox/next",
        responses={204: {"description": "There is nothing to do."}},
        response_model=WorkItem,
    )
    async def read_next(caller: Caller, language: Language = None) -> WorkItem | Response:
        """The best thing to do next: the soonest due of what the caller has and what waits in his queues.

        Nothing is taken: picking it up is a step, and refused if somebody was faster; `POST` finds it and
        takes it. A robot sees first what it works on.
        """

        async def serve(batch: Batch[Any], access: Access) -> WorkItem | Response:
            processes = access.rights.processes(Role.WORKER)
            robot = access.caller_is_robot
            row = await next_best(batch.connection, access.organisation, caller.user, processes, robot=robot)
            shown = Shown(access.organisation, access.processes, language, batch.now)
            return work_item(shown, row) if row else Response(status_code=204)

        return await reception.admit(caller, serve)

    async def take_next(
        body: BaseModel, caller: Caller, key: IdempotencyKey, response: Response
    ) -> Done | Response:
        """Find the best thing to do next and take it (GL-2, ST-24). Two who ask at once never get the same.

        What the caller works on already is not taken again. A robot gets again what it works on, three times.
        """

        async def serve(batch: Batch[Any], access: Access) -> dict[str, Any]:
            request = request_of(WorkTakeNext, body, actor=access.actor)
            return await carried_out(batch, work, caller, key, request)

        answer = await reception.admit(caller, serve)
        if answer.get("code") == "nothing_to_do":
            return Response(status_code=204)
        taken = done_of(answer)
        response.headers["ETag"] = etag(taken.version)
        return taken

    take_next.__annotations__["body"] = body_of(WorkTakeNext)
    router.add_api_route(
        "/v1/inbox/next",
        take_next,
        methods=["POST"],
        response_model=Done,
        responses={204: {"description": "There is nothing to do."}, **done_example(200)},
    )

    @router.get("/v1/owned-work")
    async def read_owned_work(
        caller: Caller,
        page: PageQuery,
        language: Language = None,
        of: Whose = Whose.MINE,
        status: Annotated[Status | None, Query(description="wait or resolved")] = None,
        wait: WaitGroup | None = None,
        process: Name | None = None,
        highlighted: Highlighted = None,
    ) -> Page[WorkItem]:
        """What the caller is responsible for and has nothing to do on; or what rests of his queues' work."""

        async def serve(batch: Batch[Any], access: Access) -> Page[WorkItem]:
            sieve = Sieve(
                processes=_readable(access, process),
                statuses=(status.value,) if status else None,
                waits=wait.types if wait else None,
                highlighted=highlighted,
            )
            where = (batch.connection, caller.organisation)
            if of is Whose.MINE:
                rows = await store_worklists.owned(*where, caller.user, sieve, *_part(page))
            else:
                queues = queues_of(access.organisation, caller.user, access.processes)
                processes = resting_processes(access.organisation, queues, sieve.processes)
                rows = await store_worklists.at_rest(*where, processes, sieve, *_part(page))
            return _shown(access, page, rows, language, batch.now)

        return await reception.admit(caller, serve)

    @router.get("/v1/queues")
    async def list_queues(caller: Caller) -> list[QueueCounts]:
        """How much there is in each queue and state, of the processes that the caller may read."""

        async def serve(batch: Batch[Any], access: Access) -> list[QueueCounts]:
            mine = queues_of(access.organisation, caller.user, access.processes)
            rows = await store_worklists.counts(batch.connection, caller.organisation, access.processes)
            return queue_counts(access.organisation, mine, rows)

        return await reception.admit(caller, serve)

    return guarded(router, ENDPOINTS)


def _readable(access: Access, process: str | None) -> tuple[str, ...]:
    return tuple(sorted(access.processes & {process} if process else access.processes))


def _part(page: PageRequest) -> tuple[Place, int]:
    """Where the page begins, and how many rows to read for it."""
    after = _SOONEST_FIRST.decode(page.after)
    return ((after[0], after[1], after[2]) if after else FIRST), page.limit + 1


def _shown(
    access: Access, page: PageRequest, rows: Sequence[Any], language: str | None, now: datetime
) -> Page[WorkItem]:
    shown = Shown(access.organisation, access.processes, language, now)
    return _SOONEST_FIRST.page(rows, page, key=place_of, item=lambda row: work_item(shown, row))
