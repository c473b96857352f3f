"""`mailroom up`: the whole of Mailroom on this machine."""

import asyncio
import logging
from typing import Annotated

import typer
from rich.console import Console

from deploy.instance import DEFAULT_HOME, HomeOption


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("up")(up)


def up(
    home: HomeOption = DEFAULT_HOME,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready; it goes on.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin without the data of earlier starts.")] = False,
    servers_only: Annotated[
        bool, typer.Option("--servers-only", help="Start Kafka, PostgreSQL and the mail server only.")
    ] = False,
    port: Annotated[
        list[str] | None,
        typer.Option("--port", metavar="NAME=NUMBER", help="A fixed port, e.g. imap=1143; may be repeated."),
    ] = None,
) -> None:
    """Start the servers and services of one instance and stay with them until Ctrl-C.

    Kafka and PostgreSQL keep their data in the home; mailboxes are in memory and begin empty each time.
    """
    from deploy.instance import SERVICES
    from deploy.local.endpoints import Endpoints
    from deploy.local.stack import StackOptions
    from deploy.local.supervisor import start_detached, supervise
    from deploy.terminal import Board, addresses

    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    services = () if servers_only else SERVICES
    options = StackOptions(home=home, ports=_ports(port or []), fresh=fresh, services=services)
    console = Console()
    with Board(console) as board:

        def show(endpoints: Endpoints) -> None:
            board.rest()
            console.print(addresses(endpoints, services))
            if not detach:
                console.print("Ctrl-C ends it.")

        if detach:
            show(start_detached(options, board.report))
        else:
            asyncio.run(supervise(options, board.report, show))


def _ports(wanted: list[str]) -> dict[str, int]:
    try:
        return {name: int(number) for name, number in (each.split("=") for each in wanted)}
    except ValueError as wrong:
        raise typer.BadParameter("expected NAME=NUMBER, e.g. imap=1143", param_hint="--port") from wrong
