"""A process: its components, its resources and its HTTP server, in one event loop.

Start: the HTTP server answers `/livez` first, then the resources open in order, then the components run.
Stop (SIGTERM, SIGINT, or a component that ended): components are cancelled together, then the HTTP server
finishes its requests, then the resources close in reverse. What takes longer than the deadline is left
behind: any process may be killed at any moment (design §2), so that loses nothing.
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from importlib.metadata import version

import uvicorn
import uvloop
from fastapi import FastAPI

from shared import logs, tracing
from shared.asyncapi_page import asyncapi_router
from shared.auth import Authenticator
from shared.health import Component, Report, Watched, health_router
from shared.http import create_api
from shared.metrics import BUILD_INFO, COMPONENT_READY, EVENT_LOOP_LAG
from shared.settings import ServiceSettings, SettingsError

__all__ = ["Component", "ComponentEnded", "Service", "run_service"]

HTTP_STOP_SECONDS = 5
LAG_PROBE_SECONDS = 0.5
GARBAGE_THRESHOLD = 10_000
"""Objects that are made before the collector looks at them: a batch makes tens of thousands."""
EXIT_ABANDONED = 70  # EX_SOFTWARE of sysexits.h: a component did not stop in time

_log = logs.get_logger(__name__)


class ComponentEnded(Exception):
    """A component raised, or returned before it was cancelled; the cause is chained."""


class Service:
    """One process of one service. Built by `services/<name>/app.py: build(settings)`.

    `resources` are opened before the components run and closed after them: connection pools, clients. They
    must not need anything that may be away for an hour; waiting for dependencies is the components' work.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        components: Sequence[Component],
        api: FastAPI | None = None,
        resources: Sequence[AbstractAsyncContextManager[object]] = (),
    ) -> None:
        authenticator = Authenticator(settings)
        self.name = name
        self.settings = settings
        self.components: Sequence[Component] = (*components, authenticator)
        self.api = api or create_api(name)
        self.api.state.authenticator = authenticator
        self.api.include_router(health_router(self))
        self.api.include_router(asyncapi_router(name, settings.topic_prefix))
        self.port: int | None = None
        self._resources = resources
        self._state = "starting"
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()

    async def run(self, stopping: Callable[[], None] = lambda: None) -> None:
        """Run until told to stop. `stopping` is called once, when the stop begins.

        Raises `ComponentEnded`, or what a resource or the HTTP port raised at start.
        """
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread, as in tests
                loop.add_signal_handler(signum, self.stop, signum.name)
        BUILD_INFO.labels(self.name, version("mailroom")).set(1)
        work = asyncio.create_task(self._work(), name=self.name)
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._state = "stopping"
            stopping()
            stop.cancel()
            work.cancel()
            try:
                await work
            except asyncio.CancelledError:
                _log.info("stopped")
            except ExceptionGroup as failed:
                raise failed.exceptions[0] from failed.exceptions[0].__cause__

    def stop(self, reason: str) -> None:
        """Begin to stop; `run` returns when all has ended."""
        if not self._stop.is_set():
            _log.info("stopping", reason=reason)
            self._stop.set()

    def running(self) -> list[str]:
        """The names of the components that have not ended."""
        return [name for name, task in self._tasks.items() if not task.done()]

    def alive(self) -> Report:
        """Wrong is a component that has ended, or that says itself that it works no longer."""
        wrong = {
            component.name: sentence
            for component in self.components
            if isinstance(component, Watched) and (sentence := component.not_alive())
        }
        wrong |= {name: "It has ended." for name, task in self._tasks.items() if task.done()}
        return Report(wrong)

    def ready(self) -> Report:
        """Wrong is what components cannot do at the moment, and that the process starts or stops."""
        wrong = {} if self._state == "running" else {self.name: f"The service is {self._state}."}
        for component in self.components:
            sentence = component.not_ready()
            COMPONENT_READY.labels(component.name).set(0 if sentence else 1)
            if sentence:
                wrong[component.name] = sentence
        return Report(wrong)

    async def _work(self) -> None:
        server, serving = self._serve()

        async def stop_serving() -> None:
            server.should_exit = True
            await serving

        async with AsyncExitStack() as stack:
            stack.push_async_callback(stop_serving)
            for resource in self._resources:
                await stack.enter_async_context(resource)
            # Once more, to run before the resources close: requests under way still use them.
            stack.push_async_callback(stop_serving)
            async with asyncio.TaskGroup() as group:
                for component in self.components:
                    self._tasks[component.name] = group.create_task(
                        _until_cancelled(component.name, component.run()), name=component.name
                    )
                group.create_task(_until_cancelled("http", asyncio.shield(serving)))
                group.create_task(_measure_lag())
                self._state = "running"
                _log.info(
                    "started", components=list(self._tasks), host=self.settings.http_host, port=self.port
                )

    def _serve(self) -> tuple[uvicorn.Server, asyncio.Task[None]]:
        # Bound here, because uvicorn ends the process when the port is taken.
        try:
            bound = socket.create_server((self.settings.http_host, self.settings.http_port))
        except OSError as error:
            raise SettingsError(
                f"MAILROOM_HTTP_HOST and MAILROOM_HTTP_PORT: cannot listen on "
                f"{self.settings.http_host}:{self.settings.http_port} ({error.strerror})."
            ) from error
        self.port = bound.getsockname()[1]
        config = uvicorn.Config(
            self.api,
            http="h11",  # httptools, which is faster, gathers headers of any length from anybody
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=HTTP_STOP_SECONDS,
        )
        server = _Server(config)
        return server, asyncio.create_task(server.serve([bound]), name="http")


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the service decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def run_service(build: Callable[[], Service]) -> int:
    """Build a service and run it as this process's main work; the exit code. Logs must be configured.

    It is built inside the event loop, which pools belong to from their making. Raises what `build` raises.
    """

    async def built() -> Service:
        return build()

    def abandon() -> None:
        _log.error("did not stop in time", deadline_seconds=deadline, running=service.running())
        sys.stdout.flush()
        os._exit(EXIT_ABANDONED)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        service = runner.run(built())
        spare_collector()
        # A thread, so that it also ends a process whose event loop hangs.
        deadline = service.settings.stop_seconds
        watchdog = threading.Timer(deadline, abandon)
        watchdog.daemon = True
        try:
            runner.run(service.run(stopping=watchdog.start))
        except Exception as error:
            _log.exception("the service ended", reason=str(error))
            return 1
        finally:
            tracing.stop()
    return 0


def spare_collector() -> None:
    """Let the garbage collector pass over all that is there now: a process at the end of its start.

    What modules and libraries consist of lives as long as the process; without this it is looked through
    again and again under load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


async def _until_cancelled(name: str, work: Awaitable[None]) -> None:
    try:
        await work
    except Exception as error:
        raise ComponentEnded(f"{name} died: {type(error).__name__}: {error}") from error
    raise ComponentEnded(f"{name} ended by itself")


async def _measure_lag() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_PROBE_SECONDS
        await asyncio.sleep(LAG_PROBE_SECONDS)
        EVENT_LOOP_LAG.observe(max(0.0, loop.time() - due))
