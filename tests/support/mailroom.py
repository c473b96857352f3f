"""A whole Mailroom for tests: the three services as processes of their own, on the shared servers.

It has a database, topics, blobs, secrets, a mail domain and a configuration of its own, and reaches every
server through a proxy, so that a test can take one away. It lives for a session; after each test all is put
back: lines mended, processes alive, the configuration as at first.
"""

import asyncio
import contextlib
import os
import signal
import smtplib
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.config.folder import read
from deploy.local import ports, preparation, services
from deploy.local.endpoints import Address, Endpoints, ServiceEndpoint
from deploy.local.processes import ProcessRecord, Tethered
from deploy.local.server import clean_environment
from deploy.local.services import SERVICES
from shared import local_issuer
from shared.auth import Principal
from shared.contracts.activity_organisation import Definition
from shared.topic_plan import bring_about
from shared.topics import INGEST_MAILS
from tests.support.databases import Database, build_template
from tests.support.proxy import Proxy, proxy
from tests.support.waiting import eventually

ORGANISATION = "acme"
PROCESSES = (*SERVICES, *(f"{name}-2" for name in SERVICES))
"""What may run: a process of each service, and a second one for a while."""
PATIENCE = 60.0
"""Seconds that anything may take on a busy machine."""
SECOND = 1 / 3600
"""A feedback window of a second, in hours."""

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


def sample(domain: str, customers: str) -> Definition:
    """The sample organisation with our mailboxes at `domain` and its customer at `customers`.

    Feedback windows last a day, so that what a test does not want to close stays open.
    """
    text = read(preparation.SAMPLE).model_dump_json()
    text = text.replace("mailroom.test", domain).replace("harbour.test", customers)
    definition = Definition.model_validate_json(text)
    # A test's customers write more in a minute than people do in an hour.
    rules = definition.rules.model_copy(update={"sender_mails_per_hour": 10_000})
    return with_window(definition.model_copy(update={"rules": rules}), hours=24)


def with_window(definition: Definition, hours: float) -> Definition:
    """Every process with this feedback window (ST-14)."""
    processes = [
        process.model_copy(update={"feedback_window_hours": hours}) for process in definition.processes
    ]
    return definition.model_copy(update={"processes": tuple(processes)})


@dataclass
class Mailroom:
    """A running Mailroom. `stack` are the servers themselves; `seen` is how the services reach them."""

    stack: Endpoints
    seen: Endpoints
    database: Database
    prefix: str
    domain: str
    customers: str
    definition: Definition
    lines: Mapping[str, Proxy]
    ports: Mapping[str, int]
    _running: dict[str, Tethered] = field(default_factory=dict)
    _frozen: set[str] = field(default_factory=set)
    _read_until: dict[Path, int] = field(default_factory=dict)

    # Processes, by name: a service's, or `<service>-2` of another process of it

    async def start(self, name: str) -> None:
        """Start a process; returns when it is ready."""
        service = name.partition("-")[0]
        program = services.program(service, self.seen, self.log(name), clean_environment(os.environ))
        own = {"MAILROOM_TOPIC_PREFIX": self.prefix, "MAILROOM_HTTP_PORT": str(self.ports[name])}
        program = replace(program, environment={**program.environment, **SETTINGS, **own})
        self._running[name] = await Tethered.start(program)
        await self.until_ready(name)

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
            await self.stop(name)
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
            roles=frozenset({preparation.OPERATOR}),
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


@asynccontextmanager
async def running_mailroom(stack: Endpoints, template: str, folder: Path) -> AsyncIterator[Mailroom]:
    """A Mailroom for as long as this lasts; nothing of it is left behind on the servers."""
    token = uuid4().hex[:8]
    domain, customers, prefix = f"m{token}.test", f"c{token}.test", f"e{token}."
    async with AsyncExitStack() as exits:
        database = await exits.enter_async_context(_database(stack, template, f"e{token}"))
        exits.push_async_callback(_delete_topics, stack, prefix)
        exits.push_async_callback(_delete_mailboxes, stack, (domain, customers))
        lines = {
            "kafka": await exits.enter_async_context(proxy(_kafka(stack), speaks_kafka=True)),
            "postgres": await exits.enter_async_context(proxy(_postgres(stack))),
            "imap": await exits.enter_async_context(proxy(stack.imap)),
            "smtp": await exits.enter_async_context(proxy(stack.smtp)),
        }
        for name in ("logs", "blobs", "secrets"):
            (folder / name).mkdir()
        numbers = ports.choose(PROCESSES, {}, {})
        seen = _seen(stack, database, folder, lines, numbers)
        await preparation.make_secrets(seen)
        await bring_about(stack.kafka_bootstrap, database.dsn, prefix)
        definition = sample(domain, customers)
        mailroom = Mailroom(stack, seen, database, prefix, domain, customers, definition, lines, numbers)
        try:
            async with asyncio.TaskGroup() as group:
                for name in SERVICES:
                    group.create_task(mailroom.start(name))
            await mailroom.configure(definition)
            yield mailroom
        finally:
            for name in tuple(mailroom._running):
                await mailroom.stop(name)


def _seen(
    stack: Endpoints, database: Database, folder: Path, lines: Mapping[str, Proxy], numbers: Mapping[str, int]
) -> Endpoints:
    """The servers as the services reach them."""
    kafka, postgres = lines["kafka"].address, lines["postgres"].address

    def around(dsn: str) -> str:
        parts = urlsplit(dsn)
        return dsn.replace(f"{parts.hostname}:{parts.port}", f"{postgres.host}:{postgres.port}", 1)

    return Endpoints(
        home=folder,
        kafka_bootstrap=f"{kafka.host}:{kafka.port}",
        postgres_dsn=around(database.dsn),
        imap=lines["imap"].address,
        smtp=lines["smtp"].address,
        greenmail_api=stack.greenmail_api,
        services={
            name: ServiceEndpoint(
                http=f"http://{ports.HOST}:{numbers[name]}", postgres_dsn=around(database.dsn_of(name))
            )
            for name in SERVICES
        },
        supervisor=ProcessRecord.of(os.getpid()),
        processes={},
    )


def _kafka(stack: Endpoints) -> Address:
    host, _, port = stack.kafka_bootstrap.partition(":")
    return Address(host=host, port=int(port))


def _postgres(stack: Endpoints) -> Address:
    parts = urlsplit(stack.postgres_dsn)
    assert parts.hostname
    assert parts.port
    return Address(host=parts.hostname, port=parts.port)


@asynccontextmanager
async def _database(stack: Endpoints, template: str, name: str) -> AsyncIterator[Database]:
    connection = await asyncpg.connect(stack.postgres_dsn)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        database = Database(stack.postgres_dsn.rpartition("/")[0] + "/" + name)
        await build_template(database.dsn)
        yield database
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


async def _delete_topics(stack: Endpoints, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic for topic in await admin.list_topics() if topic.startswith(prefix)])
    finally:
        await admin.close()


async def _delete_mailboxes(stack: Endpoints, domains: tuple[str, ...]) -> None:
    async with httpx.AsyncClient(base_url=stack.greenmail_api, trust_env=False) as greenmail:
        users = (await greenmail.get("/api/user")).raise_for_status().json()
        for user in users:
            if user["email"].endswith(tuple(f"@{domain}" for domain in domains)):
                await greenmail.delete(f"/api/user/{user['email']}")


@pytest.fixture(scope="session")
async def session_mailroom(
    stack: Endpoints, database_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mailroom]:
    """One Mailroom for all tests of this worker."""
    folder = tmp_path_factory.mktemp("mailroom")
    async with running_mailroom(stack, database_template, folder) as mailroom:
        yield mailroom


@pytest.fixture
async def mailroom(session_mailroom: Mailroom) -> AsyncIterator[Mailroom]:
    """A running Mailroom, which others have used before: take customers and subjects of your own."""
    session_mailroom.mark_logs()
    await session_mailroom.whole()
    yield session_mailroom
    await session_mailroom.whole()
    await session_mailroom.configure(session_mailroom.definition)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the services said during a test that failed."""
    report = yield
    mailroom = getattr(item, "funcargs", {}).get("mailroom")
    if report.failed and isinstance(mailroom, Mailroom):
        report.sections += [(f"log of {name}", said) for name, said in mailroom.news()]
    return report
