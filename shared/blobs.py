"""Large content lies in the blob store; records carry a claim check to it (design §4).

An object is `organisation/service/sha256`: the same bytes of the same owner are stored once, and only the
owner deletes. Putting what is there already writes it again, so that its age starts anew and the owner's
sweep, which waits longer than the longest transaction, cannot take it away from under a new row.
"""

import asyncio
import errno
import hashlib
import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from shared import blob_folder
from shared.contracts.blob import Blob
from shared.failure import Transient
from shared.metrics import BLOB_FAILURES, BLOB_SECONDS, BLOB_WRITTEN

T = TypeVar("T")
R = TypeVar("R")

CHUNK_BYTES = 1024 * 1024
_UPLOADED_AT_ONCE = 2
"""Of one object's pieces: what is stored in a stream is in memory by these only."""
_PARALLEL = 16
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


class BlobError(Exception):
    """Something went wrong with the blob store."""


class BlobMissing(BlobError):
    """There is no such object. Asking again will not help."""


class BlobsUnavailable(BlobError, Transient):
    """The store does not work at the moment: try again later, no record is to blame."""


class BlobsFull(BlobsUnavailable):
    """There is no space left in the store."""


@dataclass(frozen=True, slots=True)
class NewBlob:
    """Bytes to be stored, with what people call them."""

    data: bytes
    media_type: str = "application/octet-stream"
    name: str | None = None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as the sweep sees it."""

    object: str
    size: int
    last_modified: datetime


class BlobStore:
    """The blobs of one service. Reads everybody's, writes and deletes its own only."""

    def __init__(self, url: str, service: str) -> None:
        """`url` is `file:///folder` (made if missing), `s3://…`, `gs://…`, `az://…` or `memory:///`.

        Raises `BlobsUnavailable` when there cannot be a store at `url`.
        """
        self._service = _segment(service)
        try:
            self._store = from_url(url, mkdir=True) if url.startswith("file:") else from_url(url)
        except (BaseError, OSError, ValueError) as error:
            raise BlobsUnavailable(f"no blob store at {url}: {_first_line(error)}") from error
        self._slots = asyncio.Semaphore(_PARALLEL)

    async def put(
        self,
        organisation: str,
        data: bytes,
        media_type: str = "application/octet-stream",
        name: str | None = None,
    ) -> Blob:
        """Store `data` durably and return its claim check. Raises `BlobsUnavailable`, `BlobsFull`."""
        (blob,) = await self.put_many(organisation, (NewBlob(data, media_type, name),))
        return blob

    async def put_many(self, organisation: str, blobs: Iterable[NewBlob]) -> list[Blob]:
        """Store several side by side, durable together; the claim checks come in the order given.

        Raises like `put`; then some may have been stored, and the sweep finds them.
        """
        new = list(blobs)
        prefix = self._prefix(organisation)
        made = await asyncio.to_thread(lambda: [_named(prefix, one) for one in new])
        if not made:
            return []
        if isinstance(self._store, LocalStore) and self._store.prefix is not None:
            files = [(blob.object, one.data) for blob, one in zip(made, new, strict=True)]
            with _operation("put", made[0].object):
                await asyncio.to_thread(blob_folder.write, self._store.prefix, files)
        else:
            await self._send(made, new)
        BLOB_WRITTEN.inc(sum(blob.size for blob in made))
        return made

    async def put_stream(
        self,
        organisation: str,
        chunks: AsyncIterable[bytes],
        media_type: str = "application/octet-stream",
        name: str | None = None,
    ) -> Blob:
        """Store what comes in pieces, of which only a few are in memory at once; durable when this returns.

        Raises like `put`, and what `chunks` raises: then nothing is stored. Until it is whole it has a name
        of its own, by which the sweep finds it if this process dies.
        """
        prefix, hashed, size = self._prefix(organisation), hashlib.sha256(), 0
        unfinished = f"{prefix}unfinished-{secrets.token_hex(16)}"
        async with _written(self._writer(unfinished), unfinished) as write:
            async for chunk in chunks:
                hashed.update(chunk)
                size += len(chunk)
                await write(chunk)
        sha256 = hashed.hexdigest()
        made = Blob(object=f"{prefix}{sha256}", sha256=sha256, size=size, media_type=media_type, name=name)
        with _operation("put", made.object):
            await obstore.rename_async(self._store, unfinished, made.object)
            if isinstance(self._store, LocalStore) and self._store.prefix is not None:
                await asyncio.to_thread(blob_folder.sync, self._store.prefix, [made.object])
        BLOB_WRITTEN.inc(size)
        return made

    def _writer(self, path: str) -> Any:
        if isinstance(self._store, LocalStore) and self._store.prefix is not None:
            return blob_folder.Writer(self._store.prefix / path)
        return obstore.open_writer_async(self._store, path, max_concurrency=_UPLOADED_AT_ONCE)

    async def _send(self, made: Sequence[Blob], new: Sequence[NewBlob]) -> None:
        async def send(pair: tuple[Blob, NewBlob]) -> None:
            blob, one = pair
            with _operation("put", blob.object):
                await obstore.put_async(self._store, blob.object, one.data)

        await self._side_by_side(send, zip(made, new, strict=True))

    async def _side_by_side(self, call: Callable[[T], Awaitable[R]], items: Iterable[T]) -> list[R]:
        async def called(item: T) -> R:
            async with self._slots:
                return await call(item)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(called(item)) for item in items]
        except ExceptionGroup as failed:  # callers know BlobError, and one reason is enough
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    async def get(self, object: str) -> bytes:
        """The whole object. Raises `BlobMissing`, `BlobsUnavailable`."""
        with _operation("get", object):
            return bytes(await (await obstore.get_async(self._store, object)).bytes_async())

    async def stream(self, object: str, chunk_bytes: int = CHUNK_BYTES) -> AsyncIterator[bytes]:
        """The object in pieces of about `chunk_bytes`. Raises like `get`."""
        with _operation("get", object):
            chunks = aiter((await obstore.get_async(self._store, object)).stream(chunk_bytes))
        while True:
            # Only our own waiting is measured and translated, not what the reader does in between.
            with _operation("get", object):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield bytes(chunk)

    async def delete(self, objects: Sequence[str]) -> None:
        """Remove objects of this service; those that are gone already are passed over.

        Raises `ValueError` when one belongs to another service, before anything is deleted.
        """
        for object in objects:
            _, service, _ = object.split("/") if object.count("/") == 2 else ("", "", "")
            if service != self._service:
                raise ValueError(
                    f"{object} does not belong to {self._service}; only its owner deletes a blob"
                )

        async def remove(object: str) -> None:
            with suppress(BlobMissing), _operation("delete", object):
                await obstore.delete_async(self._store, object)

        await self._side_by_side(remove, objects)

    async def look_many(self, objects: Sequence[str]) -> list[StoredObject]:
        """Those of some objects that are there, as they are now. Raises `BlobsUnavailable`."""
        return [each for each in await self._side_by_side(self.look, objects) if each is not None]

    async def look(self, object: str) -> StoredObject | None:
        """The object as it is now; None if there is none. Raises `BlobsUnavailable`."""
        try:
            with _operation("look", object):
                meta = await obstore.head_async(self._store, object)
        except BlobMissing:
            return None
        return StoredObject(meta["path"], meta["size"], meta["last_modified"])

    async def list(self, organisation: str) -> AsyncIterator[StoredObject]:
        """What this service stores for an organisation, for its sweep."""
        prefix = self._prefix(organisation)
        pages = aiter(obstore.list(self._store, prefix))
        while True:
            with _operation("list", prefix):
                page = await anext(pages, None)
            if page is None:
                return
            for meta in page:
                yield StoredObject(meta["path"], meta["size"], meta["last_modified"])

    def _prefix(self, organisation: str) -> str:
        return f"{_segment(organisation)}/{self._service}/"


@asynccontextmanager
async def _written(file: Any, path: str) -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
    """Writes an object piece by piece; what fails of that is told in our words, what else fails ends it."""

    async def write(chunk: bytes) -> None:
        with _operation("put", path):
            await file.write(chunk)

    with _operation("put", path):
        await file.__aenter__()
    try:
        yield write
    except BaseException as error:
        await file.__aexit__(type(error), error, error.__traceback__)
        raise
    with _operation("put", path):
        await file.__aexit__(None, None, None)


def _named(prefix: str, new: NewBlob) -> Blob:
    """The claim check for bytes that are still to be stored."""
    sha256 = hashlib.sha256(new.data).hexdigest()
    return Blob(
        object=f"{prefix}{sha256}",
        sha256=sha256,
        size=len(new.data),
        media_type=new.media_type,
        name=new.name,
    )


def _segment(text: str) -> str:
    if not _SEGMENT.fullmatch(text):
        raise ValueError(f"{text!r} cannot be part of an object's path")
    return text


@contextmanager
def _operation(name: str, path: str) -> Iterator[None]:
    """Measures one call of the store and tells its failure in our words."""
    began = perf_counter()
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        told = _translated(error, path)
        BLOB_FAILURES.labels(name, type(told).__name__).inc()
        raise told from error
    finally:
        BLOB_SECONDS.labels(name).observe(perf_counter() - began)


def _translated(error: Exception, path: str) -> BlobError:
    if isinstance(error, FileNotFoundError | ValueError):  # ValueError: what cannot be a path at all
        return BlobMissing(f"blob {path} does not exist")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BlobsFull(f"no space left for blob {path}")
    # Of what the operating system says to the store, only its text is left.
    if re.search(r"\(os error (28|122)\)|StorageFull|QuotaExceeded", str(error)):
        return BlobsFull(f"no space left for blob {path}")
    return BlobsUnavailable(f"blob {path}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
