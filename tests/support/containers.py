"""The tests' servers in containers: the images and settings of `compose.yaml`, run by testcontainers.

A process of its own starts them, stays with them, and takes them away when the process that it watches ends,
however that ends: `python -m tests.support.containers <home> <record of the watched process>`.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from ruamel.yaml import YAML
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from deploy.local import kafka, ports
from deploy.local.endpoints import Address, Endpoints
from deploy.local.failure import StackFailure
from deploy.local.processes import ProcessRecord
from tests.support.waiting import eventually

COMPOSE = Path("compose.yaml")
# As of the servers on this machine: what a test makes may be lost with it (deploy/local/postgres.py).
POSTGRES = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300")
_SECONDS_TO_START = 180.0
_SECONDS_BETWEEN_LOOKS = 0.5


def start(home: Path, watched: ProcessRecord) -> Endpoints:
    """Starts them; returns when all are ready. Raises StackFailure with what was said if they cannot."""
    with tempfile.TemporaryFile() as noise:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.support.containers", str(home), watched.model_dump_json()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=noise,
            start_new_session=True,
        )
        assert keeper.stdout is not None
        with keeper.stdout as said:
            said.readline()
        if endpoints := Endpoints.load(home):
            return endpoints
        keeper.wait()
        noise.seek(0)
        raise StackFailure(f"The containers did not start:\n{noise.read().decode(errors='replace')}")


def _container(service: str, **environment: str) -> DockerContainer:
    """The server as `compose.yaml` has it, with some of its settings changed; not started yet."""
    described: dict[str, Any] = YAML(typ="safe").load(COMPOSE)["services"][service]
    container = DockerContainer(described["image"])
    for name, value in {**described["environment"], **environment}.items():
        container.with_env(name, str(value))
    return container


def _listening(host: str, port: int) -> dict[str, str]:
    """Kafka's settings for clients out here, beside its own way to itself in there."""
    return {
        "KAFKA_LISTENERS": "PLAINTEXT://:29092,HOST://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://localhost:29092,HOST://{host}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
    }


async def _keep(home: Path, watched: ProcessRecord) -> None:
    """Their whole life."""
    found = DockerClient().host()
    host = ports.HOST if found == "localhost" else found
    port = ports.choose(("kafka",), {}, {})["kafka"]
    servers = {
        "kafka": _container("kafka", **_listening(host, port)),
        "postgres": _container("postgres", POSTGRES_HOST_AUTH_METHOD="trust"),
        "greenmail": _container("greenmail"),
    }
    servers["kafka"].with_bind_ports(9092, port)
    servers["postgres"].env.pop("POSTGRES_PASSWORD_FILE")
    servers["postgres"].with_command(["postgres", *(part for each in POSTGRES for part in ("-c", each))])
    servers["postgres"].with_exposed_ports(5432)
    servers["greenmail"].with_exposed_ports(3025, 3143, 8080)
    try:
        await asyncio.gather(*(asyncio.to_thread(each.start) for each in servers.values()))

        def address(server: str, inner: int) -> Address:
            return Address(host=host, port=int(servers[server].get_exposed_port(inner)))

        postgres, api = address("postgres", 5432), address("greenmail", 8080)
        endpoints = Endpoints(
            home=home,
            kafka_bootstrap=f"{host}:{port}",
            postgres_dsn=f"postgresql://postgres@{postgres.host}:{postgres.port}/mailroom",
            imap=address("greenmail", 3143),
            smtp=address("greenmail", 3025),
            greenmail_api=f"http://{api.host}:{api.port}",
            services={},
            supervisor=ProcessRecord.of(os.getpid()),
            processes={},
        )
        for is_up in (
            lambda: kafka.answers(endpoints.kafka_bootstrap),
            lambda: _answers(endpoints.postgres_dsn),
            lambda: _delivers(endpoints.greenmail_api),
        ):
            await eventually(is_up, deadline=_SECONDS_TO_START, every=0.2)
        _publish(endpoints)
        while watched.process():  # noqa: ASYNC110 — another process, not our child
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
    finally:
        shutil.rmtree(home, ignore_errors=True)
        for each in servers.values():
            await asyncio.to_thread(each.stop)


def _publish(endpoints: Endpoints) -> None:
    """Whoever waits for a line, and whoever comes later, finds them in the home."""
    endpoints.home.mkdir()
    endpoints.save()
    sys.stdout.write("up\n")
    sys.stdout.flush()


async def _answers(dsn: str) -> bool:
    try:
        connection = await asyncpg.connect(dsn, timeout=5, ssl=False)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await connection.close()
    return True


async def _delivers(api: str) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(f"{api}/api/service/readiness")).status_code == HTTPStatus.OK
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    asyncio.run(_keep(Path(sys.argv[1]), ProcessRecord.model_validate_json(sys.argv[2])))
