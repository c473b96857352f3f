"""A database for each test, copied from a template that is migrated once per run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import pytest

from deploy.instance import SERVICES
from deploy.local.endpoints import Endpoints
from shared.migrations import migrate, migrations_of, role_of

_TEMPLATE = "mailroom_template"
_UNFINISHED = "mailroom_template_unfinished"


@dataclass(frozen=True)
class Database:
    """A database that has every service's schema and nothing in it.

    `dsn` is the superuser's.
    """

    dsn: str

    def dsn_of(self, service: str) -> str:
        """The DSN of a service's own role, whose search path is its schema."""
        return self.dsn.replace("//postgres@", f"//{role_of(service)}@", 1)


async def build_template(dsn: str) -> None:
    """Migrates every service's schema.

    Roles keep their search path per database, and a copy of a database does not inherit it; on a copy this
    sets it, and has nothing else to do.
    """
    for service in SERVICES:
        await migrate(dsn, service, migrations_of(service))


@pytest.fixture(scope="session")
async def database_template(stack: Endpoints) -> str:
    """The name of the database that the others are copied from."""
    connection = await asyncpg.connect(stack.postgres_dsn)
    try:
        # Workers of one run take turns; the lock goes with the connection.
        await connection.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", _TEMPLATE)
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", _TEMPLATE):
            await connection.execute(f"DROP DATABASE IF EXISTS {_UNFINISHED} WITH (FORCE)")
            await connection.execute(f"CREATE DATABASE {_UNFINISHED}")
            await build_template(_dsn(stack, _UNFINISHED))
            await connection.execute(f"ALTER DATABASE {_UNFINISHED} RENAME TO {_TEMPLATE}")
    finally:
        await connection.close()
    return _TEMPLATE


@pytest.fixture
async def database(stack: Endpoints, database_template: str) -> AsyncIterator[Database]:
    """A fresh database for this test; connections that it leaves open are cut."""
    async with fresh_database(stack, database_template) as fresh:
        yield fresh


@asynccontextmanager
async def fresh_database(stack: Endpoints, template: str) -> AsyncIterator[Database]:
    """A copy of the template for as long as this lasts; the server may be stopped and started meanwhile."""
    name = f"t{uuid4().hex[:10]}"
    await _execute(stack.postgres_dsn, f"CREATE DATABASE {name} TEMPLATE {template}")
    fresh = Database(_dsn(stack, name))
    await build_template(fresh.dsn)
    yield fresh
    await _execute(stack.postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _dsn(stack: Endpoints, database: str) -> str:
    return stack.postgres_dsn.rpartition("/")[0] + "/" + database
