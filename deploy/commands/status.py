"""`mailroom status`: how an instance is."""

import asyncio

import typer
from rich.console import Console
from rich.table import Table

from deploy.instance import DEFAULT_HOME, HomeOption


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("status")(status)


def status(home: HomeOption = DEFAULT_HOME) -> None:
    """Show what runs in the home and whether it works; exit code 1 unless all does."""
    from deploy.local import services
    from deploy.local.endpoints import Endpoints
    from deploy.local.home import Home
    from deploy.terminal import addresses

    endpoints = Endpoints.load(home)
    if endpoints is None or not Home(home).is_held():
        starting = home.exists() and Home(home).is_held()
        print(f"Mailroom in {home} is starting." if starting else f"Nothing is up in {home}.")
        raise typer.Exit(1)
    table = Table("", "process", "state", box=None)
    all_well = True
    for name, record in endpoints.processes.items():
        state = "running" if record.process() else "ended, starting again"
        if name in endpoints.services and record.process():
            state = "ready" if asyncio.run(services.is_ready(name, endpoints)) else "not ready"
        all_well &= state in ("running", "ready")
        table.add_row(name, str(record.pid), state)
    console = Console()
    console.print(table)
    console.print(
        addresses(endpoints, tuple(name for name in endpoints.services if name in endpoints.processes))
    )
    if not all_well:
        raise typer.Exit(1)
