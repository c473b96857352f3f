"""`mailroom contracts`: the committed JSON Schemas of every record, kept in step with the models."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from shared import contracts
from shared.contracts.compatibility import breaks
from shared.topics import TOPICS

FOLDER = Path(contracts.__file__).parent / "schemas"

app = typer.Typer(help="The contracts between the services, as JSON Schemas.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keeps `write` a command of its own while it is the only one."""


def schemas() -> dict[Path, dict[str, Any]]:
    """The schema of every record, by the file it belongs into."""
    return {
        FOLDER / topic.name / f"{name}.json": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **model.model_json_schema(),
        }
        for topic in TOPICS
        for name, model in topic.models.items()
    }


def broken() -> list[str]:
    """What the models would break for somebody who relies on the committed schemas."""
    return [
        f"{path.parent.name} {path.stem}: {sentence}"
        for path, schema in schemas().items()
        if path.exists()
        for sentence in breaks(json.loads(path.read_text()), schema)
    ] + [
        f"{path.parent.name} {path.stem}: the record would be gone"
        for path in sorted(FOLDER.glob("*/*.json"))
        if path not in schemas()
    ]


@app.command()
def write(
    force: Annotated[bool, typer.Option(help="Also where it breaks readers: only before a release.")] = False,
) -> None:
    """Write the schemas. Refuses a change that breaks who relies on the committed ones."""
    sentences = broken()
    if sentences and not force:
        for sentence in sentences:
            typer.echo(sentence, err=True)
        typer.echo("A change that breaks somebody is a new topic with the next version number.", err=True)
        raise typer.Exit(1)
    current = schemas()
    for path in FOLDER.glob("*/*.json"):
        if path not in current:
            path.unlink()
    for path, schema in current.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
    typer.echo(f"{len(current)} schemas in {FOLDER}")
