"""Services' schemas: dumped from one snapshot each, and put back whole or not at all."""

from collections.abc import Sequence
from pathlib import Path

import asyncpg

from deploy.backup.failure import BackupFailure
from deploy.backup.manifest import AppliedMigration, KeptFile, SchemaBackup
from deploy.backup.tools import Tools
from shared.migrations import RESTORED, migrate, migrations_of, role_of
from shared.postgres import ACQUIRE_SECONDS, Connection

_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
"""
_MIGRATIONS = "SELECT sequence, number, name, checksum FROM {}.schema_migrations ORDER BY sequence, number"
_SESSIONS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = '{role}'
"""
# Asked once more when all is locked: who has come meanwhile has written nothing and would work on a schema
# that is gone.
_NOBODY_CAME = """
DO $$ BEGIN
    IF ({sessions}) > 0 THEN RAISE EXCEPTION 'a process of the service has started meanwhile'; END IF;
END $$
"""
_COUNT = "SELECT format('SELECT count(*) FROM %I.%I', $1::text, $2::text)"
_PREPARED = ("schema_migrations", "offsets")
"""What `migrate` and `topics apply` fill: a schema with nothing else in it is empty."""


async def connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Raises `BackupFailure`."""
    try:
        return await asyncpg.connect(dsn, timeout=ACQUIRE_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise BackupFailure(f"The database cannot be reached: {error}.") from error


async def tools(connection: Connection, dsn: str) -> Tools:
    """The programs for this server. Raises `BackupFailure`."""
    return Tools(dsn, int(await connection.fetchval("SHOW server_version_num")))


async def dump(connection: Connection, with_tools: Tools, service: str, folder: Path) -> SchemaBackup:
    """Dump one schema into `folder`; what is counted is what is dumped. Raises `BackupFailure`."""
    file = folder / f"{service}.dump"
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        tables = [row["relname"] for row in await connection.fetch(_TABLES, service)]
        if "schema_migrations" not in tables:
            raise BackupFailure(f"There is no schema {service!r} in this database.")
        snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
        await with_tools.run(
            "pg_dump", f"--schema={service}", "--format=custom", f"--snapshot={snapshot}", f"--file={file}"
        )
        return SchemaBackup(
            dump=KeptFile.of(file),
            migrations=tuple(
                AppliedMigration(**row) for row in await connection.fetch(_MIGRATIONS.format(service))
            ),
            tables={name: await _rows(connection, service, name) for name in tables},
        )


async def require_restorable(
    connection: Connection, service: str, kept: SchemaBackup, *, replace: bool
) -> None:
    """Raises `BackupFailure` unless the schema can be put back here, and by this code."""
    known = {(each.sequence, each.number): each.checksum for each in migrations_of(service)}
    for each in kept.migrations:
        if known.get((each.sequence, each.number)) != each.checksum:
            raise BackupFailure(
                f"The backup of {service} is newer than this code, which does not know {each}: "
                "restore it with the version that made it, or a newer one."
            )
    sessions = await connection.fetchval(_SESSIONS.format(role=role_of(service)))
    if sessions:
        raise BackupFailure(f"{service} is running ({sessions} sessions): stop all its processes first.")
    if not replace:
        for row in await connection.fetch(_TABLES, service):
            if row["relname"] not in _PREPARED and await _rows(connection, service, row["relname"]):
                raise BackupFailure(
                    f"The schema {service!r} is not empty ({row['relname']}): "
                    "--replace puts the backup in its place."
                )


async def restore(with_tools: Tools, dsn: str, service: str, dump: Path, made_at: str) -> Sequence[str]:
    """Put one schema back in one transaction, then apply what is newer; the names of what was applied.

    The schema is marked: services refuse it until `mailroom recover` has caught it up.
    """
    await migrate(dsn, service, ())  # the role, which a schema's dump does not hold
    sessions = _SESSIONS.format(role=role_of(service))
    await with_tools.restore(
        dump,
        before=("SET lock_timeout = '10s'", f"DROP SCHEMA {service} CASCADE"),
        after=(
            f"COMMENT ON SCHEMA {service} IS '{RESTORED} {made_at}'",
            _NOBODY_CAME.format(sessions=sessions),
        ),
    )
    return [str(each) for each in await migrate(dsn, service, migrations_of(service))]


async def _rows(connection: Connection, schema: str, table: str) -> int:
    statement = await connection.fetchval(_COUNT, schema, table)
    rows: int = await connection.fetchval(statement)
    return rows
