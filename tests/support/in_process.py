"""A whole Mailroom inside the test's own process: for what is to be seen of all services at once.

The services are built and run as their processes do it, on the shared servers, with a database, topics and a
mail domain of their own. Everything that a process has once, they have in common: its metrics, its tracing.
"""

import asyncio
import importlib
import os
import smtplib
import typing
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import httpx

from deploy.instance import SERVICES
from deploy.local import preparation
from deploy.local.endpoints import Endpoints, ServiceEndpoint
from deploy.local.ports import HOST
from shared import local_issuer
from shared.auth import Principal
from shared.service import Service
from shared.settings import load
from shared.topic_plan import bring_about
from tests.support.databases import Database, fresh_database
from tests.support.mailroom import OPERATORS, ORGANISATION, PATIENCE, SETTINGS
from tests.support.servers import delete_mailboxes, delete_topics
from tests.support.shared_mailroom import sample
from tests.support.waiting import eventually


@dataclass(frozen=True)
class InProcess:
    """The services by name, and their surroundings."""

    stack: Endpoints
    database: Database
    prefix: str
    domain: str
    customers: str
    secrets: Path
    services: Mapping[str, Service]

    async def write(self, mail: EmailMessage) -> None:
        """Hand a mail in by SMTP."""

        def send() -> None:
            with smtplib.SMTP(self.stack.smtp.host, self.stack.smtp.port, timeout=PATIENCE) as smtp:
                smtp.send_message(mail)

        await asyncio.to_thread(send)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        service: str = "activity",
        headers: Mapping[str, str] | None = None,
        user: str = "amelie",
        **more: Any,
    ) -> httpx.Response:
        """One request over HTTP; whoever is called `operator` is one."""
        roles = OPERATORS if user == "operator" else frozenset()
        principal = Principal(user, ORGANISATION, "user", roles)
        token = local_issuer.issue(
            self.secrets, principal, now=datetime.now(UTC), lifetime=timedelta(hours=1)
        )
        url = f"http://{HOST}:{self.services[service].port}{path}"
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            return await client.request(
                method, url, headers={"Authorization": f"Bearer {token}", **(headers or {})}, **more
            )


@asynccontextmanager
async def mailroom_in_process(stack: Endpoints, template: str, folder: Path) -> AsyncIterator[InProcess]:
    """All services at work with the sample organisation, for as long as this lasts."""
    token = uuid4().hex[:8]
    prefix, domain, customers = f"p{token}.", f"m{token}.test", f"c{token}.test"
    async with AsyncExitStack() as exits:
        database = await exits.enter_async_context(fresh_database(stack, template))
        exits.push_async_callback(delete_topics, stack, prefix)
        exits.push_async_callback(delete_mailboxes, stack, domain, customers)
        ends = {
            name: ServiceEndpoint(http=f"http://{HOST}:0", postgres_dsn=database.dsn_of(name))
            for name in SERVICES
        }
        seen = stack.model_copy(update={"home": folder, "services": ends})
        (folder / "secrets").mkdir()
        await preparation.make_secrets(seen)
        await bring_about(stack.kafka, database.dsn, prefix)
        services = {name: built(name, seen, prefix) for name in SERVICES}
        for service in services.values():
            running = asyncio.create_task(service.run())
            exits.push_async_callback(_stopped, service, running)
        made = InProcess(seen, database, prefix, domain, customers, folder / "secrets", services)
        await eventually(lambda: all(not each.ready().wrong for each in services.values()), deadline=PATIENCE)
        definition = sample(domain, customers)
        answer = await made.ask(
            "PUT", "/v1/configuration", user="operator", json=definition.model_dump(mode="json")
        )
        assert answer.status_code == 200, answer.text
        yield made


def built(name: str, seen: Endpoints, prefix: str) -> Service:
    """A service as its process builds it."""
    build = importlib.import_module(f"services.{name}.app").build
    variables = {**seen.environment(name), **SETTINGS, "MAILROOM_TOPIC_PREFIX": prefix}
    with patch.dict(os.environ, variables):
        built: Service = build(load(typing.get_type_hints(build)["settings"]))
    return built


async def _stopped(service: Service, running: "asyncio.Task[None]") -> None:
    service.stop("the test is over")
    await running
