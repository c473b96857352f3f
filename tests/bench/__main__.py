"""`make bench`: see README.md beside this file."""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.instance import SERVICES
from tests.bench import (
    cases,
    figures,
    parts,
    people_at_work,
    relaying,
    report,
    steps,
    timers,
    waiting_for_answers,
)
from tests.bench.bench import Bench
from tests.bench.figures import Figure
from tests.bench.installation import running_servers
from tests.bench.passing import Spy
from tests.support.dovecot import DovecotMissing

BUILD = Path("build")
JSON = BUILD / "bench.json"
PROFILED_MAILS = 5_000
WIDTH = 160
"""Columns of the tables where the output is no terminal."""


@dataclass(frozen=True)
class Part:
    """Something that is measured in one go, and the figures that it gives."""

    run: Callable[[Bench, frozenset[str]], Awaitable[dict[str, Figure]]]
    gives: tuple[str, ...]
    usual: bool = True
    """Whether it belongs to a whole run; others are only for looking closer."""


PARTS = (
    Part(parts.tickets, ("mail_to_ticket", "reply_to_ticket")),
    Part(parts.sending, ("mail_to_sent",)),
    Part(
        waiting_for_answers.acknowledgements, ("mail_to_acknowledgement_p50", "mail_to_acknowledgement_p99")
    ),
    Part(parts.real_mails, ("real_mail_to_ticket",)),
    Part(relaying.old_snapshot, ("relay_old_snapshot",)),
    Part(parts.catching_up, ("catch_up",)),
    Part(steps.steps, ("steps",)),
    Part(timers.due_at_once, ("timers",)),
    Part(
        people_at_work.waiting_people,
        ("step_http_p99", "inbox_page_p99", "search_p99", "activity_page_p99"),
        usual=False,
    ),
    Part(cases.advancing, ("case_advance",)),
    Part(cases.one_large, ("rework_p99", "case_page_p99", "case_advance_http_p99"), usual=False),
    Part(parts.intake, ("mail_to_topic",), usual=False),
)
"""In the order in which they run."""


async def measure(bench: Bench, wanted: frozenset[str], say: Callable[[str], None]) -> dict[str, Figure]:
    """The wanted figures; `say` is told what is being measured."""
    found: dict[str, Figure] = {}
    for part in PARTS:
        if wanted & frozenset(part.gives):
            say(f"{', '.join(part.gives)} …")
            found |= await part.run(bench, wanted)
    return {name: each for name, each in found.items() if name in wanted}


def main(
    only: Annotated[str | None, typer.Option(help="Figures, separated by commas; else all.")] = None,
    mails: Annotated[int | None, typer.Option(help="How many mails (or events) for each figure.")] = None,
    profile: Annotated[str, typer.Option(help="Services to look into with py-spy.")] = "",
    docs: Annotated[bool, typer.Option(help="Put the figures into docs/performance.md.")] = False,
) -> None:
    """Measure Mailroom beside the floor. Everything it needs is started and ended by itself."""
    usual = frozenset(name for part in PARTS if part.usual for name in part.gives)
    every = frozenset(name for part in PARTS for name in part.gives)
    wanted = frozenset(only.split(",")) if only else usual
    if unknown := wanted - every:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose among {', '.join(sorted(every))}")
    BUILD.mkdir(exist_ok=True)
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    # It warns of topics that are a moment old; what matters is raised.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    spy = Spy(tuple(filter(None, profile.split(","))), BUILD.absolute())
    closer = Spy(SERVICES, BUILD.absolute()) if docs else None
    try:
        found = asyncio.run(_run(wanted, mails, spy, closer, console.print))
    except DovecotMissing as missing:
        raise SystemExit(str(missing)) from missing
    figures.write(JSON, found)
    report.show(console, found, spy)
    if closer:
        report.write_page(found, closer)


async def _run(
    wanted: frozenset[str],
    number: int | None,
    spy: Spy,
    closer: Spy | None,
    say: Callable[[str], None],
) -> dict[str, Figure]:
    """The figures; `closer` looks into services in a run of its own, which gives none."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with running_servers() as servers:
        found = await measure(Bench(servers, spy, number), wanted, say)
        if closer:
            say("looking into the services …")
            await parts.sending(Bench(servers, closer, number or PROFILED_MAILS), frozenset())
    return found


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
