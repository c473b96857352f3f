"""Mailroom's own services on this machine, and what has to be done before they start."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx

from deploy.local import preparation
from deploy.local.endpoints import Endpoints
from deploy.local.processes import Program


@dataclass(frozen=True)
class Preparation:
    """A step before or after the services start, in the order of its table; idempotent."""

    name: str
    run: Callable[[Endpoints], Awaitable[None]]


# What the services find done when they start, and what is told them once they run.
PREPARE: tuple[Preparation, ...] = (
    Preparation("secrets", preparation.make_secrets),
    Preparation("schemas", preparation.migrate_schemas),
    Preparation("topics", preparation.make_topics),
)
CONFIGURE: tuple[Preparation, ...] = (Preparation("organisation", preparation.apply_sample),)


def program(service: str, endpoints: Endpoints, log: Path, environment: Mapping[str, str]) -> Program:
    """One service, with its settings in the environment."""
    return Program(
        arguments=(sys.executable, "-m", "deploy.cli", "run", service),
        environment={**environment, **endpoints.environment(service)},
        folder=endpoints.home,
        log=log,
    )


async def is_ready(service: str, endpoints: Endpoints) -> bool:
    """Whether the service says that it can work."""
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{endpoints.services[service].http}/readyz")
    except httpx.TransportError:
        return False
    return answer.status_code == HTTPStatus.OK
