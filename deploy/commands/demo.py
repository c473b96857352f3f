"""`mailroom demo`: the whole way of a mail, on the embedded stack."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo")(demo)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running, until Ctrl-C.")] = False,
) -> None:
    """Show one mail's whole way on real servers, from the customer's mail to the closed Ticket.

    Ends by itself. The exit code is 0 only if every step was seen.
    """
    import asyncio
    from pathlib import Path

    from rich.console import Console

    from deploy.demo.performance import perform

    raise typer.Exit(asyncio.run(perform(Console(), Path(".mailroom-demo").resolve(), keep)))
