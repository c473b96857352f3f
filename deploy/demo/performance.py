"""Runs the demonstration where it is to play, and says how it ended."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from rich.console import Console

from deploy.config import client
from deploy.config.folder import read
from deploy.demo.agent import Agent, Refused
from deploy.demo.customer import Customer
from deploy.demo.scene import Scene
from deploy.demo.stage import Stage
from deploy.demo.story import play
from deploy.demo.venue import Venue
from deploy.local.preparation import SAMPLE
from deploy.local.supervisor import ENDING_SIGNALS
from shared.auth import OPERATOR, Principal
from shared.contracts.activity_organisation import Definition

FEEDBACK_WINDOW_SECONDS = 5
AGENT, ROBOT = "amelie", "account-robot"
DRAWING = Path("build/case.svg")
INTERRUPTED = 130
"""The exit code of what Ctrl-C ended, as shells have it."""


async def perform(console: Console, opening: AbstractAsyncContextManager[Venue], keep: bool) -> int:
    """Everything from the start of the servers to their end; returns the exit code.

    Ctrl-C ends it as well.
    """
    loop = asyncio.get_running_loop()
    play = asyncio.create_task(_perform(console, opening, keep))
    for each in ENDING_SIGNALS:  # the terminal tells every process of ours, and uv tells us again
        loop.add_signal_handler(each, _end_once, play)
    try:
        return await play
    except asyncio.CancelledError:
        return 0 if keep else INTERRUPTED


def _end_once(play: asyncio.Task[int]) -> None:
    if not play.cancelling():
        play.cancel()


async def _perform(console: Console, opening: AbstractAsyncContextManager[Venue], keep: bool) -> int:
    async with opening as venue:
        try:
            await asyncio.to_thread(_tell, console, venue)
        except (TimeoutError, AssertionError, Refused, client.Unanswered) as failure:
            console.print(f"\n[bold red]The demonstration failed:[/] {failure}")
            for name, said in venue.logs():
                console.rule(name)
                console.print(said, markup=False)
            return 1
        console.print("\n[bold green]Every step was seen.[/]")
        if keep:
            console.print(venue.notice)
            console.print("Ctrl-C ends it.")
            await venue.stay()
        return 0


def _tell(console: Console, venue: Venue) -> None:
    definition = _with_a_short_feedback_window(read(SAMPLE))
    operator = Principal("operator", definition.organisation, "user", frozenset({OPERATOR}))
    client.put(venue.activity, venue.token(operator), definition)
    console.print(
        f"The sample organisation is applied; its feedback window is {FEEDBACK_WINDOW_SECONDS} s, not 72 h."
    )
    agent, robot = (
        Agent(name, venue.activity, venue.token(Principal(name, definition.organisation)))
        for name in (AGENT, ROBOT)
    )
    customer = Customer("Anna Berg", "anna@harbour.test", venue.smtp, venue.imap)
    play(Scene(customer, agent, robot, Stage(console), DRAWING.resolve()))


def _with_a_short_feedback_window(definition: Definition) -> Definition:
    processes = [
        process.model_copy(update={"feedback_window_hours": FEEDBACK_WINDOW_SECONDS / 3600})
        if process.feedback_window_hours
        else process
        for process in definition.processes
    ]
    return definition.model_copy(update={"processes": tuple(processes)})
