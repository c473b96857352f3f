"""Where the demonstration plays: a running Mailroom, as those reach it who take part."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from rich.console import RenderableType

from deploy.local.endpoints import Address
from shared.auth import Principal


@dataclass(frozen=True)
class Venue:
    """`activity` is a base URL. `token` and `logs` block.

    `logs` are the last words of each service, by its name; `notice` is for whoever stays, and `stay` keeps
    it open until it is cancelled.
    """

    activity: str
    smtp: Address
    imap: Address
    token: Callable[[Principal], str]
    logs: Callable[[], Iterable[tuple[str, str]]]
    notice: RenderableType
    stay: Callable[[], Awaitable[object]]
