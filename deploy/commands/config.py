"""`mailroom config`: an organisation's configuration, from a folder of YAML to the running services."""

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from deploy.config.client import StillInUse, Unanswered, current, put
from deploy.config.differences import Difference, differences
from deploy.config.folder import ConfigurationError, read
from deploy.config.showing import lines, summary
from deploy.instance import DEFAULT_HOME, HomeOption
from deploy.local.endpoints import Endpoints
from deploy.local.preparation import operator_token
from shared.contracts.activity_organisation import Definition
from shared.organisation import Organisation, Unknown, sections_of

app = typer.Typer(help="An organisation's configuration.", no_args_is_help=True)

Folder = Annotated[
    Path, typer.Argument(help="Folder with the organisation's YAML.", exists=True, file_okay=False)
]
Url = Annotated[
    str | None,
    typer.Option(
        envvar="MAILROOM_ACTIVITY_URL", help="Where activity's HTTP answers; without it, the home's instance."
    ),
]
Token = Annotated[
    str | None, typer.Option(envvar="MAILROOM_TOKEN", help="A JWT with the role operator; goes with --url.")
]

_COLOURS = {"added": "green", "removed": "red", "changed": "yellow"}


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
def plan(folder: Folder, url: Url = None, token: Token = None, home: HomeOption = DEFAULT_HOME) -> None:
    """Show what applying the folder would change, and whether it would be accepted."""
    definition = _read(folder)
    try:
        where = _where(definition, url, token, home)
        _show(differences(current(*where), definition))
        _tell_of_work(put(*where, definition, dry_run=True))
    except StillInUse as error:
        _warn(error)
    except Unanswered as error:
        _give_up(error)


@app.command()
def apply(folder: Folder, url: Url = None, token: Token = None, home: HomeOption = DEFAULT_HOME) -> None:
    """Make the folder the organisation's configuration, after showing the difference."""
    definition = _read(folder)
    try:
        where = _where(definition, url, token, home)
        _show(differences(current(*where), definition))
        applied = put(*where, definition)
    except StillInUse as error:
        _warn(error)
    except Unanswered as error:
        _give_up(error)
    _tell_of_work(applied)
    typer.echo(f"Version {applied['version']} {'is applied' if applied['changed'] else 'holds already'}.")


@app.command()
def draw(
    folder: Folder,
    process: Annotated[str, typer.Argument(help="The name of a process of Cases.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; without it, to stdout.")
    ] = None,
) -> None:
    """Draw a process of Cases as SVG: its steps, their Actions and conditions."""
    from services.activity.drawing import drawn
    from services.activity.rules import flow_of
    from services.activity.views_drawings import process_picture

    definition = _read(folder)
    organisation = Organisation.of(definition.organisation, 0, sections_of(definition, 0))
    try:
        chosen = organisation.process(process)
    except Unknown as error:
        _fail(str(error))
    flow = flow_of(organisation, chosen)
    if flow is None:
        _fail(f"{process} is a process of Tickets, which has no steps to draw.")
    svg = drawn(process_picture(chosen.title, flow, lambda name: organisation.queue(name).title))
    if output is None:
        typer.echo(svg, nl=False)
    else:
        try:
            output.write_text(svg, encoding="utf-8")
        except OSError as error:
            _fail(f"{output} cannot be written: {error.strerror}.")
        typer.echo(f"{output} is written.")


def _where(definition: Definition, url: str | None, token: str | None, home: Path) -> tuple[str, str]:
    """URL and token of the activity that is meant. Raises `Unanswered` if that cannot be said."""
    if url is not None:
        if token is None:
            raise Unanswered("Give --token (or MAILROOM_TOKEN) with the URL: a JWT with the role operator.")
        return url, token
    endpoints = Endpoints.load(home)
    if endpoints is None:
        raise Unanswered(f"Nothing is up in {home}: give --url and --token, or run `mailroom up` first.")
    return endpoints.services["activity"].http, operator_token(endpoints, definition.organisation)


def _read(folder: Path) -> Definition:
    try:
        return read(folder)
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _show(found: list[Difference]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for line in lines(found):
        style = "bold" if line.change is None else _COLOURS[line.change]
        console.print(f"[{style}]{escape(line.text)}[/]")
    console.print(summary(found) if found else "No changes.")


def _tell_of_work(applied: dict[str, Any]) -> None:
    """What becomes of what runs, and people should know how much that is."""
    for process, cases in applied.get("going_on", {}).items():
        what = (
            "1 Case ends on the steps that it" if cases == 1 else f"{cases} Cases end on the steps that they"
        )
        typer.echo(f"{process}: {what} began with.")
    for left in applied.get("to_people", ()):
        count, shown = left["count"], ", ".join(left["examples"])
        more = ", …" if count > len(left["examples"]) else ""
        what = (
            "1 approval waits for nobody else, and comes"
            if count == 1
            else f"{count} approvals wait for nobody else, and come"
        )
        typer.echo(f"{left['user']}: {what} to people ({shown}{more}).")


def _warn(refused: StillInUse) -> NoReturn:
    """What would be taken away while it is in use; nothing is applied then."""
    console = Console(highlight=False, soft_wrap=True, stderr=True)
    for sentence in refused.sentences:
        console.print(f"[bold red]![/] {escape(sentence)}")
    console.print("It is refused as long as that is so; nothing is changed.")
    raise typer.Exit(1)


def _give_up(error: Unanswered) -> NoReturn:
    _fail(str(error))


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
