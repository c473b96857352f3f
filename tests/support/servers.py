"""The real servers, once per test run, shared by all its worker processes.

Whoever needs them first starts them, detached; they end with the process that the run began with, however
that ends. If they cannot start, the tests that need them fail. `MAILROOM_TEST_STACK` says where they come
from (`PROVIDERS`); no test can tell.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from filelock import FileLock

from deploy.local.endpoints import Endpoints
from deploy.local.processes import ProcessRecord
from deploy.local.progress import silence
from deploy.local.stack import StackOptions
from deploy.local.supervisor import start_detached

Provider = Callable[[Path, ProcessRecord], Endpoints]
"""Starts the servers of a run in a home, to end with a process; returns when they are ready."""


def _on_this_machine(home: Path, watched: ProcessRecord) -> Endpoints:
    """Kafka, PostgreSQL and GreenMail from packages (deploy/local)."""
    options = StackOptions(home=home, services=(), durable=False, temporary=True, fresh=True)
    return start_detached(options, silence, watched=watched)


def _in_containers(home: Path, watched: ProcessRecord) -> Endpoints:
    """The official images of `compose.yaml`."""
    from tests.support import containers  # testcontainers takes its time to be imported

    return containers.start(home, watched)


LOCAL = "local"
PROVIDERS: Mapping[str, Provider] = {LOCAL: _on_this_machine, "containers": _in_containers}
CHOSEN = os.environ.get("MAILROOM_TEST_STACK") or LOCAL


def _home() -> Path:
    """A folder that all workers of this run agree on, and no other run."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    return Path(tempfile.gettempdir()) / f"mailroom-tests-{run}"


@pytest.fixture(scope="session")
def stack() -> Endpoints:
    """Where Kafka, PostgreSQL and GreenMail answer. Everything in them is shared: take names of your own.

    (`topic_prefix`, `database` and `mailbox_domain` are such names.)
    """
    home = _home()
    if there := Endpoints.load(home):
        return there
    controller = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    with FileLock(home.with_name(f"mailroom-tests-{os.getuid()}.lock")):
        return Endpoints.load(home) or PROVIDERS[CHOSEN](home, ProcessRecord.of(controller))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests that this run's provider has nothing to do with."""
    chosen = [item for item in items if _belongs(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
    items[:] = chosen


def _belongs(item: pytest.Item) -> bool:
    needs_containers = item.get_closest_marker("containers") is not None
    if CHOSEN == LOCAL:
        return not needs_containers
    shares = "stack" in getattr(item, "fixturenames", ()) and not item.get_closest_marker("own_servers")
    return needs_containers or shares


@pytest.fixture
async def topic_prefix(stack: Endpoints) -> AsyncIterator[str]:
    """What the topics of this test begin with; they are deleted after it."""
    prefix = f"t{uuid4().hex[:10]}."
    yield prefix
    await delete_topics(stack, prefix)


@pytest.fixture
async def mailbox_domain(stack: Endpoints) -> AsyncIterator[str]:
    """A mail domain of this test alone; its mailboxes come with their first mail and go after the test."""
    domain = f"m{uuid4().hex[:10]}.test"
    yield domain
    await delete_mailboxes(stack, domain)


async def delete_topics(stack: Endpoints, prefix: str) -> None:
    """Delete the topics that begin with `prefix`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    try:
        if own := [topic for topic in await admin.list_topics() if topic.startswith(prefix)]:
            await admin.delete_topics(own)
    finally:
        await admin.close()


async def delete_mailboxes(stack: Endpoints, *domains: str) -> None:
    """Delete the mailboxes at these domains."""
    async with httpx.AsyncClient(base_url=stack.greenmail_api, trust_env=False) as greenmail:
        users = (await greenmail.get("/api/user")).raise_for_status().json()
        for user in users:
            if user["email"].endswith(tuple(f"@{domain}" for domain in domains)):
                await greenmail.delete(f"/api/user/{user['email']}")
