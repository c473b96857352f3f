"""`mailroom run <service>`: one service in this process, until SIGTERM."""

from typing import Annotated

import typer

SERVICES = ("ingest", "activity", "notify")


def run(service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")]) -> None:
    """Run one service here, with its settings from MAILROOM_* variables, until it is told to stop."""
    import importlib
    import typing

    from shared import logs
    from shared.service import Service, run_service
    from shared.settings import SettingsError, load

    if service not in SERVICES:
        typer.echo(f"There is no service {service!r}; there are {', '.join(SERVICES)}.", err=True)
        raise typer.Exit(1)
    build = importlib.import_module(f"services.{service}.app").build
    try:
        settings = load(typing.get_type_hints(build)["settings"])
        logs.configure(service, settings.log_level)
        built: Service = build(settings)
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(run_service(built))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)
