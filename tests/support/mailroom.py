"""A whole Mailroom for tests: the three services as processes of their own, on the shared servers.

It has a database, topics, blobs, secrets, a mail domain and a configuration of its own, and reaches every
server through a proxy, so that a test can take one away.
"""

import asyncio
import contextlib
import os
import signal
import smtplib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from deploy.instance import SERVICES
from deploy.local import ports, services
from deploy.local.endpoints import Endpoints
from deploy.local.processes import Tethered
from deploy.local.server import clean_environment
from shared import local_issuer
from shared.auth import OPERATOR, Principal
from shared.contracts.activity_organisation import Definition
from shared.topics import INGEST_MAILS
from tests.support.databases import Database
from tests.support.proxy import Proxy
from tests.support.waiting import eventually

ORGANISATION = "acme"
PROCESSES = (*SERVICES, *(f"{name}-2" for name in SERVICES))
"""What may run: a process of each service, and a second one for a while."""
PATIENCE = 60.0
"""Seconds that anything may take on a busy machine."""
OPERATORS = frozenset({OPERATOR})
"""The roles of somebody who runs Mailroom."""

# Short where a test would wait for it; nothing else is set apart from production.
SETTINGS: Mapping[str, str] = {
    "MAILROOM_POLL_SECONDS": "0.5",
    "MAILROOM_TIMER_POLL_SECONDS": "0.2",
    "MAILROOM_LEASE_SECONDS": "3",
    "MAILROOM_CLAIM_SECONDS": "5",
    "MAILROOM_QUEUE_POLL_SECONDS": "0.5",
    "MAILROOM_LOG_LEVEL": "info",
}
_LOG_LINES_SHOWN = 60

More = Callable[[str, Endpoints], Mapping[str, str]]
"""Settings of a process by its name, given the servers as the services reach them."""


def nothing_more(name: str, seen: Endpoints) -> Mapping[str, str]:
    """All processes live by `SETTINGS`."""
    return {}


@dataclass
class Mailroom:
    """A running Mailroom. `stack` are the servers themselves; `seen` is how the services reach them.

    `more` gives further settings of a process.
    """

    stack: Endpoints
    seen: Endpoints
    database: Database
    prefix: str
    domain: str
    customers: str
    definition: Definition
    lines: Mapping[str, Proxy]
    ports: Mapping[str, int]
    more: More = nothing_more
    _running: dict[str, Tethered] = field(default_factory=dict)
    _frozen: set[str] = field(default_factory=set)
    _read_until: dict[Path, int] = field(default_factory=dict)

    # Processes, by name: a service's, or `<service>-2` of another process of it

    async def start(self, name: str) -> None:
        """Start a process; returns when it is ready."""
        await self.launch(name)
        await self.until_ready(name)

    async def launch(self, name: str) -> None:
        """Start a process, which gets ready by itself."""
        service = name.partition("-")[0]
        program = services.program(service, self.seen, self.log(name), clean_environment(os.environ))
        own = {"MAILROOM_TOPIC_PREFIX": self.prefix, "MAILROOM_HTTP_PORT": str(self.ports[name])}
        program = replace(
            program, environment={**program.environment, **SETTINGS, **own, **self.more(name, self.seen)}
        )
        self._running[name] = await Tethered.start(program)

    def pid(self, name: str) -> int | None:
        """Which process it is; None while it does not run."""
        running = self._running.get(name)
        return running.process.pid if running is not None and running.exit_code is None else None

    async def kill(self, name: str) -> None:
        """SIGKILL: it can do nothing any more, not even say goodbye."""
        running = self._running.pop(name)
        self._frozen.discard(name)
        running.process.send_signal(signal.SIGKILL)
        await running.process.wait()

    async def stop(self, name: str) -> int | None:
        """SIGTERM; the exit code."""
        self.thaw(name)
        running = self._running.pop(name)
        await running.stop()
        return running.exit_code

    async def end(self) -> None:
        """Stop all that runs."""
        for name in tuple(self._running):
            await self.stop(name)

    def freeze(self, name: str) -> None:
        """SIGSTOP: as if its machine were asleep."""
        self._running[name].process.send_signal(signal.SIGSTOP)
        self._frozen.add(name)

    def thaw(self, name: str) -> None:
        """SIGCONT; it does not know that it slept."""
        if name in self._frozen:
            self._running[name].process.send_signal(signal.SIGCONT)
            self._frozen.discard(name)

    async def until_ready(self, name: str) -> None:
        """Wait until a process says that it can work. Raises `AssertionError` if it has ended instead."""
        async with _client() as http:

            async def ready() -> bool:
                if self._running[name].exit_code is not None:
                    raise RuntimeError(f"{name} has ended:\n{self.log(name).read_text()[-2000:]}")
                with contextlib.suppress(httpx.TransportError):
                    answer = await http.get(f"{self.url(name)}/readyz")
                    assert answer.status_code == 200, answer.text
                    return True
                return False

            await eventually(ready, deadline=PATIENCE, every=0.1)

    async def not_ready(self, name: str) -> dict[str, str]:
        """What a process says that it cannot do at the moment."""
        async with _client() as http:
            reasons: dict[str, str] = (await http.get(f"{self.url(name)}/readyz")).json()["reasons"]
        return reasons

    async def whole(self) -> None:
        """As it was at first, whatever a test has done to it."""
        for name in tuple(self._frozen):
            self.thaw(name)
        for line in self.lines.values():
            await line.mend()
        for name in [each for each in self._running if each not in SERVICES]:
            assert await self.stop(name) == 0, f"{name} did not end well"
        for name in SERVICES:
            if name not in self._running or self._running[name].exit_code is not None:
                await self.start(name)
        await asyncio.gather(*(self.until_ready(name) for name in SERVICES))

    def url(self, name: str) -> str:
        return f"http://{ports.HOST}:{self.ports[name]}"

    def log(self, name: str) -> Path:
        return self.seen.home / "logs" / f"{name}.log"

    def mark_logs(self) -> None:
        """What is said from here on is news."""
        self._read_until = {log: log.stat().st_size for log in (self.seen.home / "logs").iterdir()}

    def news(self) -> Iterator[tuple[str, str]]:
        """Name and last words of each process since `mark_logs`."""
        for log in sorted((self.seen.home / "logs").iterdir()):
            said = log.read_bytes()[self._read_until.get(log, 0) :].decode(errors="replace")
            if said:
                yield log.stem, "\n".join(said.splitlines()[-_LOG_LINES_SHOWN:])

    # Mail

    def address(self, mailbox: str = "help") -> str:
        """An address of ours."""
        return f"{mailbox}@{self.domain}"

    async def send(self, *mails: EmailMessage | bytes, to: str | None = None) -> None:
        """Hand mails in by SMTP, for the recipients in their headers, or for `to` (a Bcc, or no header)."""
        await asyncio.to_thread(self._send, mails, to)

    def _send(self, mails: tuple[EmailMessage | bytes, ...], to: str | None) -> None:
        server = self.stack.smtp
        with smtplib.SMTP(server.host, server.port, timeout=PATIENCE) as smtp:
            for mail in mails:
                if isinstance(mail, EmailMessage) and to is None:
                    smtp.send_message(mail)
                else:
                    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
                    smtp.sendmail(f"sender@{self.customers}", [to or self.address()], raw)

    # HTTP

    async def ask(
        self,
        method: str,
        path: str,
        *,
        service: str = "activity",
        user: str = "amelie",
        roles: frozenset[str] = frozenset(),
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> httpx.Response:
        """One request with a token of `user`."""
        principal = Principal(user, ORGANISATION, "user", roles)
        token = local_issuer.issue(
            self.seen.home / "secrets", principal, now=datetime.now(UTC), lifetime=timedelta(hours=1)
        )
        async with _client() as http:
            return await http.request(
                method,
                f"{self.url(service)}{path}",
                headers={"Authorization": f"Bearer {token}", **(headers or {})},
                **request,
            )

    async def configure(self, definition: Definition) -> int:
        """Apply a configuration as `mailroom config apply` does; its version, which ingest has by then."""
        answer = await self.ask(
            "PUT",
            "/v1/configuration",
            user="operator",
            roles=OPERATORS,
            json=definition.model_dump(mode="json"),
        )
        assert answer.status_code == 200, answer.text
        version: int = answer.json()["version"]
        async with self.tables("ingest") as tables:

            async def arrived() -> bool:
                known = "SELECT version FROM organisation_applied WHERE organisation = $1"
                return bool(await tables.fetchval(known, ORGANISATION) == version)

            await eventually(arrived, deadline=PATIENCE)
        return version

    # What is behind the scenes, for whoever checks

    @asynccontextmanager
    async def tables(self, service: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
        """A connection that sees a service's schema, with nobody in between."""
        connection = await asyncpg.connect(self.database.dsn, server_settings={"search_path": service})
        try:
            yield connection
        finally:
            await connection.close()

    def topic(self, name: str) -> str:
        return self.prefix + name

    async def settled(self) -> None:
        """Wait until all mail that has been delivered so far has had its whole effect.

        Each mailbox has been read since, activity has worked on all that was told by then, every mail that
        was asked for is sent and reported, and nobody has anything left to say.
        """
        began = datetime.now(UTC)
        mailboxes = [mailbox.name for mailbox in self.definition.mailboxes]
        async with AsyncExitStack() as stack:
            tables = {name: await stack.enter_async_context(self.tables(name)) for name in SERVICES}

            async def read() -> bool:
                told = "SELECT count(*) FROM polled_mailboxes WHERE mailbox = ANY($1) AND until > $2"
                places = await tables["activity"].fetchval(told, mailboxes, began)
                return bool(places == len(mailboxes) * INGEST_MAILS.partitions)

            async def sent() -> bool:
                asked = "SELECT count(*) FROM mails WHERE outcome IN ('requested', 'composed', 'deferred')"
                return bool(await tables["activity"].fetchval(asked) == 0)

            async def silent() -> bool:
                # Marks of how far mailboxes are read come all the time; everything else ends.
                rest = "SELECT count(*) FROM outbox WHERE headers NOT LIKE '%mailbox.polled%'"
                return not any([await each.fetchval(rest) for each in tables.values()])

            for condition in (read, sent, silent):
                await eventually(condition, deadline=PATIENCE, every=0.1)


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, timeout=PATIENCE)
