"""A process starts, answers for itself, and stops in order (design §2, §7)."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter

from shared.http import create_api
from shared.service import EXIT_ABANDONED, ComponentEnded, Service
from shared.settings import ServiceSettings, SettingsError, load
from tests.support.waiting import eventually


class Part:
    """A component that does what the test says."""

    def __init__(self, name: str, told: list[str], failure: Exception | None = None) -> None:
        self.name = name
        self.sentence: str | None = None
        self.dead: str | None = None
        self.end = asyncio.Event()
        self._told = told
        self._failure = failure

    async def run(self) -> None:
        self._told.append(f"{self.name} runs")
        try:
            await self.end.wait()
            if self._failure:
                raise self._failure
        finally:
            self._told.append(f"{self.name} ends")

    def not_ready(self) -> str | None:
        return self.sentence

    def not_alive(self) -> str | None:
        return self.dead


@asynccontextmanager
async def pool(told: list[str]) -> AsyncIterator[None]:
    told.append("pool opens")
    try:
        yield
    finally:
        told.append("pool closes")


def settings(**more: object) -> ServiceSettings:
    given = {
        "kafka_bootstrap": "localhost:9092",
        "postgres_dsn": "postgresql://mailroom@localhost/mailroom",
        "blobs_url": "memory:///",
        "secrets_dir": Path("/nonexistent"),
        "http_port": 0,
    }
    return load(ServiceSettings, **{**given, **more})


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """The service, once it is ready or at least answers; stopped at the end unless it ended by itself."""
    run = asyncio.create_task(service.run())
    await eventually(lambda: service.port and len(service.running()) == len(service.components))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", trust_env=False) as client:
            yield client
    finally:
        service.stop("the test is over")
        async with asyncio.timeout(10):
            await run


async def test_a_header_without_an_end_is_refused_before_it_is_gathered() -> None:
    """Of whoever reaches the port, and before anybody is asked who he is."""
    service = Service("example", settings(), [])
    async with running(service):
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 200_000)
        async with asyncio.timeout(10):
            assert (await reader.readline()).startswith(b"HTTP/1.1 400")
        writer.close()


async def test_a_service_answers_for_its_components() -> None:
    part = Part("consumer", [])
    service = Service("example", settings(), [part])
    async with running(service) as client:
        assert (await client.get("/livez")).json() == {"status": "ok", "reasons": {}}
        assert (await client.get("/readyz")).status_code == 200
        part.sentence = "Kafka is away."
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["reasons"]) == (503, {"consumer": "Kafka is away."})
        assert (await client.get("/livez")).status_code == 200
        part.dead = "It has read nothing for an hour."
        answer = await client.get("/livez")
        assert (answer.status_code, answer.json()["reasons"]) == (503, {"consumer": part.dead})
        metrics = (await client.get("/metrics")).text
        assert 'mailroom_component_ready{component="consumer"} 0.0' in metrics
        assert 'mailroom_build_info{service="example"' in metrics


async def test_a_stop_ends_components_then_requests_then_resources() -> None:
    """A request that is under way still finds the pool."""
    told: list[str] = []
    asked = asyncio.Event()
    router = APIRouter()

    part = Part("consumer", told)

    @router.get("/v1/slow")
    async def slow() -> str:
        asked.set()
        await eventually(lambda: "consumer ends" in told)
        told.append("request answered")
        return "done"

    service = Service("example", settings(), [part], create_api("example", [router]), [pool(told)])
    async with running(service) as client:
        request = asyncio.create_task(client.get("/v1/slow"))
        await asked.wait()
        service.stop("deployment")
        assert (await request).json() == "done"
    assert told == ["pool opens", "consumer runs", "consumer ends", "request answered", "pool closes"]


async def test_a_component_that_dies_stops_the_others_and_is_named() -> None:
    told: list[str] = []
    dying, healthy = Part("relay", told, ValueError("boom")), Part("consumer", told)
    service = Service("example", settings(), [dying, healthy], resources=[pool(told)])
    with pytest.raises(ComponentEnded, match="relay died: ValueError: boom") as ended:
        async with running(service):
            dying.end.set()
    assert isinstance(ended.value.__cause__, ValueError)
    assert "consumer ends" in told
    assert told[-1] == "pool closes"


async def test_a_component_must_not_return() -> None:
    part = Part("relay", [])
    with pytest.raises(ComponentEnded, match="relay ended by itself"):
        async with running(Service("example", settings(), [part])):
            part.end.set()


async def test_while_resources_open_the_service_lives_but_is_not_ready() -> None:
    gate = asyncio.Event()

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        await gate.wait()
        yield

    service = Service("example", settings(), [], resources=[slow()])
    run = asyncio.create_task(service.run())
    await eventually(lambda: service.port)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", trust_env=False) as client:
        assert (await client.get("/livez")).status_code == 200
        reasons = (await client.get("/readyz")).json()["reasons"]
        assert reasons == {"example": "The service is starting."}
    service.stop("changed our mind")
    async with asyncio.timeout(10):
        await run


async def test_a_resource_that_fails_ends_the_start() -> None:
    told: list[str] = []

    class Broken(AbstractAsyncContextManager[None]):
        async def __aenter__(self) -> None:
            raise OSError("no such host")

        async def __aexit__(self, *_: object) -> None:
            raise AssertionError("was never open")

    service = Service("example", settings(), [], resources=[pool(told), Broken()])
    async with asyncio.timeout(10):
        with pytest.raises(OSError, match="no such host"):
            await service.run()
    assert told == ["pool opens", "pool closes"]


async def test_a_taken_port_is_told_by_its_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        service = Service("example", settings(http_port=taken.getsockname()[1]), [])
        with pytest.raises(SettingsError, match="MAILROOM_HTTP_PORT: cannot listen on"):
            await service.run()


PROGRAM = textwrap.dedent(
    """
    import asyncio, sys, time
    from pathlib import Path
    from shared.logs import configure
    from shared.service import Service, run_service
    from shared.settings import ServiceSettings, load

    class Part:
        name = "part"
        def not_ready(self):
            return None
        async def run(self):
            print("running", flush=True)
            await BEHAVIOUR[sys.argv[1]]()

    async def well():
        await asyncio.Event().wait()

    async def badly():
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass

    async def blocked():
        try:
            await asyncio.Event().wait()
        finally:
            time.sleep(60)

    async def dying():
        raise ValueError("boom")

    BEHAVIOUR = {"well": well, "badly": badly, "blocked": blocked, "dying": dying}
    settings = load(
        ServiceSettings, kafka_bootstrap="k:1", postgres_dsn="postgresql://a@b/c", blobs_url="memory:///",
        secrets_dir=Path("/nonexistent"), http_port=0, stop_seconds=0.5,
    )
    configure("example")
    sys.exit(run_service(lambda: Service("example", settings, [Part()])))
    """
)


@pytest.mark.parametrize(
    ("behaviour", "code", "logged"),
    [
        ("well", 0, '"event": "stopped"'),
        ("badly", EXIT_ABANDONED, '"running": ["part"]'),
        ("blocked", EXIT_ABANDONED, '"event": "did not stop in time"'),
        ("dying", 1, "part died: ValueError: boom"),
    ],
)
def test_a_process_ends_whatever_its_components_do(behaviour: str, code: int, logged: str) -> None:
    """On SIGTERM, with a component that stops, one that will not, one that blocks the loop; or by itself."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, behaviour],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("running"):
                break
        if behaviour != "dying":
            process.send_signal(signal.SIGTERM)
        output = process.stdout.read()
        assert process.wait(20) == code
    assert logged in output


async def test_metrics_say_what_is_not_ready_though_nobody_asked_whether_it_is() -> None:
    part = Part("postman", [])
    async with running(Service("mail", settings(), [part])) as http:
        assert 'component_ready{component="postman"} 1.0' in (await http.get("/metrics")).text
        part.sentence = "There is no bicycle."
        assert 'component_ready{component="postman"} 0.0' in (await http.get("/metrics")).text
