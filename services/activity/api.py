"""HTTP in: lists of activities, one of them, its timeline. Steps and mails have files of their own."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from services.activity import store_activities, store_files, store_mails, store_views
from services.activity.access import Access, Reception, bearer_key, found_activity, opened_activity
from services.activity.api_courses import course_routes
from services.activity.api_files import file_routes
from services.activity.api_mails import mail_routes
from services.activity.api_recipients import recipient_routes
from services.activity.api_steps import step_routes
from services.activity.domain.states import Status
from services.activity.permissions import ENDPOINTS
from services.activity.resources import RESOURCES, Resource
from services.activity.store_views import Filter
from services.activity.uploads import ActivityAddFile
from services.activity.views import ActivityHeader, ActivitySummary, ActivityView, LinkView, Shown
from services.activity.views_timeline import TimelineEntry, merged_in, timeline_entry
from services.activity.work import Work
from shared.auth import Caller
from shared.blobs import BlobStore
from shared.contracts.record import EmailAddress, Name
from shared.http import etag
from shared.organisation import Organisations
from shared.pages import Keyset, Page, PageQuery, PageRequest
from shared.permissions import guarded
from shared.unit_of_work import Batch, UnitOfWork

_NEWEST_FIRST = Keyset(int, UUID)
_LATEST_FIRST = Keyset(int)
_OLDEST_FIRST = Keyset(int)
_FIRST = PageRequest(limit=50, after=None)
"""So many links come with an activity."""
Language = Annotated[str | None, Header(alias="Accept-Language", description="for labels: en, fr")]


def routes(unit: UnitOfWork, work: Work, organisations: Organisations, blobs: BlobStore) -> list[APIRouter]:
    """`/v1/tickets`, `/v1/cases`, `/v1/actions` and what stands below them."""
    reception = Reception(unit, organisations)
    below = [
        router
        for resource in RESOURCES
        for router in (
            _routes(reception, resource),
            step_routes(reception, work, resource),
            mail_routes(reception, blobs, resource),
            recipient_routes(reception, resource),
            *((file_routes(reception, work, blobs, resource),) if resource.has(ActivityAddFile) else ()),
        )
    ]
    return [guarded(each, ENDPOINTS) for each in (*below, course_routes(reception))]


def _routes(reception: Reception, resource: Resource) -> APIRouter:
    router = APIRouter(prefix=resource.prefix, tags=[resource.tag])

    @router.get("", name=f"list_{resource.tag}")
    async def list_activities(
        caller: Caller,
        page: PageQuery,
        language: Language = None,
        status: Status | None = None,
        queue: Name | None = None,
        assignee: Name | None = None,
        process: Name | None = None,
        new_information: bool | None = None,
        contact: Annotated[EmailAddress | None, Query(description="a contact's address")] = None,
    ) -> Page[ActivitySummary | ActivityHeader]:
        """Newest first. Those of processes that the caller may not see are header data."""

        async def serve(batch: Batch[Any], access: Access) -> Page[ActivitySummary | ActivityHeader]:
            after = _NEWEST_FIRST.decode(page.after)
            asked = Filter(
                processes=tuple(sorted(access.processes)),
                status=status,
                queue=queue,
                assignee=assignee,
                process=process,
                new_information=new_information,
                contact=contact and contact.lower(),
            )
            rows = await store_views.listed(
                batch.connection, caller.organisation, resource.kind, asked, after, page.limit + 1
            )
            shown = Shown(access.organisation, access.processes, language, batch.now)
            return _NEWEST_FIRST.page(rows, page, key=lambda row: (row["number"], row["id"]), item=shown.row)

        return await reception.admit(caller, serve)

    @router.get("/{reference}", name=f"read_{resource.kind}")
    async def read_activity(
        reference: str, caller: Caller, response: Response, language: Language = None
    ) -> ActivityView | ActivityHeader:
        """One of them; header data where the caller may not see its process. Its ETag is its version."""

        async def serve(batch: Batch[Any], access: Access) -> ActivityView | ActivityHeader:
            activity = await found_activity(batch, access, reference, resource.kind)
            key = (activity.organisation, activity.id)
            row = await store_views.row(batch.connection, key)
            shown = Shown(access.organisation, access.processes, language, batch.now)
            if activity.process not in access.processes:
                return shown.header(row)
            response.headers["ETag"] = etag(activity.version)
            bearer = bearer_key(activity)
            contacts = await store_views.contacts(batch.connection, bearer)
            rows = await store_views.linked(batch.connection, bearer, 0, _FIRST.limit + 1)
            links = _links(rows, _FIRST, shown)
            family = await store_views.family(batch.connection, key)
            files = await store_files.shown(batch.connection, bearer)
            fields = activity.fields
            if bearer != key:
                fields = (await store_activities.load(batch.connection, {bearer}))[bearer].fields
            return shown.whole(activity, row, fields, contacts, links, family, files)

        return await reception.admit(caller, serve)

    @router.get("/{reference}/links", name=f"list_links{resource.operations}")
    async def list_links(
        reference: str, caller: Caller, page: PageQuery, language: Language = None
    ) -> Page[LinkView]:
        """What it is linked with, in the order of numbers, as header data (LK-7): any number (LK-3)."""

        async def serve(batch: Batch[Any], access: Access) -> Page[LinkView]:
            activity = await opened_activity(batch, access, reference, resource.kind)
            after = _OLDEST_FIRST.decode(page.after)
            bearer, number = bearer_key(activity), after[0] if after else 0
            rows = await store_views.linked(batch.connection, bearer, number, page.limit + 1)
            return _links(rows, page, Shown(access.organisation, access.processes, language, batch.now))

        return await reception.admit(caller, serve)

    @router.get("/{reference}/timeline", name=f"read_timeline{resource.operations}")
    async def read_timeline(reference: str, caller: Caller, page: PageQuery) -> Page[TimelineEntry]:
        """What happened, newest first, with mails and notes."""

        async def serve(batch: Batch[Any], access: Access) -> Page[TimelineEntry]:
            activity = await opened_activity(batch, access, reference, resource.kind)
            after = _LATEST_FIRST.decode(page.after)
            key = (activity.organisation, activity.id)
            rows = await store_views.timeline(
                batch.connection, key, after[0] if after else None, page.limit + 1
            )
            wanted = {(activity.organisation, row["mail"]) for row in rows if row["mail"]}
            mails = {mail.id: mail for mail in await store_mails.by_id(batch.connection, wanted)}
            sources = [source for row in rows if (source := merged_in(row))]
            brought = await store_views.brought(batch.connection, activity.organisation, sources)
            return _LATEST_FIRST.page(
                rows,
                page,
                key=lambda row: (row["version"],),
                item=lambda row: timeline_entry(
                    row,
                    mails.get(row["mail"]),
                    str(activity.reference),
                    row["mail"] and activity.departure(row["mail"]),
                    (each for each in brought if each["came_with"] == merged_in(row)),
                ),
            )

        return await reception.admit(caller, serve)

    return router


def _links(rows: Sequence[Any], page: PageRequest, shown: Shown) -> Page[LinkView]:
    return _OLDEST_FIRST.page(rows, page, key=lambda row: (row["number"],), item=shown.link)
