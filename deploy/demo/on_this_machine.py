"""The demonstration on a stack of its own on this machine, without containers."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console, Group

from deploy.demo.venue import Venue
from deploy.instance import SERVICES
from deploy.local.stack import Stack, StackOptions
from deploy.terminal import Board, addresses
from shared import local_issuer
from shared.auth import Principal

_LINES_SHOWN = 15


@asynccontextmanager
async def on_this_machine(console: Console, home: Path) -> AsyncIterator[Venue]:
    """The home is emptied before, of what a killed one may have left, and goes after."""
    with Board(console) as board:
        stack = Stack(StackOptions(home=home, fresh=True, temporary=True), board.report)
        async with stack as endpoints:
            board.rest()
            token = f"A token for somebody: mailroom token --home {home} --user NAME"
            yield Venue(
                activity=endpoints.services["activity"].http,
                smtp=endpoints.smtp,
                imap=endpoints.imap,
                token=lambda principal: _token(home, principal),
                logs=lambda: _logs(home),
                notice=Group(addresses(endpoints, SERVICES), token),
                stay=stack.watch,
            )


def _token(home: Path, principal: Principal) -> str:
    return local_issuer.issue(home / "secrets", principal, now=datetime.now(UTC), lifetime=timedelta(hours=1))


def _logs(home: Path) -> Iterator[tuple[str, str]]:
    for log in sorted((home / "logs").glob("*.log")):
        if log.stem in SERVICES:
            yield log.name, "\n".join(log.read_text(errors="replace").splitlines()[-_LINES_SHOWN:])
