"""Makes a backup: beside its place, and moved there when it is whole."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from deploy.backup import blobs, schemas
from deploy.backup.blobs import Copied
from deploy.backup.failure import BackupFailure
from deploy.backup.manifest import BLOBS, KeptFile, Manifest

_LIST = "blobs.txt"


class Made(NamedTuple):
    """Where the backup lies, how many rows each schema has in it, and which blobs were copied for it."""

    folder: Path
    rows: dict[str, int]
    blobs: Copied | None


async def make(dsn: str, blobs_url: str | None, to: Path, services: Sequence[str]) -> Made:
    """Back up these services. Raises `BackupFailure`; then no backup is there that was not there before."""
    made_at = datetime.now(UTC)
    unfinished = to / f".unfinished-{uuid4().hex}"
    try:
        unfinished.mkdir(parents=True)
        connection = await schemas.connect(dsn)
        try:
            tools = await schemas.tools(connection, dsn)
            kept = {each: await schemas.dump(connection, tools, each, unfinished) for each in services}
            postgres = await connection.fetchval("SHOW server_version")
        finally:
            await connection.close()
        copied: Copied | None = None
        if blobs_url is not None:
            names, copied = await blobs.keep(blobs_url, to / BLOBS, services)
            (unfinished / _LIST).write_text("".join(f"{name}\n" for name in names))
        manifest = Manifest(
            made_at=made_at,
            mailroom=version("mailroom"),
            postgres=postgres,
            schemas=kept,
            blobs=KeptFile.of(unfinished / _LIST) if copied else None,
        )
        manifest.write(unfinished)
        await asyncio.to_thread(_on_disk, unfinished)
        folder = to / made_at.strftime("%Y-%m-%dT%H-%M-%S.%fZ")
        unfinished.rename(folder)
        _sync(to)
    except OSError as error:
        raise BackupFailure(f"The backup cannot be written: {error}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Made(folder, {name: sum(each.tables.values()) for name, each in kept.items()}, copied)


def _on_disk(folder: Path) -> None:
    """The name that says it is whole must not outlive a power cut that the content does not."""
    for path in (*folder.iterdir(), folder):
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
