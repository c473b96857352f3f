"""Puts a backup back: everything is looked at before anything is touched."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from deploy.backup import blobs, schemas
from deploy.backup.blobs import Copied
from deploy.backup.failure import BackupFailure
from deploy.backup.manifest import BLOBS, Manifest, newest


class PutBack(NamedTuple):
    """When the backup was made, which migrations came after it in each schema, which blobs were put back."""

    made_at: datetime
    schemas: Mapping[str, Sequence[str]]
    blobs: Copied | None


async def put_back(
    source: Path, dsn: str, blobs_url: str | None, services: Sequence[str], *, replace: bool
) -> PutBack:
    """Put these services back, blobs first: what a schema names is there. Raises `BackupFailure`."""
    folder = newest(source)
    manifest = Manifest.load(folder)
    for service in services:
        if service not in manifest.schemas:
            raise BackupFailure(f"{folder} holds no {service}.")
        manifest.schemas[service].dump.require(folder)
    connection = await schemas.connect(dsn)
    try:
        for service in services:
            await schemas.require_restorable(connection, service, manifest.schemas[service], replace=replace)
        tools = await schemas.tools(connection, dsn)
    finally:
        await connection.close()
    copied = None
    if manifest.blobs is not None and blobs_url is not None:
        names = manifest.blobs.require(folder).read_text().splitlines()
        copied = await blobs.put_back(folder.parent / BLOBS, blobs_url, names, services)
    applied = {
        service: await schemas.restore(
            tools, dsn, service, folder / f"{service}.dump", manifest.made_at.isoformat()
        )
        for service in services
    }
    return PutBack(manifest.made_at, applied, copied)
