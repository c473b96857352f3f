"""Which instance on this machine a command is about."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deploy.local.endpoints import Endpoints

DEFAULT_HOME = Path(".mailroom")

HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="MAILROOM_HOME",
        help="The folder of the instance: its data, logs and addresses.",
        file_okay=False,
        resolve_path=True,
    ),
]


def instance_in(home: Path, option: str) -> "Endpoints":
    """The instance that is up in `home`; without one the command wants `option`, and ends with 1."""
    from deploy.local.endpoints import Endpoints

    endpoints = Endpoints.load(home)
    if endpoints is None:
        typer.echo(f"Nothing is up in {home}: give {option}, or run `mailroom up --servers-only`.", err=True)
        raise typer.Exit(1)
    return endpoints
