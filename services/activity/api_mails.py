"""HTTP in: the HTML and the attachments of mails. They come from strangers, so nothing in them may act."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from services.activity import store_mails, store_views
from services.activity.access import Access, Reception, opened_activity
from services.activity.approval_links import without_link
from services.activity.downloads import FILE_HEADERS, FILES, Responses, away, download, not_kept
from services.activity.resources import Resource
from services.activity.store_mails import Mail
from shared.auth import Caller, Principal
from shared.blobs import BlobMissing, BlobStore, BlobsUnavailable
from shared.contracts.blob import Blob
from shared.problems import NOT_FOUND, Problem
from shared.unit_of_work import Batch

# What stands in the HTML was sanitised when the mail came in; this holds even if that ever let something by.
HTML_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}
_PAGE: Responses = {200: {"content": {"text/html": {}}, "description": "The mail's HTML, sanitised"}}


def mail_routes(reception: Reception, blobs: BlobStore, resource: Resource) -> APIRouter:
    """`<prefix>/{reference}/mails/{mail}/…`."""
    router = APIRouter(prefix=f"{resource.prefix}/{{reference}}/mails/{{mail}}", tags=[resource.tag])

    async def found(caller: Principal, reference: str, id_: UUID) -> Mail:
        async def serve(batch: Batch[Any], access: Access) -> Mail:
            activity = await opened_activity(batch, access, reference, resource.kind)
            key = (activity.organisation, activity.id)
            if await store_views.stands_on(batch.connection, key, id_):
                for mail in await store_mails.by_id(batch.connection, {(activity.organisation, id_)}):
                    if mail.removed_at is not None:
                        raise Problem(
                            NOT_FOUND, f"What this mail said was removed on {mail.removed_at:%Y-%m-%d}."
                        )
                    return mail
            raise Problem(NOT_FOUND, f"{reference} has no mail {id_}.")

        return await reception.admit(caller, serve)

    async def whole(blob: Blob) -> bytes:
        try:
            return await blobs.get(blob.object)
        except BlobMissing:
            raise not_kept() from None
        except BlobsUnavailable:
            raise away() from None

    @router.get("/html", name=f"read_html{resource.operations}", response_class=Response, responses=_PAGE)
    async def read_html(reference: str, mail: UUID, caller: Caller) -> Response:
        """The mail's HTML, to be shown in a frame of its own: no scripts, no forms, nothing from afar."""
        content = (await found(caller, reference, mail)).content
        if content.html is None:
            raise Problem(NOT_FOUND, "This mail has no HTML.")
        html = _without_link(await whole(content.html))
        return Response(html, media_type="text/html; charset=utf-8", headers=HTML_HEADERS)

    @router.get("/text", name=f"read_text{resource.operations}", response_class=Response)
    async def read_text(reference: str, mail: UUID, caller: Caller) -> Response:
        """The mail's whole text; the timeline carries its beginning."""
        content = (await found(caller, reference, mail)).content
        text = content.text.encode() if content.full_text is None else await whole(content.full_text)
        return Response(_without_link(text), media_type="text/plain; charset=utf-8", headers=FILE_HEADERS)

    @router.get(
        "/attachments/{number}",
        name=f"read_attachment{resource.operations}",
        response_class=StreamingResponse,
        responses=FILES,
    )
    async def read_attachment(reference: str, mail: UUID, number: int, caller: Caller) -> Response:
        """One file, to be saved and not shown."""
        attachments = (await found(caller, reference, mail)).content.attachments
        if not 0 <= number < len(attachments):
            raise Problem(NOT_FOUND, f"This mail has no attachment {number}.")
        blob = attachments[number].blob
        return await download(blobs, blob, blob.name or f"attachment-{number}")

    return router


def _without_link(raw: bytes) -> bytes:
    """What comes from the blob store is what came in: links of approvers are in it still (A25)."""
    return without_link(raw.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
