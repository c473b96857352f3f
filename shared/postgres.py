"""Postgres through asyncpg: pools that cannot hang, and which errors pass by themselves.

Every wait has an end (asyncpg #431, #1211): a dead server must show up as an exception, because an
exception is retried and a hanging await is not.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Any, Self, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from pydantic_core import from_json, to_json

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

COMMAND_SECONDS = 30.0
ACQUIRE_SECONDS = 15.0
RELEASE_SECONDS = 10.0
CLOSE_SECONDS = 10.0

# Rollback (40), lack of resources and full disk (53), operator intervention (57), system error (58),
# connection (08), and a lock or statement that took too long.
_TRANSIENT_CLASSES = frozenset({"40", "53", "57", "58", "08"})
_TRANSIENT_STATES = frozenset({"55P03", "25P03", "25006"})

_KEEPALIVE = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


class PoolBusy(Exception):
    """No connection became free in time. Transient: load, or a server that does not answer."""


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later, so that no record is to blame (design §3).

    True for SQLSTATE classes 40, 53, 57, 58 and 08, a lock timeout, a server that has become read-only (a
    failover), a migration meanwhile, lost connections and timeouts. A cause or group is not looked into.
    """
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        return True  # a migration has added a column; asyncpg has forgotten the plan by now
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES
    if isinstance(error, asyncpg.InterfaceError):
        if isinstance(error, ValueError):  # a value of ours that no column takes, and that the text quotes
            return False
        # asyncpg tells a closed connection and a misused one apart by text only.
        text = str(error)
        return "closed" in text or "closing" in text or "released" in text or "terminated" in text
    return isinstance(error, PoolBusy | asyncpg.InternalClientError | OSError | TimeoutError)


def make_pool(
    dsn: str,
    *,
    schema: str,
    application: str,
    password: str | None = None,
    max_size: int = 8,
    statement_cache_size: int = 256,
    command_seconds: float = COMMAND_SECONDS,
    more_settings: Mapping[str, str] = MappingProxyType({}),
) -> Pool:
    """A pool, still to be opened, whose connections see `schema`, speak JSON and cannot hang.

    It connects when it is first needed, so that a process starts while the server is away.
    `statement_cache_size=0` is for PgBouncer in transaction mode; `more_settings` are the server's.
    """
    return asyncpg.create_pool(
        dsn,
        password=password,
        min_size=0,
        max_size=max_size,
        command_timeout=command_seconds,
        timeout=ACQUIRE_SECONDS,
        statement_cache_size=statement_cache_size,
        max_inactive_connection_lifetime=300.0,
        init=prepare_connection,
        server_settings={**_server_settings(schema, application), **more_settings},
    )


@asynccontextmanager
async def opened(pool: Pool) -> AsyncIterator[Pool]:
    """Open a pool that was made, and close it at the end: politely, or by force if that takes too long."""
    await pool
    try:
        yield pool
    finally:
        await close_pool(pool)


async def open_connection(
    dsn: str,
    *,
    schema: str,
    application: str,
    password: str | None = None,
    idle_session_seconds: float | None = None,
) -> "asyncpg.Connection[asyncpg.Record]":
    """One connection of its own, for LISTEN and session locks; these need a direct one, no PgBouncer.

    With `idle_session_seconds` the server ends the session of a holder that went silent for so long.
    """
    settings = _server_settings(schema, application)
    if idle_session_seconds is not None:
        settings["idle_session_timeout"] = str(int(idle_session_seconds * 1000))
    async with asyncio.timeout(ACQUIRE_SECONDS):
        connection = await asyncpg.connect(
            dsn,
            password=password,
            timeout=ACQUIRE_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings=settings,
        )
        await prepare_connection(connection)
        return connection


class Json(bytes):
    """What is JSON already, for a `jsonb` column: it is written as it is, and not as a text in quotes."""

    @classmethod
    def of(cls, value: Any) -> Self:
        """Anything that pydantic can write: models, dataclasses, and what they hold."""
        return cls(to_json(value))


async def prepare_connection(connection: Connection) -> None:
    """Let `jsonb` be Python values, or `Json`. In binary, because COPY takes nothing else."""
    await connection.set_type_codec(
        "jsonb", encoder=_to_jsonb, decoder=_from_jsonb, schema="pg_catalog", format="binary"
    )


@asynccontextmanager
async def acquired(pool: Pool) -> AsyncIterator[Connection]:
    """A connection from the pool; neither getting it nor giving it back can hang."""
    try:
        async with asyncio.timeout(ACQUIRE_SECONDS):
            connection = await pool.acquire()
    except TimeoutError as error:
        raise PoolBusy(f"no database connection within {ACQUIRE_SECONDS:.0f} s") from error
    try:
        yield connection
    finally:
        await _release(pool, connection)


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """A connection in a READ COMMITTED transaction: committed at the end, rolled back by an exception."""
    async with acquired(pool) as connection, connection.transaction(isolation="read_committed"):
        yield connection


async def close_pool(pool: Pool) -> None:
    """Close politely, and by force if that takes too long."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def close_connection(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Close politely, and by force if that takes too long or the connection is broken."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.close()
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


def columns(rows: Collection[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows of `width` values turned into the arrays that `unnest` takes, any number in one statement."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


async def copy_in(
    connection: Connection, table: str, names: Sequence[str], rows: Collection[tuple[Any, ...]]
) -> None:
    """Add rows to a table of the connection's schema: half of what INSERT costs, here and at the server.

    Knows no ON CONFLICT: a row that is there already raises.
    """
    if rows:
        await connection.copy_records_to_table(table, records=rows, columns=names)


async def _release(pool: Pool, connection: "PoolConnectionProxy[asyncpg.Record]") -> None:
    try:
        async with asyncio.timeout(RELEASE_SECONDS):
            await pool.release(connection, timeout=RELEASE_SECONDS)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        # The connection is broken and goes back to nobody. That is no error of the work done with it: what
        # failed was raised before, and what is committed must not look as if it had failed.
        with suppress(asyncpg.InterfaceError):  # the pool has ended it itself
            connection.terminate()


def _server_settings(schema: str, application: str) -> dict[str, str]:
    return {
        "search_path": schema,
        "application_name": application,
        "timezone": "UTC",
        "idle_in_transaction_session_timeout": "60000",
        **_KEEPALIVE,
    }


_JSONB_VERSION = b"\x01"


def _to_jsonb(value: Any) -> bytes:
    return _JSONB_VERSION + (value if isinstance(value, Json) else to_json(value))


def _from_jsonb(value: bytes) -> Any:
    return from_json(value[len(_JSONB_VERSION) :])
