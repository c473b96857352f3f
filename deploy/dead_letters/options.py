"""The options that the commands of `mailroom dlq` share, and what they mean together."""

import getpass
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.dead_letters.handling import Selection, Where
from deploy.dead_letters.letter import LetterName, NotALetter, Wanted
from deploy.local.endpoints import Endpoints
from shared.topics import DEAD_LETTERS

SERVICES = tuple(DEAD_LETTERS)
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[LETTER]…", help="Letters as `list` names them: activity/0/17.")
]
Service = Annotated[list[str] | None, typer.Option("--service", help="Only this service's; may be repeated.")]
Type = Annotated[str | None, typer.Option("--type", help="The record's type, such as 'ticket.*'.")]
Reason = Annotated[
    str | None,
    typer.Option("--reason", help="The exception's class (NeverAnnounced, '*Error') or what it says."),
]
Organisation = Annotated[str | None, typer.Option("--organisation", help="The record's organisation.")]
KeyOption = Annotated[str | None, typer.Option("--key", help="The record's key, such as 'acme/100001-T'.")]
Consumer = Annotated[str | None, typer.Option("--consumer", help="Who failed at it, such as activity.mails.")]
Since = Annotated[
    datetime | None, typer.Option("--since", formats=_FORMATS, help="Died then or later (UTC).")
]
Until = Annotated[datetime | None, typer.Option("--until", formats=_FORMATS, help="Died before (UTC).")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
By = Annotated[str, typer.Option("--as", help="Who does this; without it, the user of this system.")]
Bootstrap = Annotated[
    str | None,
    typer.Option("--bootstrap", envvar="MAILROOM_KAFKA_BOOTSTRAP", help="host:port,… of Kafka; with --dsn."),
]
Dsn = Annotated[
    str | None,
    typer.Option(
        "--dsn",
        envvar="MAILROOM_ADMIN_DSN",
        help="postgresql://… of a role that sees all schemas; without both, the home's instance.",
    ),
]
Prefix = Annotated[
    str, typer.Option("--prefix", envvar="MAILROOM_TOPIC_PREFIX", help="What stands before topics' names.")
]


class Unclear(Exception):
    """The options do not say what is meant. The message is a sentence."""


def where(home: Path, bootstrap: str | None, dsn: str | None, prefix: str) -> Where:
    """The Mailroom that is meant. Raises `Unclear`."""
    if bootstrap and dsn:
        return Where(bootstrap, dsn, prefix)
    if bootstrap or dsn:
        raise Unclear("Give both --bootstrap and --dsn, or neither for the instance in --home.")
    endpoints = Endpoints.load(home)
    if endpoints is None:
        raise Unclear(f"Nothing is up in {home}: give --bootstrap and --dsn, or run `mailroom up` first.")
    return Where(endpoints.kafka_bootstrap, endpoints.postgres_dsn, prefix)


def selection(
    services: Sequence[str] | None,
    wanted: Wanted,
    names: Sequence[str] | None = None,
    *,
    handled: bool = False,
) -> Selection:
    """The letters that are meant. Raises `Unclear`."""
    for service in services or ():
        if service not in SERVICES:
            raise Unclear(f"There is no service {service!r}; there are {', '.join(SERVICES)}.")
    try:
        parsed = [LetterName.parse(name, SERVICES) for name in names or ()]
    except NotALetter as error:
        raise Unclear(f"{error}") from error
    return Selection(tuple(services or SERVICES), wanted, tuple(dict.fromkeys(parsed)), handled)


def utc(time: datetime | None) -> datetime | None:
    """A time that names no zone is meant in UTC."""
    return time if time is None or time.tzinfo else time.replace(tzinfo=UTC)


def myself() -> str:
    """The user of this system, or their number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
