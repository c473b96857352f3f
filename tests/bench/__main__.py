"""`python -m tests.bench`: see README.md beside this file."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.bench import profiling, scenarios
from tests.bench.installation import fresh_installation, running_servers
from tests.bench.scenarios import Measured, Spied

BUILD = Path("build")
LEAST_SECONDS = 0.01
"""Who used less is not worth a line."""
console = Console()


def main(
    mails: Annotated[int, typer.Option(help="How many.")] = 20_000,
    kind: Annotated[str, typer.Option(help="plain, real or reply.")] = "plain",
    services: Annotated[str, typer.Option(help="Which run, in the order of the road.")] = "ingest,activity",
    profile: Annotated[str | None, typer.Option(help="A service to look into with py-spy.")] = None,
) -> None:
    """Measure mails that lie in a Dovecot mailbox, up to what the last of the services says of them."""
    BUILD.mkdir(exist_ok=True)
    spied = Spied(profile, (BUILD / f"profile-{profile}.txt").absolute()) if profile else None
    measured = asyncio.run(_run(mails, kind, tuple(services.split(",")), spied))
    _show(measured, f"{mails} {kind} mails through {services}")
    if spied:
        _show_profile(spied)


async def _run(number: int, kind: str, services: tuple[str, ...], spied: Spied | None) -> Measured:
    async with running_servers() as servers, fresh_installation(servers) as installation:
        return await scenarios.tickets(installation, number, kind=kind, services=services, spied=spied)


def _show(measured: Measured, title: str) -> None:
    table = Table(title=f"{title}: {measured.rate:.0f} mails/s ({measured.seconds:.1f} s)")
    for column in ("process", "CPU s", "ms/mail", "MB"):
        table.add_column(column, justify="left" if column == "process" else "right")
    for name, use in measured.used.items():
        if use.seconds < LEAST_SECONDS:
            continue
        name = name.replace("postgres: ", "    of it ")
        table.add_row(
            name,
            f"{use.seconds:.2f}",
            f"{1000 * use.seconds / measured.mails:.3f}",
            f"{use.memory / 1e6:.0f}",
        )
    console.print(table)


def _show_profile(spied: Spied) -> None:
    for title, shares in (
        ("by the package at work", profiling.by_package(spied.path)),
        ("by the function of ours that asked for it", profiling.by_own_function(spied.path)),
    ):
        table = Table(title=f"{spied.service}, {title} ({spied.path})")
        table.add_column("share", justify="right")
        table.add_column("")
        for each in shares[:25]:
            table.add_row(f"{100 * each.share:.1f} %", each.name)
        console.print(table)


if __name__ == "__main__":
    typer.run(main)
