"""`mailroom contracts`: the committed JSON Schemas and AsyncAPI documents, kept in step with the models."""

from typing import Annotated

import typer

app = typer.Typer(
    help="The contracts between the services, as JSON Schemas and AsyncAPI.", no_args_is_help=True
)


@app.callback()
def group() -> None:
    """Keeps `write` a command of its own while it is the only one."""


@app.command()
def write(
    force: Annotated[bool, typer.Option(help="Also where it breaks readers: only before a release.")] = False,
) -> None:
    """Write schemas and AsyncAPI. Refuses a change that breaks who relies on the committed schemas."""
    from deploy import asyncapi, schemas

    sentences = schemas.broken()
    if sentences and not force:
        for sentence in sentences:
            typer.echo(sentence, err=True)
        typer.echo("A change that breaks somebody is a new topic with the next version number.", err=True)
        raise typer.Exit(1)
    typer.echo(f"{schemas.write()} schemas in {schemas.FOLDER}")
    typer.echo(f"{asyncapi.write()} AsyncAPI documents in {asyncapi.FOLDER}")
