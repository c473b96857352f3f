"""`mailroom topics`: the cluster's topics as `shared/topics.py` has them, and where consumers begin."""

import asyncio
from typing import Annotated

import typer

from deploy.commands.migrate import Dsn
from deploy.instance import PrefixOption, kafka_at
from shared import topic_plan
from shared.readers import LONGEST_KEPT, LONGEST_REPEATED
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
            _say(topic_plan.plan(topic_plan.kept_for(days), prefix, present))

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


def _say(changes: list[Change]) -> None:
    for change in changes:
        typer.echo(f"{'=' if change.action is Action.LEAVE else '+'} {change.sentence}")
    if not changes:
        typer.echo("The topics are as they should be.")
