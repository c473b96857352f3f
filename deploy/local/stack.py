"""The stack of one instance: servers, preparation, services.

    async with Stack(StackOptions(home=folder, services=())) as endpoints:
        ...

An instance lives in a folder of its own, so several run side by side. Kafka and PostgreSQL keep their data
there from one start to the next, and all keep their ports where these are still free; GreenMail's mailboxes
are in memory and begin empty.
"""

import asyncio
import contextlib
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from pydantic import BaseModel, Field

from deploy.instance import SERVICES
from deploy.local import jars, ports, services
from deploy.local.endpoints import FILE, Endpoints, ServiceEndpoint
from deploy.local.greenmail import GreenMail
from deploy.local.home import Home
from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from deploy.local.processes import ProcessRecord
from deploy.local.progress import Phase, Progress, Report, silence
from deploy.local.server import Place, Server, clean_environment
from deploy.local.services import CONFIGURE, PREPARE, Preparation
from deploy.local.units import Unit, Units, together
from shared.migrations import role_of

_MADE = "made"  # marks data that was made to the end


class StackOptions(BaseModel, frozen=True):
    """What is wanted of an instance.

    home: its folder, absolute. ports: by name, where a free one will not do. fresh: begin without the data
    of earlier starts. durable: False gives up PostgreSQL's safety for speed. temporary: the home is deleted
    at the end, unless it did not come up. services: which of ours to start; without any, the preparation is
    left out, too.
    """

    home: Path
    ports: Mapping[str, int] = Field(default_factory=dict)
    fresh: bool = False
    durable: bool = True
    temporary: bool = False
    services: tuple[str, ...] = SERVICES


class Stack:
    """One instance. All methods belong to the main thread's event loop."""

    def __init__(
        self,
        options: StackOptions,
        report: Report = silence,
        preparations: tuple[Preparation, ...] = PREPARE,
    ) -> None:
        self._options = options
        self._report = report
        self._preparations = preparations
        self._home = Home(options.home)
        self._units = Units(self._home, report, self._save)
        self._environment = clean_environment(os.environ)
        self._held = contextlib.ExitStack()
        self._endpoints: Endpoints | None = None
        self._is_up = False

    @property
    def endpoints(self) -> Endpoints:
        """Where everything answers; only after the start."""
        if self._endpoints is None:
            raise RuntimeError("the stack has not been started")
        return self._endpoints.model_copy(update={"processes": self._units.records()})

    async def __aenter__(self) -> Endpoints:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> Endpoints:
        """Starts everything and returns when all of it is ready.

        Raises StackFailure, with nothing left running, if that cannot be.
        """
        try:
            self._held.enter_context(self._home.held(self._options.fresh))
            await self._start()
        except BaseException as failure:
            await self.stop()
            if isinstance(failure, OSError):
                raise self._home.in_words(failure) from failure
            raise
        return self.endpoints

    async def stop(self) -> None:
        """Ends everything, services first; may be called again."""
        was_up, self._is_up = self._is_up, False
        if was_up:  # otherwise the file is of another process, which holds the home
            (self._home.path / FILE).unlink(missing_ok=True)
        await self._units.halt_all(first=self._options.services)
        self._held.close()
        if self._options.temporary and was_up:
            shutil.rmtree(self._home.path, ignore_errors=True)

    async def watch(self) -> None:
        """Starts again whatever ends unasked; runs until cancelled."""
        await self._units.watch()

    async def halt(self, name: str) -> None:
        """Ends one server or service, so that a test can see what the others do without it."""
        await self._units.halt(name)

    async def resume(self, name: str) -> None:
        """Starts what was halted, on the same ports and data; returns when it is ready."""
        await self._units.resume(name)

    async def _start(self) -> None:
        self._home.require_space()
        class_paths = await self._class_paths()
        names = (*Postgres.PORTS, *Kafka.PORTS, *GreenMail.PORTS, *SERVICES)
        chosen = ports.choose(names, self._options.ports, self._home.ports())
        self._home.remember_ports(chosen)
        postgres = Postgres(self._place("postgres", chosen), self._options.durable)
        kafka = Kafka(self._place("kafka", chosen), class_paths["kafka"])
        greenmail = GreenMail(self._place("greenmail", chosen), class_paths["greenmail"])
        servers: dict[str, Server] = {"postgres": postgres, "kafka": kafka, "greenmail": greenmail}
        await together(self._start_server(name, server) for name, server in servers.items())
        self._endpoints = Endpoints(
            home=self._home.path,
            kafka_bootstrap=kafka.bootstrap,
            postgres_dsn=postgres.dsn(),
            imap=greenmail.imap,
            smtp=greenmail.smtp,
            greenmail_api=greenmail.api,
            services={
                name: ServiceEndpoint(
                    http=f"http://{ports.HOST}:{chosen[name]}", postgres_dsn=postgres.dsn(role_of(name))
                )
                for name in SERVICES
            },
            supervisor=ProcessRecord.of(os.getpid()),
            processes={},
        )
        if self._options.services:
            await self._prepare(self._preparations)
            await together(self._start_service(name, chosen[name]) for name in self._options.services)
        if set(self._options.services) == set(SERVICES):
            await self._prepare(CONFIGURE)
        self._is_up = True
        self._save()

    def _save(self) -> None:
        if self._is_up:
            self.endpoints.save()

    async def _class_paths(self) -> dict[str, str]:
        given_up = threading.Event()
        try:
            return await asyncio.to_thread(jars.class_paths, jars.cache_folder(), self._report, given_up)
        finally:
            given_up.set()

    async def _start_server(self, name: str, server: Server) -> None:
        folder = server.place.folder
        if not (folder / _MADE).exists():
            self._report(Progress(step=name, phase=Phase.WORKING, detail="making its data"))
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            server.configure()
            if maker := server.maker():
                await self._units.make(name, maker)
            (folder / _MADE).touch()
        server.configure()
        own_ports = tuple(server.place.ports[port] for port in server.PORTS)
        await self._units.start(Unit(name, server.program(), server.is_ready, own_ports))

    async def _prepare(self, preparations: tuple[Preparation, ...]) -> None:
        for preparation in preparations:
            self._report(Progress(step=preparation.name, phase=Phase.WORKING))
            await preparation.run(self.endpoints)
            self._report(Progress(step=preparation.name, phase=Phase.READY))

    async def _start_service(self, name: str, port: int) -> None:
        program = services.program(name, self.endpoints, self._home.log(name), self._environment)
        await self._units.start(Unit(name, program, lambda: services.is_ready(name, self.endpoints), (port,)))

    def _place(self, name: str, chosen: Mapping[str, int]) -> Place:
        return Place(self._home.path / name, self._home.log(name), chosen, self._environment)
