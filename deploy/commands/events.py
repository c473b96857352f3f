"""`mailroom events`: what the services say on Kafka, as they say it."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.instance import DEFAULT_HOME, BootstrapOption, HomeOption, PrefixOption, instance_in, kafka_at

if TYPE_CHECKING:
    from rich.text import Text

    from deploy.events.heard import Heard

app = typer.Typer(help="What the services say on Kafka.", no_args_is_help=True)

Types = Annotated[
    list[str] | None, typer.Option("--type", help="Only this type, such as 'ticket.*'; may be repeated.")
]
Topics = Annotated[
    list[str] | None, typer.Option("--topic", help="Only this topic, such as 'notify.*'; may be repeated.")
]
Reference = Annotated[
    str | None, typer.Option("--reference", help="Only what is about this activity: 101203-T.")
]
Organisation = Annotated[str | None, typer.Option("--organisation", help="Only what belongs to it.")]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", help="From this time on (UTC), or from so long ago: 10m, 2h. Without it, from now."
    ),
]
Follow = Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for what comes, until Ctrl-C.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.callback()
def group() -> None:
    """Keeps `tail` a command of its own while it is the only one."""


@app.command()
def tail(
    type_: Types = None,
    reference: Reference = None,
    organisation: Organisation = None,
    topic: Topics = None,
    since: Since = None,
    follow: Follow = True,
    as_json: Json = False,
    home: HomeOption = DEFAULT_HOME,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = "",
) -> None:
    """Show records as they come, until Ctrl-C. It joins no consumer group, and moves nobody's offsets."""
    from deploy.events import heard, showing
    from deploy.events.listening import listen

    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        wanted = heard.wanted(type_ or (), reference, organisation, topic or (), prefix)
        start = heard.moment(since, datetime.now(UTC)) if since is not None else None
        show = _printing(showing.as_json) if as_json else _printing_lines(showing.line)
        kafka = kafka_at(bootstrap) if bootstrap else instance_in(home, "--bootstrap").kafka

        async def tell() -> None:
            async for each in listen(kafka, prefix, wanted.topics, start, follow=follow):
                if wanted.takes(each):
                    show(each)

        asyncio.run(tell())
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except BrokenPipeError:
        # Whoever read has seen enough; Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def _printing(made: "Callable[[Heard], str]") -> "Callable[[Heard], None]":
    return lambda each: print(made(each), flush=True)


def _printing_lines(made: "Callable[[Heard], Text]") -> "Callable[[Heard], None]":
    """A line stays a line; a terminal that knows few characters gets the others spelled out."""
    from rich.console import Console

    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    return lambda each: console.print(made(each))
