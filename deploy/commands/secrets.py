"""`mailroom secrets`: what a new installation keeps secret, made on the spot."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.instance import SERVICES


def secrets(
    folder: Annotated[
        Path, typer.Argument(help="Where each reader has, or gets, a folder of its own.", file_okay=False)
    ],
) -> None:
    """Make the secrets of an installation that are missing, and hand them out to its services.

    Keys that sign addresses, a token issuer, a password for each database role. What is there stays.
    """
    from deploy.secrets import make_secrets

    make_secrets(folder, SERVICES)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(secrets)
