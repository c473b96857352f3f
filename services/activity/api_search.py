"""HTTP in: search for Tickets as somebody types."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, StringConstraints

from services.activity.access import Access, Reception
from services.activity.permissions import ENDPOINTS
from services.activity.store_search import Found, search
from services.activity.views import ActivitySummary, Shown
from shared.auth import Caller
from shared.contracts.record import Storable
from shared.organisation import Organisations
from shared.permissions import guarded
from shared.unit_of_work import Batch, UnitOfWork

MOST_HITS = 50


class Hit(BaseModel):
    """An activity, and what the words were found in."""

    matched: Literal["reference", "title", "contact", "mail"]
    activity: ActivitySummary


class Hits(BaseModel):
    """What was found. `more` says that there may be more than is shown: another word narrows it down."""

    items: list[Hit]
    more: bool


def search_routes(unit: UnitOfWork, organisations: Organisations) -> APIRouter:
    """`/v1/search`."""
    reception = Reception(unit, organisations)
    router = APIRouter(tags=["search"])

    @router.get("/v1/search")
    async def search_activities(
        caller: Caller,
        q: Annotated[
            str,
            StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
            Storable,
            Query(description="a reference, or the beginnings of words of three letters or more"),
        ],
        limit: Annotated[int, Query(ge=1, le=MOST_HITS)] = 20,
        language: Annotated[str | None, Header(alias="Accept-Language")] = None,
    ) -> Hits:
        """What the caller may read, by reference, title, contact and mail; the newest first."""

        async def serve(batch: Batch[Any], access: Access) -> Hits:
            processes = tuple(sorted(access.processes))
            found = await search(batch.connection, caller.organisation, processes, q, limit)
            shown = Shown(access.organisation, access.processes, language, batch.now)
            return Hits(items=[_hit(shown, each) for each in found], more=len(found) == limit)

        return await reception.admit(caller, serve)

    return guarded(router, ENDPOINTS)


def _hit(shown: Shown, found: Found) -> Hit:
    activity = shown.row(found.row)
    assert isinstance(activity, ActivitySummary), "search finds what the caller may read"
    return Hit.model_validate({"matched": found.matched, "activity": activity})
