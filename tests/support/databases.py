"""A database for each test, copied from a template that is migrated once per run.

What a test leaves is emptied for the next one, if it is else as it was made; if not, it is dropped. A copy
costs more than most tests.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import pytest

from deploy.instance import SERVICES
from deploy.local.endpoints import Endpoints
from shared.migrations import migrate, migrations_of, role_of
from shared.postgres import Connection, Pool

T = TypeVar("T")

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


@asynccontextmanager
async def fresh_database(stack: Endpoints, template: str) -> AsyncIterator[Database]:
    """A copy of the template for as long as this lasts; the server may be stopped and started meanwhile."""
    fresh = await _copy(stack, template)
    yield fresh
    await _drop(stack, fresh)


async def _copy(stack: Endpoints, template: str) -> Database:
    name = f"t{uuid4().hex[:10]}"
    await _execute(stack.postgres_dsn, f"CREATE DATABASE {name} TEMPLATE {template}")
    fresh = Database(_dsn(stack, name))
    await build_template(fresh.dsn)
    return fresh


async def _drop(stack: Endpoints, database: Database) -> None:
    name = database.dsn.rpartition("/")[2]
    await _execute(stack.postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)")


# What there is, of what form, whose, and what was said about it. A copy has the ids of its template, and
# whatever changes a column, a default or a constraint makes its row anew.
_SHAPE = """
SELECT md5(string_agg(said, ',' ORDER BY said)) FROM (
    SELECT concat_ws(' ', 's', nspname, nspowner, nspacl, obj_description(oid, 'pg_namespace'))
    FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
    UNION ALL
    SELECT concat_ws(' ', 'r', oid, relname, relpersistence, relowner, relacl, reloptions, relhastriggers)
    FROM pg_class WHERE relnamespace = ANY ($1::regnamespace[])
    UNION ALL
    SELECT concat_ws(' ', 'a', attrelid, attnum, pg_attribute.xmin)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = ANY ($1::regnamespace[])
    UNION ALL
    SELECT concat_ws(' ', 'd', oid, xmin) FROM pg_attrdef
    UNION ALL
    SELECT concat_ws(' ', 'c', oid, xmin) FROM pg_constraint WHERE connamespace = ANY ($1::regnamespace[])
    UNION ALL
    SELECT concat_ws(' ', 'i', indexrelid, indisvalid, indisready) FROM pg_index
    UNION ALL
    SELECT concat_ws(' ', 't', oid, xmin) FROM pg_trigger
    UNION ALL
    SELECT concat_ws(' ', 'f', oid, xmin) FROM pg_proc WHERE pronamespace = ANY ($1::regnamespace[])
    UNION ALL
    SELECT concat_ws(' ', 'o', setrole, setconfig) FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS shape (said)
"""
_MIGRATIONS = "SELECT string_agg(m::text, ' ' ORDER BY m::text) FROM {}.schema_migrations AS m"
_CUT = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_TABLES = """
SELECT oid::regclass::text FROM pg_class
WHERE relnamespace = ANY ($1::regnamespace[]) AND relkind IN ('r', 'p') AND NOT relispartition
    AND relname <> 'schema_migrations'
"""
_KNOWN_BY_PLANNER = """
SELECT EXISTS (SELECT FROM pg_statistic JOIN pg_class ON pg_class.oid = starelid
        WHERE relnamespace = ANY ($1::regnamespace[]))
    OR EXISTS (SELECT FROM pg_class  -- vacuumed, so that it counts as empty
        WHERE relkind = 'r' AND reltuples >= 0 AND relnamespace = ANY ($1::regnamespace[]))
"""
_RESTART = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""


class Shelf:
    """Databases that a test has left, emptied; who takes one while there is none gets a new copy."""

    def __init__(self, stack: Endpoints, template: str) -> None:
        self._stack = stack
        self._template = template
        self._left: list[Database] = []
        self._shape: list[Any] = []

    async def take(self) -> Database:
        """A database that holds nothing."""
        if self._left:
            return self._left.pop()
        copy = await _copy(self._stack, self._template)
        self._shape = self._shape or await _looked_at(copy, _shape)
        return copy

    async def put_back(self, database: Database) -> None:
        """Keep it for the next one if it can be made what it was, else drop it."""
        if await _looked_at(database, self._emptied):
            self._left.append(database)
        else:
            await _drop(self._stack, database)

    async def clear(self) -> None:
        """Drop what is left."""
        while self._left:
            await _drop(self._stack, self._left.pop())

    async def _emptied(self, connection: Connection) -> bool:
        await connection.execute(_CUT)
        if await connection.fetchval(_KNOWN_BY_PLANNER, SERVICES) or await _shape(connection) != self._shape:
            return False
        await empty(connection, [row[0] for row in await connection.fetch(_TABLES, SERVICES)])
        await connection.execute(_RESTART)
        return True


async def _looked_at(database: Database, look: Callable[[Connection], Awaitable[T]]) -> T:
    connection = await asyncpg.connect(database.dsn)
    try:
        return await look(connection)
    finally:
        await connection.close()


async def _shape(connection: Connection) -> list[Any]:
    """Something that two databases have in common if they differ in nothing but what tables hold."""
    migrations = [await connection.fetchval(_MIGRATIONS.format(service)) for service in SERVICES]
    return [await connection.fetchval(_SHAPE, SERVICES), *migrations]


async def empty(connection: Connection, tables: Collection[str]) -> None:
    """Empty those of the tables that hold something: to ask is quicker than to empty what is empty."""
    asking = " UNION ALL ".join(f"SELECT '{each}' WHERE EXISTS (SELECT FROM {each})" for each in tables)
    if full := [row[0] for row in await connection.fetch(asking)]:
        await connection.execute(f"TRUNCATE {', '.join(full)}")


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _dsn(stack: Endpoints, database: str) -> str:
    return stack.postgres_dsn.rpartition("/")[0] + "/" + database


@pytest.fixture(scope="session")
async def shelf(stack: Endpoints, database_template: str) -> AsyncIterator[Shelf]:
    """The databases of this worker."""
    made = Shelf(stack, database_template)
    yield made
    await made.clear()


@pytest.fixture
async def database(shelf: Shelf) -> AsyncIterator[Database]:
    """A database that holds nothing, for this test alone; connections that it leaves open are cut."""
    taken = await shelf.take()
    yield taken
    await shelf.put_back(taken)


async def waiting_for_locks(pool: Pool) -> int:
    """How many sessions of the pool's database wait for what others hold."""
    waiting = "datname = current_database() AND wait_event_type = 'Lock'"
    found: int = await pool.fetchval(f"SELECT count(*) FROM pg_stat_activity WHERE {waiting}")
    return found
