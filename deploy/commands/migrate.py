"""`mailroom migrate`: brings the services' schemas up to date; the job before every upgrade."""

import asyncio
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from deploy.instance import ServiceOption, services_named
from shared.migrations import migrate, migrations_of, set_password

Dsn = Annotated[
    str,
    typer.Option(
        "--dsn",
        envvar="MAILROOM_ADMIN_DSN",
        help="postgresql://… of a role that may create roles and schemas.",
    ),
]


def migrate_command(
    dsn: Dsn,
    service: ServiceOption = None,
    passwords: Annotated[
        Path | None,
        typer.Option(
            envvar="MAILROOM_ROLE_PASSWORDS",
            exists=True,
            file_okay=False,
            help="Folder with a file for each service, named like it: the password of its role.",
        ),
    ] = None,
) -> None:
    """Make each service's role and schema, and apply the migrations that are missing.

    Runs at the same time wait for each other; a run with nothing to do says so.
    """
    asyncio.run(_migrate(dsn, services_named(service), passwords))


async def _migrate(dsn: str, services: tuple[str, ...], passwords: Path | None) -> None:
    for service in services:
        try:
            applied = await migrate(dsn, service, migrations_of(service))
            if passwords is not None:
                await set_password(dsn, service, (passwords / service).read_text().strip())
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            typer.echo(f"{service}: {error}", err=True)
            raise typer.Exit(1) from error
        for migration in applied:
            typer.echo(f"{service}: applied {migration}")
        if not applied:
            typer.echo(f"{service}: nothing to do")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("migrate")(migrate_command)
