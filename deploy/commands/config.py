"""`mailroom config`: an organisation's configuration, from a folder of YAML to the running services."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from deploy.config.client import Unanswered, current, put
from deploy.config.differences import Difference, differences
from deploy.config.folder import ConfigurationError, read
from shared.contracts.activity_organisation import Definition

app = typer.Typer(help="An organisation's configuration.", no_args_is_help=True)

Folder = Annotated[
    Path, typer.Argument(help="Folder with the organisation's YAML.", exists=True, file_okay=False)
]
Url = Annotated[str, typer.Option(envvar="MAILROOM_ACTIVITY_URL", help="Where activity's HTTP answers.")]
Token = Annotated[str, typer.Option(envvar="MAILROOM_TOKEN", help="A JWT with the role operator.")]

_COLOURS = {"added": "green", "removed": "red", "changed": "yellow"}
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


@app.command()
def check(folder: Folder) -> None:
    """Say whether the folder holds a valid organisation; errors name file and line."""
    definition = _read(folder)
    typer.echo(
        f"{definition.organisation}: {len(definition.processes)} processes, "
        f"{len(definition.mailboxes)} mailboxes, {len(definition.users)} users, "
        f"{len(definition.templates)} templates. It can be applied."
    )


@app.command()
def plan(folder: Folder, url: Url, token: Token) -> None:
    """Show what applying the folder would change, and whether it would be accepted."""
    definition = _read(folder)
    try:
        _show(differences(current(url, token), definition))
        put(url, token, definition, dry_run=True)
    except Unanswered as error:
        _give_up(error)


@app.command()
def apply(folder: Folder, url: Url, token: Token) -> None:
    """Make the folder the organisation's configuration, after showing the difference."""
    definition = _read(folder)
    try:
        _show(differences(current(url, token), definition))
        applied = put(url, token, definition)
    except Unanswered as error:
        _give_up(error)
    typer.echo(f"Version {applied['version']} {'is applied' if applied['changed'] else 'holds already'}.")


def _read(folder: Path) -> Definition:
    try:
        return read(folder)
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _show(found: list[Difference]) -> None:
    console = Console(highlight=False)
    for difference in found:
        colour = _COLOURS[difference.change]
        console.print(f"[{colour}]{_SIGNS[difference.change]} {escape(str(difference))}[/]")
    if not found:
        console.print("No changes.")


def _give_up(error: Unanswered) -> None:
    typer.echo(str(error), err=True)
    raise typer.Exit(1)
