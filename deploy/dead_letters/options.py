"""The options that the commands of `mailroom dlq` share, and what they mean together."""

import getpass
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from deploy.dead_letters.handling import Selection
from deploy.dead_letters.letter import LetterName, NotALetter, Wanted
from deploy.instance import SERVICES, Unclear, services_named

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[LETTER]…", help="Letters as `list` names them: activity/0/17.")
]
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


def selection(
    services: Sequence[str] | None,
    wanted: Wanted,
    names: Sequence[str] | None = None,
    *,
    handled: bool = False,
) -> Selection:
    """The letters that are meant. Raises `Unclear`."""
    chosen = services_named(services)
    try:
        parsed = [LetterName.parse(name, SERVICES) for name in names or ()]
    except NotALetter as error:
        raise Unclear(f"{error}") from error
    return Selection(chosen, wanted, tuple(dict.fromkeys(parsed)), handled)


def utc(time: datetime | None) -> datetime | None:
    """A time that names no zone is meant in UTC."""
    return time if time is None or time.tzinfo else time.replace(tzinfo=UTC)


def myself() -> str:
    """The user of this system, or their number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
