"""HTTP in: files come, go out to whoever may see the activity, and are taken away (NT-15, NT-20)."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from services.activity import store_files, store_requests
from services.activity.access import Access, Reception, bearer_key, opened_activity
from services.activity.announce_files import blob_of
from services.activity.api_steps import Done, carried_out, done_example, done_of, key_of, offers
from services.activity.domain.file_steps import AddFile
from services.activity.domain.files import MEGABYTE, File
from services.activity.downloads import FILES, download
from services.activity.resources import Resource
from services.activity.uploads import ActivityAddFile
from services.activity.work import Work
from shared.auth import Caller, Principal
from shared.blobs import BlobStore
from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests_files import FileName, FileTags
from shared.contracts.blob import Blob
from shared.file_names import media_type, safe_name
from shared.http import ExpectedVersion, IdempotencyKey, etag, take_body_of
from shared.problems import (
    MALFORMED_REQUEST,
    NOT_FOUND,
    STEP_REFUSED,
    UNAVAILABLE,
    VALIDATION_FAILED,
    Problem,
)
from shared.sweeping import spare
from shared.unit_of_work import Batch

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file's bytes, as they are. Its media type is this body's.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def file_routes(reception: Reception, work: Work, blobs: BlobStore, resource: Resource) -> APIRouter:
    """`<prefix>/{reference}/files`."""
    router = APIRouter(prefix=f"{resource.prefix}/{{reference}}/files", tags=[resource.tag])

    @router.post(
        "",
        name=f"add_file{resource.operations}",
        status_code=201,
        openapi_extra=_BODY,
        responses=done_example(201),
    )
    async def add_file(
        reference: str,
        request: Request,
        response: Response,
        caller: Caller,
        key: IdempotencyKey,
        seen: ExpectedVersion,
        name: Annotated[FileName, Query(description="what it is called", examples=["floor plan.pdf"])],
        tag: Annotated[FileTags, Query(description="words that it is found by")] = (),
    ) -> Done:
        """Put a file on it: at most as large as the organisation takes, and 100 MB in any case (NT-15)."""

        async def look(batch: Batch[Any], access: Access) -> int:
            """Whether he may, before he has sent all of it; what was answered before is answered again."""
            activity = await opened_activity(batch, access, reference, resource.kind, ActivityAddFile)
            known = await store_requests.answers(batch.connection, {key_of(caller, key)})
            offer = next(each for each in offers(activity, access, batch.now) if each.step == AddFile.name)
            if offer.refusal and not known:
                raise Problem(STEP_REFUSED, offer.refusal.sentence, reason=offer.refusal.code.value)
            return access.organisation.rules.largest_file_mb * MEGABYTE

        take_body_of(request, await reception.admit(caller, look))
        kind = media_type(request.headers.get("content-type", ""))
        pieces = _pieces(request)
        blob = await blobs.put_stream(caller.organisation, pieces, kind, safe_name(name, kind, "file"))

        async def serve(batch: Batch[Any], access: Access) -> dict[str, Any]:
            activity = await opened_activity(batch, access, reference, resource.kind, ActivityAddFile)
            await _keep(batch, blobs, blob)
            given = ActivityAddFile(
                type=resource.type_of(ActivityAddFile),
                reference=str(activity.reference),
                actor=access.actor,
                expected_version=seen,
                blob=blob,
                tags=tag,
            )
            return await carried_out(batch, work, caller, key, given)

        added = done_of(await reception.admit(caller, serve))
        response.headers["Location"] = f"{resource.prefix}/{added.reference}/files/{added.file}"
        response.headers["ETag"] = etag(added.version)
        return added

    async def found(caller: Principal, reference: str, id_: UUID) -> File:
        async def serve(batch: Batch[Any], access: Access) -> File:
            activity = await opened_activity(batch, access, reference, resource.kind)
            for _, file in await store_files.on(batch.connection, {bearer_key(activity)}):
                if file.id == id_:
                    return file
            raise Problem(NOT_FOUND, f"There is no file {id_} on {activity.reference}.")

        return await reception.admit(caller, serve)

    @router.get(
        "/{file}", name=f"read_file{resource.operations}", response_class=StreamingResponse, responses=FILES
    )
    async def read_file(reference: str, file: UUID, caller: Caller) -> Response:
        """One file, to be saved and not shown."""
        there = await found(caller, reference, file)
        return await download(blobs, blob_of(there), there.name)

    @router.delete("/{file}", name=f"remove_file{resource.operations}", responses=done_example(200))
    async def remove_file(
        reference: str,
        file: UUID,
        caller: Caller,
        key: IdempotencyKey,
        response: Response,
        seen: ExpectedVersion,
    ) -> Done:
        """Take a file away for good, as the step `remove_file` does (NT-20)."""

        async def serve(batch: Batch[Any], access: Access) -> dict[str, Any]:
            activity = await opened_activity(
                batch, access, reference, resource.kind, asked.ActivityRemoveFile
            )
            given = asked.ActivityRemoveFile(
                type=resource.type_of(asked.ActivityRemoveFile),
                reference=str(activity.reference),
                actor=access.actor,
                expected_version=seen,
                file=file,
            )
            return await carried_out(batch, work, caller, key, given)

        removed = done_of(await reception.admit(caller, serve))
        response.headers["ETag"] = etag(removed.version)
        return removed

    return router


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises `Problem` for one that is empty, or breaks off."""
    empty = True
    try:
        async for chunk in request.stream():
            if chunk:
                empty = False
                yield chunk
    except ClientDisconnect:
        raise Problem(MALFORMED_REQUEST, "The file broke off before its end.") from None
    if empty:
        raise Problem(VALIDATION_FAILED, "The file is empty.", missing=["body"], reason="empty_file")


async def _keep(batch: Batch[Any], blobs: BlobStore, blob: Blob) -> None:
    """Let the sweep leave the bytes alone from this transaction on; it may just have taken them."""
    if await spare(batch.connection, [blob.object]) and await blobs.look(blob.object) is None:
        raise Problem(UNAVAILABLE, "The same bytes were just being removed: send them once more.")
