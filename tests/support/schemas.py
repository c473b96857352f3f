"""A service's schema in a database of its own, for one test."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from shared.migrations import FRAME, migrate, migrations_of, role_of
from shared.postgres import Pool, close_pool, open_pool
from tests.support.notes import TABLE


def dsn_as(dsn: str, *, user: str | None = None, database: str | None = None) -> str:
    """The DSN of another role or database on the same server."""
    parts = urlsplit(dsn)
    netloc = parts.netloc if user is None else f"{user}@{parts.hostname}:{parts.port}"
    path = parts.path if database is None else f"/{database}"
    return urlunsplit(parts._replace(netloc=netloc, path=path))


@asynccontextmanager
async def empty_database(admin_dsn: str) -> AsyncIterator[str]:
    """The administrator's DSN of a new database, dropped afterwards whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(admin_dsn)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        try:
            yield dsn_as(admin_dsn, database=name)
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@asynccontextmanager
async def service_pool(admin_dsn: str, service: str) -> AsyncIterator[Pool]:
    """A pool on a new database with the frame's tables of one service and a table for notes."""
    async with empty_database(admin_dsn) as dsn:
        frame = [migration for migration in migrations_of(service) if migration.sequence == FRAME]
        await migrate(dsn, service, frame)
        pool = await open_pool(dsn_as(dsn, user=role_of(service)), schema=service, application="tests")
        try:
            await pool.execute(TABLE)
            yield pool
        finally:
            await close_pool(pool)
