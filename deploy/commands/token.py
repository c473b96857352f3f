"""`mailroom token`: a JWT of the local issuer, for development."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.instance import DEFAULT_HOME, HomeOption


def token(
    user: Annotated[str, typer.Option(help="Who the token speaks for (sub).")],
    organisation: Annotated[str, typer.Option(help="The organisation that the user belongs to.")] = "acme",
    home: HomeOption = DEFAULT_HOME,
    secrets_dir: Annotated[
        Path | None,
        typer.Option(
            envvar="MAILROOM_SECRETS_DIR",
            exists=True,
            file_okay=False,
            help="Folder with the local issuer's key, made there if it is missing; the home's by default.",
        ),
    ] = None,
    kind: Annotated[str, typer.Option(help="user, robot, system or integration.")] = "user",
    role: Annotated[list[str] | None, typer.Option(help="A role; may be given several times.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, help="How long the token is good for.")] = 8.0,
) -> None:
    """Print a token that services of the local stack accept as Authorization: Bearer."""
    from datetime import timedelta
    from typing import cast, get_args

    from shared.auth import Principal, PrincipalKind
    from shared.clock import SystemClock
    from shared.local_issuer import ensure_issuer, issue

    if kind not in get_args(PrincipalKind):
        typer.echo(f"--kind is {kind!r}; expected one of {', '.join(get_args(PrincipalKind))}.", err=True)
        raise typer.Exit(1)
    folder = secrets_dir or home / "secrets"
    if not folder.is_dir():
        typer.echo(f"There is no folder {folder}: run `mailroom up` first, or give --home.", err=True)
        raise typer.Exit(1)
    ensure_issuer(folder)
    principal = Principal(user, organisation, cast(PrincipalKind, kind), frozenset(role or ()))
    typer.echo(issue(folder, principal, now=SystemClock().now(), lifetime=timedelta(hours=hours)))


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(token)
