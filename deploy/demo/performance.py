"""Runs the demonstration on a stack of its own, and says how it ended."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from deploy.config import client
from deploy.config.folder import read
from deploy.demo.agent import Agent, Refused
from deploy.demo.customer import Customer
from deploy.demo.stage import Stage
from deploy.demo.story import Scene, play
from deploy.local.endpoints import Endpoints
from deploy.local.preparation import SAMPLE, operator_token
from deploy.local.services import SERVICES
from deploy.local.stack import Stack, StackOptions
from deploy.local.supervisor import ENDING_SIGNALS
from deploy.terminal import Board, addresses
from shared import local_issuer
from shared.auth import Principal
from shared.contracts.activity_organisation import Definition

FEEDBACK_WINDOW_SECONDS = 5
AGENT = "amelie"
INTERRUPTED = 130
"""The exit code of what Ctrl-C ended, as shells have it."""


async def perform(console: Console, home: Path, keep: bool) -> int:
    """Everything from the start of the servers to their end; returns the exit code.

    Ctrl-C ends it as well. The home is emptied before, of what a killed one may have left, and goes after.
    """
    loop = asyncio.get_running_loop()
    play = asyncio.create_task(_perform(console, home, keep))
    for each in ENDING_SIGNALS:  # the terminal tells every process of ours, and uv tells us again
        loop.add_signal_handler(each, _end_once, play)
    try:
        return await play
    except asyncio.CancelledError:
        return 0 if keep else INTERRUPTED


def _end_once(play: asyncio.Task[int]) -> None:
    if not play.cancelling():
        play.cancel()


async def _perform(console: Console, home: Path, keep: bool) -> int:
    with Board(console) as board:
        stack = Stack(StackOptions(home=home, fresh=True, temporary=True), board.report)
        async with stack as endpoints:
            board.rest()
            try:
                await asyncio.to_thread(_tell, console, endpoints)
            except (TimeoutError, AssertionError, Refused, client.Unanswered) as failure:
                console.print(f"\n[bold red]The demonstration failed:[/] {failure}")
                _show_logs(console, home)
                return 1
            console.print("\n[bold green]Every step was seen.[/]")
            if keep:
                console.print(addresses(endpoints, SERVICES))
                console.print(
                    f"A token for {AGENT}: mailroom token --home {home} --user {AGENT}\nCtrl-C ends it."
                )
                await stack.watch()
            return 0


def _tell(console: Console, endpoints: Endpoints) -> None:
    definition = _with_a_short_feedback_window(read(SAMPLE))
    activity = endpoints.services["activity"].http
    client.put(activity, operator_token(endpoints, definition.organisation), definition)
    console.print(
        f"The sample organisation is applied; its feedback window is {FEEDBACK_WINDOW_SECONDS} s, not 72 h."
    )
    agent = local_issuer.issue(
        endpoints.home / "secrets",
        Principal(AGENT, definition.organisation),
        now=datetime.now(UTC),
        lifetime=timedelta(hours=1),
    )
    customer = Customer("Anna Berg", "anna@harbour.test", endpoints.smtp, endpoints.imap)
    play(Scene(customer, Agent(AGENT, activity, agent), Stage(console)))


def _with_a_short_feedback_window(definition: Definition) -> Definition:
    processes = [
        process.model_copy(update={"feedback_window_hours": FEEDBACK_WINDOW_SECONDS / 3600})
        if process.feedback_window_hours
        else process
        for process in definition.processes
    ]
    return definition.model_copy(update={"processes": tuple(processes)})


def _show_logs(console: Console, home: Path) -> None:
    for log in sorted((home / "logs").glob("*.log")):
        if log.stem in SERVICES:
            console.rule(log.name)
            console.print("\n".join(log.read_text(errors="replace").splitlines()[-15:]), markup=False)
