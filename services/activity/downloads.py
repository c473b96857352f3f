"""Files on their way to a browser: to be saved, and never shown. Strangers wrote them."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from fastapi.responses import StreamingResponse

from shared.blobs import BlobMissing, BlobStore, BlobsUnavailable
from shared.contracts.blob import Blob
from shared.problems import NOT_FOUND, UNAVAILABLE, Problem

Responses = dict[int | str, dict[str, Any]]
FILE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}", re.ASCII)

FILES: Responses = {200: {"content": {"application/octet-stream": {}}, "description": "The file"}}


async def download(blobs: BlobStore, blob: Blob, name: str) -> StreamingResponse:
    """The file in pieces. Raises `Problem` while the answer can still be an error."""
    chunks = blobs.stream(blob.object)
    try:  # the first piece tells whether there is anything
        first = await anext(chunks, b"")
    except BlobMissing:
        raise not_kept() from None
    except BlobsUnavailable:
        raise away() from None

    async def pieces() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    headers = {"Content-Disposition": disposition(name), "Content-Length": str(blob.size)}
    return StreamingResponse(
        pieces(), media_type=_safe_media_type(blob.media_type), headers={**FILE_HEADERS, **headers}
    )


def not_kept() -> Problem:
    return Problem(NOT_FOUND, "It is not kept any more.")


def away() -> Problem:
    return Problem(UNAVAILABLE, "The blob store is away at the moment; try again.")


def disposition(name: str) -> str:
    """A Content-Disposition that only ever saves, under a name without folders (RFC 6266)."""
    flat = re.sub(r"[\x00-\x1f\x7f/\\]", "_", name).strip(". ") or "attachment"
    plain = re.sub(r"[^ !#$&+\-.0-9A-Z^_`a-z|~]", "_", flat)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(flat, safe='')}"


def _safe_media_type(media_type: str) -> str:
    lower = media_type.lower()
    return lower if _MEDIA_TYPE.fullmatch(lower) else "application/octet-stream"
