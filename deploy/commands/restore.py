"""`mailroom restore`: schemas and blobs as a backup has them."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands.backup import BlobsUrl, meant
from deploy.instance import DEFAULT_HOME, DsnOption, HomeOption, ServiceOption, services_named


def restore(
    source: Annotated[
        Path, typer.Option("--from", help="A backup, or a folder of backups: its newest is taken.")
    ],
    dsn: DsnOption = None,
    blobs: BlobsUrl = None,
    service: ServiceOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="In place of a schema with data in it.")] = False,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Put schemas and blobs back. Each schema is put back whole or not at all; its service must not run.

    The services refuse it until `mailroom recover` has caught it up with what they have said since.
    """
    from deploy.backup.putting_back import put_back

    where, stored = meant(dsn, blobs, home)
    done = asyncio.run(put_back(source, where, stored, services_named(service), replace=replace))
    for name, applied in done.schemas.items():
        typer.echo(f"{name}: as of {done.made_at}{''.join(f', applied {each}' for each in applied)}")
    if done.blobs is not None:
        typer.echo(f"blobs: {len(done.blobs.objects)} put back, {done.blobs.present} were there")
    typer.echo("Now run `mailroom recover`.")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("restore")(restore)
