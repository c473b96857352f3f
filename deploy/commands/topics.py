"""`mailroom topics`: the cluster's topics as `shared/topics.py` has them, and where consumers begin."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from deploy import acls as acls_
from deploy.commands.migrate import Dsn
from deploy.instance import PrefixOption, kafka_at
from shared import topic_plan
from shared.readers import LONGEST_KEPT, LONGEST_REPEATED
from shared.topic_configuration import kept_for
from shared.topic_plan import Action, Change
from shared.topics import TOPICS

app = typer.Typer(help="Kafka's topics.", no_args_is_help=True)

Bootstrap = Annotated[
    str,
    typer.Option(
        "--bootstrap",
        envvar="MAILROOM_KAFKA_BOOTSTRAP",
        help="host:port,… of Kafka, reached as MAILROOM_KAFKA_… say.",
    ),
]


class Format(StrEnum):
    """How rights are shown; commands are those of `kafka-acls.sh`."""

    TABLE = "table"
    COMMANDS = "commands"
    JSON = "json"


Days = Annotated[
    int,
    typer.Option(
        "--days",
        envvar="MAILROOM_TOPIC_DAYS",
        min=LONGEST_KEPT.days,
        max=LONGEST_REPEATED.days,
        help="For how long topics keep what they do not keep for ever.",
    ),
]


@app.command()
def plan(bootstrap: Bootstrap, prefix: PrefixOption = "", days: Days = LONGEST_KEPT.days) -> None:
    """Show what would change."""

    async def show() -> None:
        async with topic_plan.connected(kafka_at(bootstrap)) as cluster:
            present = await cluster.present([prefix + topic.name for topic in TOPICS])
            _say(topic_plan.plan(kept_for(days), prefix, present))

    asyncio.run(show())


@app.command()
def apply(bootstrap: Bootstrap, dsn: Dsn, prefix: PrefixOption = "", days: Days = LONGEST_KEPT.days) -> None:
    """Change what differs, and register the beginning of every partition that a consumer does not know.

    The schemas have to be there: `mailroom migrate` comes first. May be run again at any time.
    """

    async def change() -> None:
        done = await topic_plan.bring_about(kafka_at(bootstrap), dsn, prefix, days)
        _say(done.changes)
        for consumer, place, offset in done.begun:
            typer.echo(f"{consumer} begins {place.topic}/{place.partition} at {offset}")

    asyncio.run(change())


@app.command()
def acls(
    user: Annotated[
        list[str] | None,
        typer.Option(
            "--user",
            help="ROLE=NAME: as whom Kafka knows ingest, activity, notify, operator, and other systems: "
            "requester, connector; may be repeated. A service's name is its own if nothing is said.",
        ),
    ] = None,
    prefix: PrefixOption = "",
    format_: Annotated[Format, typer.Option("--format", help="How to say it.")] = Format.TABLE,
) -> None:
    """Show what each user has to be let do in Kafka, and no more. Asks no Kafka, and changes nothing."""
    granted = acls_.granted(acls_.principals(user), prefix)
    if format_ is Format.JSON:
        typer.echo(acls_.as_json(granted))
    elif format_ is Format.COMMANDS:
        typer.echo("\n".join(acls_.as_commands(granted)))
    else:
        rows = [("PRINCIPAL", "RESOURCE", "NAME", "OPERATIONS"), *acls_.as_rows(granted)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _say(changes: list[Change]) -> None:
    for change in changes:
        typer.echo(f"{'=' if change.action is Action.LEAVE else '+'} {change.sentence}")
    if not changes:
        typer.echo("The topics are as they should be.")
