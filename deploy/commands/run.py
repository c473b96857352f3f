"""`mailroom run <service>`: one service in this process, until SIGTERM."""

from typing import Annotated

import typer


def run(service: Annotated[str, typer.Argument(help="ingest, activity or notify.")]) -> None:
    """Run one service here, with its settings from MAILROOM_* variables, until it is told to stop."""
    import importlib
    import typing

    from deploy.instance import SERVICES
    from shared import logs, tracing
    from shared.service import Service, run_service
    from shared.settings import load

    if service not in SERVICES:
        typer.echo(f"There is no service {service!r}; there are {', '.join(SERVICES)}.", err=True)
        raise typer.Exit(1)
    build = importlib.import_module(f"services.{service}.app").build
    # The annotation of its argument says which settings the service wants.
    settings = load(typing.get_type_hints(build)["settings"])
    logs.configure(service, settings.log_level)
    tracing.configure(service, settings.traces_endpoint)

    def built() -> Service:
        made: Service = build(settings)
        return made

    raise typer.Exit(run_service(built))


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(run)
