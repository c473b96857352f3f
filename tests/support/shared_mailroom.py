"""The Mailroom that tests share: made once per worker, and put back after each test.

After a test its lines are mended, its processes alive, and its configuration is as at first. What its
services said during a test that failed is shown.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from deploy.config.folder import read
from deploy.instance import SERVICES
from deploy.local import ports, preparation
from deploy.local.endpoints import Address, Endpoints, ServiceEndpoint
from deploy.local.processes import ProcessRecord
from shared.contracts.activity_organisation import Definition
from shared.topic_plan import bring_about
from tests.support.databases import Database, fresh_database
from tests.support.mailroom import PATIENCE, PROCESSES, Mailroom, More, nothing_more
from tests.support.proxy import Proxy, proxy
from tests.support.servers import delete_mailboxes, delete_topics

SECOND = 1 / 3600
"""A feedback window of a second, in hours."""


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


@asynccontextmanager
async def running_mailroom(
    stack: Endpoints,
    template: str,
    folder: Path,
    more: More = nothing_more,
) -> AsyncIterator[Mailroom]:
    """A Mailroom for as long as this lasts; nothing of it is left behind on the servers.

    `more` gives further settings of a process.
    """
    token = uuid4().hex[:8]
    domain, customers, prefix = f"m{token}.test", f"c{token}.test", f"e{token}."
    async with AsyncExitStack() as exits:
        database = await exits.enter_async_context(fresh_database(stack, template))
        exits.push_async_callback(delete_topics, stack, prefix)
        exits.push_async_callback(delete_mailboxes, stack, domain, customers)
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
        await bring_about(stack.kafka, database.dsn, prefix)
        definition = sample(domain, customers)
        mailroom = Mailroom(
            stack, seen, database, prefix, domain, customers, definition, lines, numbers, more
        )
        try:
            async with asyncio.TaskGroup() as group:
                for name in SERVICES:
                    group.create_task(mailroom.start(name))
            await mailroom.configure(definition)
            yield mailroom
        finally:
            await mailroom.end()


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who fails here fails by a condition that says what did not come, not by the clock of the whole test."""
    for item in items:
        if "mailroom" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(6 * PATIENCE))


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
