"""`mailroom dlq`: records that could not be worked on; look at them, put them back, or give them up."""

import asyncio
import json
import logging
import sys
from collections import Counter
from collections.abc import AsyncIterator, Collection, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from deploy.dead_letters import showing
from deploy.dead_letters.handling import Handled, Outcome, Selection, Where, discard, find, replay
from deploy.dead_letters.letter import LetterName, Wanted
from deploy.dead_letters.options import (
    By,
    Consumer,
    DryRun,
    Json,
    KeyOption,
    Names,
    Organisation,
    Reason,
    Since,
    Type,
    Until,
    myself,
    selection,
    utc,
)
from deploy.instance import (
    DEFAULT_HOME,
    SERVICES,
    BootstrapOption,
    DsnOption,
    HomeOption,
    PrefixOption,
    ServiceOption,
    Unclear,
    servers,
)

app = typer.Typer(help="Dead letters: records that could not be worked on.", no_args_is_help=True)

_WIDTH_WITHOUT_TERMINAL = 200

Every = Annotated[bool, typer.Option("--every", help="All that are open, without any filter.")]
Limit = Annotated[int, typer.Option("--limit", min=0, help="Show so many, the oldest first; 0 shows all.")]
AlsoHandled = Annotated[bool, typer.Option("--all", help="Also those that were replayed or discarded.")]


@app.command("list")
def list_(
    service: ServiceOption = None,
    type_: Type = None,
    reason: Reason = None,
    organisation: Organisation = None,
    key: KeyOption = None,
    consumer: Consumer = None,
    since: Since = None,
    until: Until = None,
    handled: AlsoHandled = False,
    limit: Limit = 200,
    as_json: Json = False,
    home: HomeOption = DEFAULT_HOME,
    bootstrap: BootstrapOption = None,
    dsn: DsnOption = None,
    prefix: PrefixOption = "",
) -> None:
    """Show the letters that nothing was done with yet. A filter may be a pattern, with * and ?."""

    async def show() -> None:
        wanted = Wanted(type_, reason, organisation, key, consumer, utc(since), utc(until))
        chosen = selection(service, wanted, handled=handled)
        found, number = [], 0
        async for page in find(_where(home, bootstrap, dsn, prefix), chosen):
            kept = page if limit == 0 else page[: max(0, limit - number)]
            number += len(page)
            if as_json:
                for each in kept:
                    typer.echo(json.dumps(showing.as_json(each)))
            else:
                found += kept
        if as_json:
            return
        if not number:
            typer.echo("No dead letters.")
            return
        _console().print(showing.listed(found))
        if number > len(found):
            typer.echo(f"{number - len(found)} more: give a filter, or --limit 0.")

    _run(show())


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="A letter as `list` names it: activity/0/17.")],
    as_json: Json = False,
    home: HomeOption = DEFAULT_HOME,
    bootstrap: BootstrapOption = None,
    dsn: DsnOption = None,
    prefix: PrefixOption = "",
) -> None:
    """Show all of one letter: headers, reason, where it failed, and its value."""

    async def tell() -> None:
        chosen = selection(None, Wanted(), [letter])
        missing = set(chosen.names)
        async for page in find(_where(home, bootstrap, dsn, prefix), chosen):
            for each in page:
                missing.discard(each.letter.name)
                if as_json:
                    typer.echo(json.dumps(showing.as_json(each, whole=True)))
                else:
                    _console().print(showing.shown(each))
        _require_none(missing)

    _run(tell())


@app.command("replay")
def replay_(
    letters: Names = None,
    service: ServiceOption = None,
    type_: Type = None,
    reason: Reason = None,
    organisation: Organisation = None,
    key: KeyOption = None,
    consumer: Consumer = None,
    since: Since = None,
    until: Until = None,
    every: Every = False,
    because: Annotated[str, typer.Option("--because", help="Why; kept with the letter.")] = "",
    by: By = "",
    dry_run: DryRun = False,
    as_json: Json = False,
    home: HomeOption = DEFAULT_HOME,
    bootstrap: BootstrapOption = None,
    dsn: DsnOption = None,
    prefix: PrefixOption = "",
) -> None:
    """Put records back where they stood, once: who failed at them tries again, and nobody else acts twice.

    Ended in the middle and called again, it goes on with what is missing.
    """

    async def act() -> None:
        wanted = Wanted(type_, reason, organisation, key, consumer, utc(since), utc(until))
        chosen = _meant(selection(service, wanted, letters), every)
        at = _where(home, bootstrap, dsn, prefix)
        await _report(replay(at, chosen, by or myself(), because, dry=dry_run), chosen, dry_run, as_json)

    _run(act())


@app.command("discard")
def discard_(
    because: Annotated[str, typer.Option("--because", help="Why nobody wants them; kept with the letter.")],
    letters: Names = None,
    service: ServiceOption = None,
    type_: Type = None,
    reason: Reason = None,
    organisation: Organisation = None,
    key: KeyOption = None,
    consumer: Consumer = None,
    since: Since = None,
    until: Until = None,
    every: Every = False,
    by: By = "",
    dry_run: DryRun = False,
    as_json: Json = False,
    home: HomeOption = DEFAULT_HOME,
    bootstrap: BootstrapOption = None,
    dsn: DsnOption = None,
    prefix: PrefixOption = "",
) -> None:
    """Take letters off the list. They stay in their topic for as long as it keeps them."""

    async def act() -> None:
        wanted = Wanted(type_, reason, organisation, key, consumer, utc(since), utc(until))
        chosen = _meant(selection(service, wanted, letters), every)
        at = _where(home, bootstrap, dsn, prefix)
        await _report(discard(at, chosen, by or myself(), because, dry=dry_run), chosen, dry_run, as_json)

    _run(act())


def _where(home: Path, bootstrap: str | None, dsn: str | None, prefix: str) -> Where:
    at = servers(home, bootstrap, dsn)
    return Where(at.kafka, at.dsn, prefix)


def _meant(chosen: Selection, every: bool) -> Selection:
    if chosen.names or every or not chosen.wanted.anything or len(chosen.services) < len(SERVICES):
        return chosen
    raise Unclear("Say which: name letters, give a filter, or --every.")


async def _report(pages: AsyncIterator[list[Handled]], chosen: Selection, dry: bool, as_json: bool) -> None:
    """Say what became of each letter, and of all; exit code 1 if one is not there or cannot be put back."""
    missing, outcomes = set(chosen.names), Counter[Outcome]()
    console = _console()
    async for page in pages:
        for each in page:
            missing.discard(each.letter.name)
            outcomes[each.outcome] += 1
            if as_json:
                typer.echo(json.dumps(showing.handled_as_json(each)))
            else:
                console.print(showing.handled(each), soft_wrap=True)
    if not as_json and outcomes:
        said = ", ".join(f"{number} {outcome.value}" for outcome, number in sorted(outcomes.items()))
        typer.echo(f"{'Nothing was done; it would be: ' if dry else ''}{said}.")
    elif not as_json and not missing:
        typer.echo("No such dead letter is open.")
    _require_none(missing)
    if outcomes[Outcome.REFUSED]:
        raise typer.Exit(1)


def _require_none(missing: Collection[LetterName]) -> None:
    if missing:
        names = ", ".join(str(name) for name in sorted(missing))
        raise Unclear(f"There is no dead letter {names}.")


def _console() -> Console:
    """For whatever can be printed: a terminal that knows few characters gets the others spelled out."""
    console = Console(highlight=False, markup=False, emoji=False)
    return (
        console
        if console.is_terminal
        else Console(highlight=False, markup=False, emoji=False, width=_WIDTH_WITHOUT_TERMINAL)
    )


def _run(work: Coroutine[Any, Any, None]) -> None:
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    asyncio.run(work)
