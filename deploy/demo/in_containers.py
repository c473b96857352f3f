"""The demonstration in containers: what `compose.yaml` of this folder makes, as a project of its own."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from rich.console import Console

from deploy.demo.venue import Venue
from deploy.instance import SERVICES
from deploy.local.endpoints import Address
from deploy.local.failure import StackFailure
from shared.auth import Principal

_COMPOSE = ("docker", "compose", "--project-name", "mailroom-demo", "--progress", "plain")
_LINES_SHOWN = "15"
# Any free port will do, so that it plays beside a Mailroom that is up.
_PORTS = {f"MAILROOM_{name}_PORT": "0" for name in ("INGEST", "ACTIVITY", "NOTIFY", "SMTP", "IMAP")}


@asynccontextmanager
async def in_containers(console: Console) -> AsyncIterator[Venue]:
    """Builds the image, brings everything up, and takes all of it away at the end, with its data."""
    try:
        console.print("Building the image and starting the containers.")
        await _compose("up", "--build", "--wait")
        activity = _address("activity", 8080)
        yield Venue(
            activity=f"http://{activity.host}:{activity.port}",
            smtp=_address("greenmail", 3025),
            imap=_address("greenmail", 3143),
            token=_token,
            logs=_logs,
            notice=f"{' '.join(_COMPOSE[:4])} ps shows where everything answers.",
            stay=asyncio.Event().wait,
        )
    finally:
        await _compose("down", "--volumes", "--timeout", "30")


def _token(principal: Principal) -> str:
    roles = (part for role in sorted(principal.roles) for part in ("--role", role))
    named = ("--user", principal.user, "--organisation", principal.organisation, "--kind", principal.kind)
    return _said("run", "--rm", "--no-deps", "--no-TTY", "operator", "token", *named, *roles)


def _address(service: str, port: int) -> Address:
    host, _, published = _said("port", service, str(port)).rpartition(":")
    return Address(host=host, port=int(published))


def _logs() -> Iterator[tuple[str, str]]:
    for service in SERVICES:
        yield service, _said("logs", "--no-log-prefix", "--tail", _LINES_SHOWN, service)


def _environment() -> dict[str, str]:
    return {**os.environ, **_PORTS}


def _said(*arguments: str) -> str:
    done = subprocess.run(
        [*_COMPOSE, *arguments], env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise _failure(arguments, done.stderr)
    return done.stdout.strip()


async def _compose(*arguments: str) -> None:
    """Runs one that takes its time. In a session of its own: at Ctrl-C we end it ourselves."""
    try:
        running = await asyncio.create_subprocess_exec(
            *(*_COMPOSE, *arguments),
            env=_environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except FileNotFoundError as missing:
        raise StackFailure(
            "There is no command `docker` here: install Docker with Compose, or leave out --stack."
        ) from missing
    try:
        said = (await running.communicate())[0].decode(errors="replace")
    except asyncio.CancelledError:
        running.terminate()
        await running.wait()
        raise
    if running.returncode:
        raise _failure(arguments, said)


def _failure(arguments: tuple[str, ...], said: str) -> StackFailure:
    lines = said.strip().splitlines()[-30:]
    return StackFailure("\n".join([*lines, f"`docker compose {arguments[0]}` failed."]))
