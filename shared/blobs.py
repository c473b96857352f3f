"""Large content lies in the blob store; records carry a claim check to it (design §4).

An object is `organisation/service/sha256`: the same bytes of the same owner are stored once, and only the
owner deletes. Putting what is there already writes it again, so that its age starts anew and the owner's
sweep, which waits longer than the longest transaction, cannot take it away from under a new row.
"""

import asyncio
import ctypes
import hashlib
import os
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from shared.contracts.blob import Blob
from shared.failure import Transient
from shared.metrics import BLOB_FAILURES, BLOB_SECONDS, BLOB_WRITTEN

CHUNK_BYTES = 1024 * 1024
_PARALLEL = 16
_SYNC_AT_ONCE = 8
_HASH_INLINE_BYTES = 64 * 1024
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
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._write(organisation, blob)) for blob in blobs]
        except ExceptionGroup as failed:  # callers know BlobError, and one reason is enough
            raise failed.exceptions[0] from None
        written = [task.result() for task in tasks]
        if written and isinstance(self._store, LocalStore) and self._store.prefix is not None:
            with _operation("sync", written[0].object):
                await asyncio.to_thread(_sync, self._store.prefix, [blob.object for blob in written])
        return written

    async def _write(self, organisation: str, blob: NewBlob) -> Blob:
        """Store one, on a folder not yet for good."""
        if len(blob.data) <= _HASH_INLINE_BYTES:
            sha256 = hashlib.sha256(blob.data).hexdigest()
        else:
            sha256 = (await asyncio.to_thread(hashlib.sha256, blob.data)).hexdigest()
        path = f"{self._prefix(organisation)}{sha256}"
        async with self._slots:
            with _operation("put", path):
                await obstore.put_async(self._store, path, blob.data)
        size = len(blob.data)
        BLOB_WRITTEN.inc(size)
        return Blob(object=path, sha256=sha256, size=size, media_type=blob.media_type, name=blob.name)

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
        for object in objects:
            with suppress(BlobMissing), _operation("delete", object):
                await obstore.delete_async(self._store, object)

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


def _segment(text: str) -> str:
    if not _SEGMENT.fullmatch(text):
        raise ValueError(f"{text!r} cannot be part of an object's path")
    return text


def _sync(root: Path, paths: Sequence[str]) -> None:
    """Make files outlive a power failure: the store itself only writes and renames.

    A page of mails has hundreds. One by one, each waits for a commit of the file system's journal behind
    Postgres' and Kafka's own; Linux can be asked for all of a file system at once.
    """
    if len(paths) >= _SYNC_AT_ONCE and _syncfs is not None:
        _on_disk(root, _syncfs)
        return
    files = dict.fromkeys(root / path for path in paths)
    # The folders above too, each once, since a file's entry in them may be new.
    folders = dict.fromkeys(
        folder for file in files for folder in file.parents if folder == root or root in folder.parents
    )
    for place in (*files, *folders):
        _on_disk(place, os.fsync)


def _on_disk(place: Path, sync: Callable[[int], object]) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def _load_syncfs() -> Callable[[int], object] | None:
    """`syncfs(2)`, which Python has no name for; None where there is none."""
    try:
        call = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return None

    def syncfs(descriptor: int) -> None:
        if call(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return syncfs


_syncfs = _load_syncfs()


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
    text = str(error)
    # The store wraps what the operating system says; only its text tells a full disk (ENOSPC, EDQUOT).
    if re.search(r"\(os error (28|122)\)|StorageFull|QuotaExceeded", text):
        return BlobsFull(f"no space left for blob {path}")
    return BlobsUnavailable(f"blob {path}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
