"""`make chaos`: a long run from the command line.

Writes `build/chaos.json` and ends with 0 only if nothing was lost, doubled or disordered.
"""

import asyncio
import json
import logging
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.faults.chaos.checker import Damage
from tests.faults.chaos.run import Options, Outcome, figures, run
from tests.faults.chaos.world import running_world
from tests.support.dovecot import DovecotMissing

_FINDINGS_SHOWN = 20
_WIDTH = 120
"""Columns where the output is no terminal."""


def main(
    mails: Annotated[int, typer.Option(min=1, help="mails to be written")] = 20_000,
    seed: Annotated[int, typer.Option(help="what the plan of faults follows from")] = 1,
    kills: Annotated[int, typer.Option(min=1, help="kills of each process")] = 25,
    output: Annotated[Path, typer.Option(help="where the figures go")] = Path("build/chaos.json"),
) -> None:
    """Kill processes and break servers while mails arrive, then account for every mail."""
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    # Both tell of every connection that is broken here on purpose.
    for library in ("aiokafka", "asyncio"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    try:
        outcome = asyncio.run(_run(Options(mails, seed, kills), console, output.with_suffix(".logs")))
    except DovecotMissing as missing:
        raise SystemExit(str(missing)) from missing
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures(outcome), indent=2) + "\n")
    _show(outcome, console)
    console.print(f"All figures are in {output}.")
    sys.exit(0 if outcome.verdict.clean else 1)


async def _run(options: Options, console: Console, logs: Path) -> Outcome:
    began = time.monotonic()
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)

    def tell(news: str) -> None:
        minutes, seconds = divmod(round(time.monotonic() - began), 60)
        console.print(f"{minutes:4}:{seconds:02}  {news}", highlight=False)

    tell("starting servers and services")
    async with running_world() as world:
        outcome = await run(world, options, tell)
        if not outcome.verdict.clean or outcome.ended:
            shutil.rmtree(logs, ignore_errors=True)
            shutil.copytree(world.mailroom.seen.home / "logs", logs)
            tell(f"what the services said is in {logs}")
        return outcome


def _show(outcome: Outcome, console: Console) -> None:
    verdict = outcome.verdict
    faults = Table(title="Faults")
    faults.add_column("kind")
    faults.add_column("of what")
    faults.add_column("times", justify="right")
    for (kind, target), number in sorted(outcome.strikes.items()):
        faults.add_row(kind, target, str(number))
    console.print(faults)
    account = Table(
        title=f"{outcome.mails} mails, {outcome.cases} Cases with {outcome.sub_cases} Sub-Cases, "
        f"{outcome.calls} calls and {outcome.approvals} approvals, {outcome.seconds / 60:.0f} minutes, "
        f"seed {outcome.options.seed}"
    )
    account.add_column("")
    account.add_column("wanted", justify="right")
    account.add_column("found", justify="right")
    for damage in Damage:
        account.add_row(damage.value, "0", str(verdict.count(damage)))
    account.add_row("sent again", f"≤ {outcome.repeats_allowed}", str(verdict.smtp_repeats))
    account.add_row("processes that ended by themselves", "0", str(len(outcome.ended)))
    console.print(account)
    for finding in verdict.findings[:_FINDINGS_SHOWN]:
        console.print(f"{finding.damage}: {finding.sentence}", highlight=False)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
