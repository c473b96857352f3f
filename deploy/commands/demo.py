"""`mailroom demo`: the whole way of a mail, and of a Case, on the embedded stack or in containers."""

from enum import StrEnum
from typing import Annotated

import typer


class Where(StrEnum):
    """What the demonstration runs on."""

    LOCAL = "local"
    COMPOSE = "compose"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo")(demo)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running, until Ctrl-C.")] = False,
    stack: Annotated[
        Where, typer.Option("--stack", help="On servers of this machine, or in containers (compose.yaml).")
    ] = Where.LOCAL,
) -> None:
    """Show one mail's whole way on real servers, from the customer's mail to the closed Ticket, and a Case's.

    The Case is drawn in build/case.svg of the current folder. Ends by itself.
    The exit code is 0 only if every step was seen.
    """
    import asyncio
    from pathlib import Path

    from rich.console import Console

    from deploy.demo.performance import perform

    console = Console()
    if stack is Where.COMPOSE:
        from deploy.demo.in_containers import in_containers

        opening = in_containers(console)
    else:
        from deploy.demo.on_this_machine import on_this_machine

        opening = on_this_machine(console, Path(".mailroom-demo").resolve())
    raise typer.Exit(asyncio.run(perform(console, opening, keep)))
