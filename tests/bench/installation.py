"""What is measured: servers as `deploy/local` starts them, Dovecot, and services as processes of their own.

The servers stay for the whole of a run; each Mailroom has a database, topics and a mail domain of its own.
Settings are those of production, but for the addresses, and for the connections to the SMTP server, which is
one's own.
"""

import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx

from deploy.instance import SERVICES
from deploy.local import ports, preparation, services
from deploy.local.endpoints import Endpoints, ServiceEndpoint
from deploy.local.processes import Tethered
from deploy.local.server import clean_environment
from deploy.local.stack import Stack, StackOptions
from shared.contracts.activity_organisation import Definition
from shared.keyring import Keyring
from shared.settings import ServiceSettings
from shared.topic_plan import bring_about
from tests.bench import mails
from tests.bench.post import Post, running_post
from tests.support.databases import Database, build_template
from tests.support.dovecot import Dovecot, running_dovecot
from tests.support.shared_mailroom import sample
from tests.support.waiting import eventually

PROCESSES = (*SERVICES, "activity-2")
"""What may run: a process of each service, and a second one of activity."""
PATIENCE = 60.0
"""Seconds that a start may take on a busy machine."""
SMTP_CONNECTIONS = 20
"""Mails that notify has under way at once: each connection waits for the commit of its last result."""


@dataclass(frozen=True)
class Servers:
    """Kafka, PostgreSQL, Dovecot, and a post office that takes what notify sends and delivers to Dovecot."""

    stack: Endpoints
    dovecot: Dovecot
    post: Post
    folder: Path

    def dsn(self, database: str) -> str:
        """The superuser's, for a database."""
        return self.stack.postgres_dsn.rpartition("/")[0] + "/" + database

    def roots(self) -> dict[str, int]:
        """Name and first process of each."""
        pids = {name: self.stack.processes[name].pid for name in ("kafka", "postgres")}
        return {**pids, "dovecot": self.dovecot.pid, "post office": self.post.pid}


@asynccontextmanager
async def running_servers() -> AsyncIterator[Servers]:
    """Servers for as long as this lasts, durable as in production; nothing of them stays behind."""
    async with AsyncExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="mailroom-bench-")))
        folder.chmod(0o755)  # noqa: ASYNC240 — PostgreSQL runs as another user if we are root
        stack = Stack(StackOptions(home=folder / "stack", services=()))
        endpoints = await exits.enter_async_context(stack)
        await stack.halt("greenmail")
        yield await exits.enter_async_context(with_mail_servers(endpoints, folder))


@asynccontextmanager
async def with_mail_servers(stack: Endpoints, folder: Path) -> AsyncIterator[Servers]:
    """Servers around a stack that runs already. `folder` may be passed by other users."""
    async with running_dovecot() as dovecot, running_post(folder, dovecot.folder) as post:
        yield Servers(stack, dovecot, post, folder)


@dataclass
class Installation:
    """A Mailroom. `definition` is its configuration; all mail goes to its mailbox `help`."""

    servers: Servers
    seen: Endpoints
    database: Database
    prefix: str
    definition: Definition
    address: mails.Address
    _running: dict[str, Tethered] = field(default_factory=dict)

    async def start(self, *names: str) -> None:
        """Start processes, by the names of `PROCESSES`; returns when all are ready."""
        for name in names:
            service, seen = name.partition("-")[0], self._seen_by(name)
            program = services.program(service, seen, self.log(name), clean_environment(os.environ))
            environment = {
                **program.environment,
                "MAILROOM_TOPIC_PREFIX": self.prefix,
                "MAILROOM_SMTP_SERVERS": _wide(program.environment["MAILROOM_SMTP_SERVERS"]),
            }
            program = type(program)(**{**vars(program), "environment": environment})
            self._running[name] = await Tethered.start(program)
        for name in names:
            await eventually(partial(self._is_ready, name), deadline=PATIENCE, every=0.1)

    async def stop(self, *names: str) -> None:
        """SIGTERM."""
        for name in names:
            await self._running.pop(name).stop()

    async def end(self) -> None:
        """Stop all that runs."""
        await self.stop(*self._running)

    async def _is_ready(self, name: str) -> bool:
        if self._running[name].exit_code is not None:
            raise RuntimeError(f"{name} has ended:\n{self.last_words(name)}")
        return await services.is_ready(name, self.seen)

    def _seen_by(self, name: str) -> Endpoints:
        """A second process of a service has a port of its own."""
        own = {name.partition("-")[0]: self.seen.services[name]}
        return self.seen.model_copy(update={"services": {**self.seen.services, **own}})

    def roots(self) -> dict[str, int]:
        """Name and first process of all that works here, servers included."""
        own = {name: running.record.pid for name, running in self._running.items()}
        return {**own, **self.servers.roots()}

    @property
    def dovecot(self) -> Dovecot:
        return self.servers.dovecot

    @property
    def user(self) -> str:
        """Whose inbox it reads."""
        return self.address.to

    def log(self, name: str) -> Path:
        return self.seen.home / "logs" / f"{name}.log"

    def last_words(self, name: str) -> str:
        return self.log(name).read_text(errors="replace")[-2000:]

    def keyring(self) -> Keyring:
        """What signs plus addresses."""
        default: str = ServiceSettings.model_fields["token_keys"].default
        return Keyring.parse((self.seen.home / "secrets" / default).read_text())

    async def configure(self) -> None:
        """Apply the configuration, through activity; returns when ingest has it."""
        token = preparation.operator_token(self.seen, self.definition.organisation)
        url = self.seen.services["activity"].http
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
            answer = await http.put(
                f"{url}/v1/configuration",
                headers={"Authorization": f"Bearer {token}"},
                json=self.definition.model_dump(mode="json"),
            )
        answer.raise_for_status()
        mailboxes = {mailbox.imap.user for mailbox in self.definition.mailboxes}

        def read() -> bool:
            return all(self.servers.dovecot.folders(user) for user in mailboxes)

        await eventually(read, deadline=PATIENCE, every=0.1)

    async def ask(self, service: str, query: str, *values: object) -> object:
        """One value out of a service's tables."""
        return await fetch_value(self.database.dsn, query, *values, schema=service)

    async def until_idle(self) -> None:
        """Wait until no mail lies in the inbox, nothing in the outboxes, and no sent mail is unaccounted."""
        unsaid = "SELECT count(*) FROM outbox WHERE headers NOT LIKE '%mailbox.polled%'"
        unsent = "SELECT count(*) FROM mails WHERE outcome IN ('requested', 'composed', 'deferred')"

        async def idle() -> bool:
            assert self.dovecot.folders(self.user).get("INBOX") == 0
            if "notify" in self._running and await self.ask("activity", unsent):
                return False
            return not any([await self.ask(name.partition("-")[0], unsaid) for name in self._running])

        await eventually(idle, deadline=5 * PATIENCE, every=0.2)


@asynccontextmanager
async def fresh_installation(servers: Servers) -> AsyncIterator[Installation]:
    """A Mailroom with nothing running yet."""
    name = fresh_name()
    domain, prefix = f"{name}.test", f"{name}."
    home = servers.folder / name
    for part in ("logs", "blobs", "secrets"):
        (home / part).mkdir(parents=True)
    database = Database(servers.dsn(name))
    await execute(servers.stack.postgres_dsn, f"CREATE DATABASE {name}")
    await build_template(database.dsn)
    numbers = ports.choose(PROCESSES, {}, {})
    seen = servers.stack.model_copy(
        update={
            "home": home,
            "postgres_dsn": database.dsn,
            "imap": servers.dovecot.address,
            "smtp": servers.post.address,
            "services": _endpoints(database, numbers),
        }
    )
    await preparation.make_secrets(seen)
    await bring_about(servers.stack.kafka, database.dsn, prefix)
    address = mails.Address(f"help@{domain}", f"customers.{name}.test")
    definition = sample(domain, address.customers)
    installation = Installation(servers, seen, database, prefix, definition, address)
    try:
        yield installation
    finally:
        await installation.end()
        await execute(servers.stack.postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)")


def _wide(smtp_servers: str) -> str:
    """The setting with the connections that one allows oneself towards a server of one's own."""
    servers = json.loads(smtp_servers)
    return json.dumps({name: {**server, "connections": SMTP_CONNECTIONS} for name, server in servers.items()})


def _endpoints(database: Database, numbers: Mapping[str, int]) -> dict[str, ServiceEndpoint]:
    return {
        name: ServiceEndpoint(
            http=f"http://{ports.HOST}:{numbers[name]}",
            postgres_dsn=database.dsn_of(name.partition("-")[0]),
        )
        for name in PROCESSES
    }


def fresh_name() -> str:
    """Of a database, topics and a domain that nobody has."""
    return f"b{uuid4().hex[:10]}"


async def execute(dsn: str, statement: str) -> None:
    """One statement, whoever the DSN says."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def fetch_value(dsn: str, query: str, *values: object, schema: str = "public") -> object:
    """One value out of a database."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": schema})
    try:
        return await connection.fetchval(query, *values)
    finally:
        await connection.close()
