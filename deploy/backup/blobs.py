"""Blobs: copied into the backups' folder and back, each once, and known by the hash that is its name."""

import asyncio
import hashlib
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from deploy.backup.failure import BackupFailure

_WHOLE = re.compile(r"[^/]+/(?P<service>[^/]+)/[0-9a-f]{64}")
"""`organisation/service/sha256` (shared/blobs.py); what is still being stored has another name."""
_PARALLEL = 16


class Copied(NamedTuple):
    """What was copied; `present` is what was there already, `damaged` what is not what its name says."""

    objects: Sequence[str]
    present: int
    damaged: Sequence[str]


async def keep(url: str, folder: Path, services: Collection[str]) -> tuple[list[str], Copied]:
    """Copy what the services' blobs store has and `folder` has not; all of their names, and what was copied.

    Call it after the dumps: what they name is there by then. Raises `BackupFailure`.
    """
    source, target = _store(url), LocalStore(folder, mkdir=True)
    named = [(name, _WHOLE.fullmatch(name)) for name in await _names(source)]
    names = [name for name, found in named if found and found["service"] in services]
    copied = await _copy(source, target, names)
    return sorted(set(names) - set(copied.damaged)), copied


async def put_back(folder: Path, url: str, names: Sequence[str], services: Collection[str]) -> Copied:
    """Copy what of `names` the services' store lacks. Raises `BackupFailure`, also when one is missing."""
    wanted = [name for name in names if name.split("/")[1] in services]
    if not wanted:
        return Copied((), 0, ())
    source = LocalStore(folder, mkdir=True)
    missing = set(wanted) - set(await _names(source))
    if missing:
        raise BackupFailure(f"{folder} lacks {len(missing)} blobs of the backup, {min(missing)} for one.")
    copied = await _copy(source, _store(url), wanted)
    if copied.damaged:
        raise BackupFailure(f"{folder / copied.damaged[0]} is damaged: it is not what its name says.")
    return copied


async def _copy(source: ObjectStore, target: ObjectStore, names: Sequence[str]) -> Copied:
    there = set(await _names(target))
    new = [name for name in names if name not in there]
    slots = asyncio.Semaphore(_PARALLEL)
    damaged: list[str] = []

    async def copy(name: str) -> None:
        async with slots:
            try:
                data = bytes(await (await obstore.get_async(source, name)).bytes_async())
            except FileNotFoundError:  # its owner has deleted it since it was listed
                damaged.append(name)
                return
            if hashlib.sha256(data).hexdigest() != name.rpartition("/")[2]:
                damaged.append(name)
            else:
                await obstore.put_async(target, name, data)

    try:
        await asyncio.gather(*map(copy, new))
    except (BaseError, OSError) as error:
        raise BackupFailure(f"A blob cannot be copied: {str(error).partition(chr(10))[0]}.") from error
    return Copied([name for name in new if name not in damaged], len(names) - len(new), damaged)


async def _names(store: ObjectStore) -> list[str]:
    try:
        return [meta["path"] async for page in obstore.list(store) for meta in page]
    except (BaseError, OSError) as error:
        raise BackupFailure(f"The blobs cannot be listed: {str(error).partition(chr(10))[0]}.") from error


def _store(url: str) -> ObjectStore:
    try:
        return from_url(url, mkdir=True) if url.startswith("file:") else from_url(url)
    except (BaseError, OSError, ValueError) as error:
        raise BackupFailure(f"There is no blob store at {url}: {error}.") from error
