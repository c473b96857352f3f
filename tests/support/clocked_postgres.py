"""A PostgreSQL whose clock can be set."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from deploy.local import ports
from deploy.local.postgres import Postgres
from deploy.local.processes import Tethered
from deploy.local.server import Place, clean_environment
from tests.faults.chaos.clocks import Clocks
from tests.support.waiting import eventually

PATIENCE = 120.0
SERVER = "postgres"
"""The name of its clock."""


@asynccontextmanager
async def clocked_postgres(folder: Path) -> AsyncIterator[tuple[str, Clocks]]:
    """The superuser's DSN, and the clocks; it ends with this."""
    clocks = Clocks(folder / "clocks")
    clocks.folder.mkdir()
    clocks.require_that_they_can_be_set()
    numbers = ports.choose(Postgres.PORTS, {}, {})
    place = Place(folder / SERVER, folder / "postgres.log", numbers, clean_environment(os.environ))
    server = Postgres(place, durable=False)
    server.place.folder.mkdir()
    server.configure()
    making = await Tethered.start(server.maker())
    assert await making.process.wait() == 0, server.place.log.read_text()[-2000:]
    # It becomes another user first, who may not share what the library made for root.
    own = (f"{name}={value}" for name, value in clocks.environment(SERVER).items())
    program = server.program()
    running = await Tethered.start(replace(program, arguments=("env", *own, *program.arguments)))
    try:
        await eventually(server.is_ready, deadline=PATIENCE, every=0.1)
        yield server.dsn(), clocks
    finally:
        await running.stop()
