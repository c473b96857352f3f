"""HTTP in: the course of a Case as one document, for a page to show, and as a drawing."""

import asyncio
from typing import Any

from fastapi import APIRouter, Response

from services.activity import store_views
from services.activity.access import Access, Reception, opened_activity
from services.activity.domain.activity import Activity
from services.activity.downloads import FILE_HEADERS, Responses
from services.activity.drawing import drawn
from services.activity.pictures import Picture
from services.activity.store_views import Under
from services.activity.views_courses import CourseDocument, Seen, course_document
from services.activity.views_drawings import course_picture
from shared.auth import Caller
from shared.organisation import Organisation, Unknown
from shared.references import ReferenceKind
from shared.unit_of_work import Batch

SVG = "image/svg+xml"
_DRAWING: Responses = {200: {"content": {SVG: {}}, "description": "The drawing; nothing in it acts"}}


def course_routes(reception: Reception) -> APIRouter:
    """`/v1/cases/{reference}/course` and `/v1/cases/{reference}/drawing`."""
    router = APIRouter(prefix="/v1/cases/{reference}", tags=["cases"])

    @router.get("/course")
    async def read_course(reference: str, caller: Caller) -> CourseDocument:
        """The whole Case: its steps, their Actions, who did them, when, and how they ended."""

        async def serve(batch: Batch[Any], access: Access) -> CourseDocument:
            case = await opened_activity(batch, access, reference, ReferenceKind.CASE)
            return course_document(case, await _under(batch, case), _seen(access))

        return await reception.admit(caller, serve)

    @router.get("/drawing", response_class=Response, responses=_DRAWING)
    async def read_drawing(reference: str, caller: Caller) -> Response:
        """The same as a drawing (SVG): steps from left to right, what was done again below it."""

        async def serve(batch: Batch[Any], access: Access) -> Picture:
            case = await opened_activity(batch, access, reference, ReferenceKind.CASE)
            course = course_document(case, await _under(batch, case), _seen(access))
            titles = _Titles(access.organisation)
            return course_picture(case, course, titles.person, titles.queue)

        # Of a Case with a thousand Actions it takes a while to measure all texts.
        svg = await asyncio.to_thread(drawn, await reception.admit(caller, serve))
        return Response(svg, media_type=SVG, headers=FILE_HEADERS)

    return router


async def _under(batch: Batch[Any], case: Activity) -> Under:
    parent = case.parent if case.is_sub_case else None
    return await store_views.under(batch.connection, (case.organisation, case.id), parent)


def _seen(access: Access) -> Seen:
    return Seen(access.processes, access.organisation.rules.hide_titles)


class _Titles:
    """What people call those whom a configuration names; the name itself where it names them no more."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation

    def person(self, name: str) -> str:
        try:
            user = self._organisation.user(name)
        except Unknown:
            return name
        return f"{user.title} (robot)" if user.robot else user.title

    def queue(self, name: str) -> str:
        try:
            return self._organisation.queue(name).title
        except Unknown:
            return name
