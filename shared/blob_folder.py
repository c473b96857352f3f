"""Writes blobs into a folder, durable together, so that obstore can read them there.

obstore writes the same way, but hands each file to a thread of its own and back, which costs several times
as much CPU as the writing: a page of mails has hundreds of small ones.
"""

import asyncio
import ctypes
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

_SYNC_AT_ONCE = 8


def write(root: Path, blobs: Sequence[tuple[str, bytes]]) -> None:
    """Write these objects (path below `root`, content) and wait until they outlive a power failure.

    Each appears whole or not at all. Raises `OSError`; then some may have been written.
    """
    places = [(root / path, data) for path, data in blobs]
    for folder in {place.parent for place, _ in places}:
        folder.mkdir(parents=True, exist_ok=True)
    for place, data in places:
        _write(place, data)
    sync(root, [path for path, _ in blobs])


class Writer:
    """Writes one file piece by piece. Raises `OSError`; whatever is raised while it writes, the file goes.

    obstore lists its name, so that a sweep finds what a process leaves that dies meanwhile.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._file: BinaryIO | None = None

    async def __aenter__(self) -> Self:
        self._file = await asyncio.to_thread(self._open)
        return self

    async def write(self, piece: bytes) -> None:
        """Write the next piece."""
        assert self._file is not None, "it is written inside its context only"
        await asyncio.to_thread(self._file.write, piece)

    async def __aexit__(self, failed: type[BaseException] | None, *_: object) -> None:
        assert self._file is not None
        # Not in a thread where it failed: who was cancelled waits for nothing any more.
        if failed is None:
            await asyncio.to_thread(self._file.close)
            return
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._place.unlink()

    def _open(self) -> BinaryIO:
        self._place.parent.mkdir(parents=True, exist_ok=True)
        return self._place.open("xb")


def _write(place: Path, data: bytes) -> None:
    unfinished = place.with_name(f"{place.name}#{secrets.randbits(63)}")  # obstore lists no name like that
    try:
        with unfinished.open("xb") as file:
            file.write(data)
        unfinished.replace(place)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def sync(root: Path, paths: Sequence[str]) -> None:
    """Make these objects outlive a power failure.

    One by one, each waits for a commit of the file system's journal behind Postgres' and Kafka's own; Linux
    can be asked for all of a file system at once.
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
