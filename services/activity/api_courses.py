"""HTTP in: the course of a Case as one document, for a page to show."""

from typing import Any

from fastapi import APIRouter

from services.activity import store_views
from services.activity.access import Access, Reception, opened_activity
from services.activity.views_courses import CourseDocument, course_document
from shared.auth import Caller
from shared.references import ReferenceKind
from shared.unit_of_work import Batch


def course_routes(reception: Reception) -> APIRouter:
    """`/v1/cases/{reference}/course`."""
    router = APIRouter(prefix="/v1/cases/{reference}/course", tags=["cases"])

    @router.get("")
    async def read_course(reference: str, caller: Caller) -> CourseDocument:
        """The whole Case: its steps, their Actions, who did them, when, and how they ended."""

        async def serve(batch: Batch[Any], access: Access) -> CourseDocument:
            case = await opened_activity(batch, access, reference, ReferenceKind.CASE)
            rows = await store_views.actions(batch.connection, (case.organisation, case.id))
            return course_document(case, rows)

        return await reception.admit(caller, serve)

    return router
