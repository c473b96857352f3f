"""A PostgreSQL whose clock can be set."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
    environment = {**clean_environment(os.environ), **clocks.environment(SERVER)}
    numbers = ports.choose(Postgres.PORTS, {}, {})
    server = Postgres(Place(folder / SERVER, folder / "postgres.log", numbers, environment), durable=False)
    server.place.folder.mkdir()
    server.configure()
    making = await Tethered.start(server.maker())
    assert await making.process.wait() == 0, server.place.log.read_text()[-2000:]
    running = await Tethered.start(server.program())
    try:
        await eventually(server.is_ready, deadline=PATIENCE, every=0.1)
        yield server.dsn(), clocks
    finally:
        await running.stop()
