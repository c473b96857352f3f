"""`mailroom backup`: the services' schemas and blobs, into a folder."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy.instance import (
    DEFAULT_HOME,
    DsnOption,
    HomeOption,
    ServiceOption,
    instance_in,
    services_named,
)

BlobsUrl = Annotated[
    str | None,
    typer.Option("--blobs", envvar="MAILROOM_BLOBS_URL", help="Where the blobs are; goes with --dsn."),
]


def backup(
    to: Annotated[Path, typer.Option("--to", help="Folder of backups; each gets one of its own in it.")],
    dsn: DsnOption = None,
    blobs: BlobsUrl = None,
    service: ServiceOption = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Back up schemas and blobs, while the services run. Kafka's topics are not in it.

    Blobs are copied once for all backups of the folder. What is interrupted is no backup.
    """
    from deploy.backup.making import make

    where, stored = meant(dsn, blobs, home)
    made = asyncio.run(make(where, stored, to, services_named(service)))
    for name, rows in made.rows.items():
        typer.echo(f"{name}: {rows} rows")
    if made.blobs is not None:
        typer.echo(f"blobs: {len(made.blobs.objects)} copied, {made.blobs.present} were there")
        for damaged in made.blobs.damaged:
            typer.echo(f"left out: {damaged} is gone, or is not what its name says", err=True)
    typer.echo(str(made.folder))


def meant(dsn: str | None, blobs: str | None, home: Path) -> tuple[str, str | None]:
    """The database and the blobs that are meant; blobs are None where a DSN came without them."""
    if dsn is not None:
        return dsn, blobs
    endpoints = instance_in(home, "--dsn")
    return endpoints.postgres_dsn, (endpoints.home / "blobs").as_uri()


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("backup")(backup)
