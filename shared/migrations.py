"""Forward-only migrations: numbered `.sql` files per service, applied by a command, never at start.

A schema has two sequences of them: the frame's (offsets, inbox, outbox) and the service's own. A file is
named `NNNN_what_it_does.sql`, numbers without gaps. Files are never changed once they are applied: a
checksum holds that (design §6).

A migration that older code cannot live with says so in a comment at its head, `-- oldest code: NNNN`: code
whose own newest migration is older than NNNN refuses to start on the migrated schema. Without it, all older
code can: the migration only adds. So rolling upgrades and rollbacks work.

An index on a table that may be large is made by a file of its own that says `-- concurrently` at its head:
nobody waits for it (`concurrent_indexes.py`).
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import asyncpg
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random_exponential

from shared.concurrent_indexes import carry_out, changes_of, is_concurrent
from shared.postgres import ACQUIRE_SECONDS, Connection

LOCK_MILLISECONDS = 3_000
"""A migration that waits for a lock makes all others wait behind it, so it does not wait for long."""
LOCK_PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.1
"""Between two looks whether another run is over."""

FRAME = "frame"
SERVICE = "service"

_FILE = re.compile(r"(?P<number>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
_OLDEST_CODE = re.compile(r"^--\s*oldest code:\s*(\d{4})\s*$", re.MULTILINE)
_SERVICE_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
# One lock for all schemas: roles and the database's own grants are shared. Who waited for it in a statement
# would hold a snapshot, for which an index that is made concurrently waits in turn.
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('mailroom.migrations', 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('mailroom.migrations', 0))"

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    sequence    text NOT NULL,
    number      int  NOT NULL,
    name        text NOT NULL,
    checksum    text NOT NULL,
    oldest_code int  NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sequence, number)
)
"""
_NOTE = """
INSERT INTO schema_migrations (sequence, number, name, checksum, oldest_code) VALUES ($1, $2, $3, $4, $5)
"""
_APPLIED = "SELECT sequence, number, name, checksum, oldest_code FROM schema_migrations ORDER BY number"
# A statement that changes a role takes no parameters, and the server knows best how to quote.
_LET_LOG_IN = "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)"
_TABLE_THERE = "SELECT to_regclass('schema_migrations') IS NOT NULL"

RESTORED = "Restored, not recovered:"
"""How the comment on a schema begins that was put back to a backup and not caught up yet."""
_COMMENT = "SELECT obj_description(to_regnamespace(current_schema()), 'pg_namespace')"


class MigrationError(Exception):
    """A migration's file is wrong, or disagrees with what was applied. The message is a sentence."""


class SchemaMismatch(Exception):
    """This code cannot work on this schema. The message is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `oldest_code` is the number that code must know at least, to live with it."""

    sequence: str
    number: int
    name: str
    sql: str
    oldest_code: int = 0

    @property
    def checksum(self) -> str:
        return sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.sequence} {self.number:04d} {self.name}"


def role_of(service: str) -> str:
    """The database role that a service logs in as."""
    if not _SERVICE_NAME.fullmatch(service):
        raise MigrationError(f"{service!r} cannot be a service's name: lower case letters, digits and '_'.")
    return f"mailroom_{service}"


def migrations_of(service: str) -> tuple[Migration, ...]:
    """The frame's migrations and those in `services/<service>/migrations`, in the order of application."""
    role_of(service)
    own = files("services").joinpath(service, "migrations")
    if not own.is_dir():
        raise MigrationError(f"There is no service {service!r} with migrations.")
    return (
        *read_migrations(FRAME, files("shared").joinpath("frame_migrations")),
        *read_migrations(SERVICE, own),
    )


def read_migrations(sequence: str, folder: Traversable) -> tuple[Migration, ...]:
    """The `.sql` files of a folder. Raises `MigrationError` for a wrong name or a gap in the numbers."""
    found: list[Migration] = []
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if not file.name.endswith(".sql"):
            continue
        match = _FILE.fullmatch(file.name)
        if match is None:
            raise MigrationError(f"{file.name} is not named NNNN_what_it_does.sql.")
        sql = file.read_text(encoding="utf-8")
        head = _OLDEST_CODE.search(sql)
        number = int(match["number"])
        oldest = int(head[1]) if head else 0
        if number != len(found) + 1:
            raise MigrationError(f"{file.name} should have the number {len(found) + 1:04d}.")
        if is_concurrent(sql):
            try:
                list(changes_of(sql))
            except ValueError as error:
                raise MigrationError(f"{file.name}: {error}.") from error
        if oldest > number:
            raise MigrationError(f"{file.name} asks for code newer than itself ({oldest:04d}).")
        found.append(Migration(sequence, number, match["name"], sql, oldest))
    return tuple(found)


async def migrate(admin_dsn: str, service: str, migrations: Sequence[Migration]) -> list[Migration]:
    """Make the service's role and schema if needed and apply what is missing; return that.

    Each migration commits together with its note, but for those that make indexes concurrently. Runs at the
    same time wait for each other. Raises `MigrationError` and what Postgres raises for wrong SQL; what was
    applied before stays.
    """
    role = role_of(service)
    connection = await asyncpg.connect(admin_dsn, timeout=ACQUIRE_SECONDS)
    try:
        while not await connection.fetchval(_LOCK):  # noqa: ASYNC110 — another process
            await asyncio.sleep(LOOK_SECONDS)
        await _make_role_and_schema(connection, role, service)
        # Everything belongs to the service's role: it makes and drops the inbox's partitions itself.
        await connection.execute(f"SET ROLE {role}; SET search_path = {service}")
        await connection.execute(_TABLE)
        applied = await _applied(connection)
        _check_unchanged(service, migrations, applied)
        missing = [each for each in migrations if (each.sequence, each.number) not in applied]
        for migration in missing:
            await _apply(connection, migration)
        await connection.execute("RESET ROLE")
        await connection.execute(_UNLOCK)
        return missing
    finally:
        await connection.close(timeout=ACQUIRE_SECONDS)


@retry(
    retry=retry_if_exception_type((asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)),
    wait=wait_random_exponential(multiplier=0.1, max=5),
    stop=stop_after_delay(LOCK_PATIENCE_SECONDS),
    reraise=True,
)
async def _apply(connection: Connection, migration: Migration) -> None:
    """One migration and its note. Services work on the tables meanwhile: whoever has to wait begins again."""
    if is_concurrent(migration.sql):
        await carry_out(connection, migration.sql)
        await _note(connection, migration)
        return
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
        await connection.execute(migration.sql)
        await _note(connection, migration)


async def _note(connection: Connection, migration: Migration) -> None:
    await connection.execute(
        _NOTE,
        migration.sequence,
        migration.number,
        migration.name,
        migration.checksum,
        migration.oldest_code,
    )


async def set_password(admin_dsn: str, service: str, password: str) -> None:
    """Lets the service's role log in with `password` from now on; its connections stay."""
    connection = await asyncpg.connect(admin_dsn, timeout=ACQUIRE_SECONDS)
    try:
        await connection.execute(await connection.fetchval(_LET_LOG_IN, role_of(service), password))
    finally:
        await connection.close(timeout=ACQUIRE_SECONDS)


async def require_schema(connection: Connection, service: str, migrations: Sequence[Migration]) -> None:
    """Raise `SchemaMismatch` unless this code can live with the schema that `connection` sees.

    It can when all its migrations are applied, unchanged, no newer one excludes it, and it was not restored
    from a backup, so that it knows nothing of what its service has said since.
    """
    if not await connection.fetchval(_TABLE_THERE):
        raise SchemaMismatch(f"The schema {service!r} does not exist yet: run `mailroom migrate`.")
    if str(await connection.fetchval(_COMMENT)).startswith(RESTORED):
        raise SchemaMismatch(
            f"The schema {service!r} was restored from a backup: run `mailroom recover --service {service}`."
        )
    applied = await _applied(connection)
    try:
        _check_unchanged(service, migrations, applied)
    except MigrationError as error:
        raise SchemaMismatch(str(error)) from error
    for migration in migrations:
        if (migration.sequence, migration.number) not in applied:
            raise SchemaMismatch(
                f"The schema {service!r} is older than this code: it lacks {migration}. "
                "Run `mailroom migrate`."
            )
    for sequence in (FRAME, SERVICE):
        known = max((each.number for each in migrations if each.sequence == sequence), default=0)
        for (found, _), newer in applied.items():
            if found == sequence and newer.oldest_code > known:
                raise SchemaMismatch(
                    f"The schema {service!r} is newer than this code can live with: {newer} asks for "
                    f"code that knows {newer.oldest_code:04d}, this one "
                    f"knows {known:04d}. Run a newer version."
                )


@dataclass(frozen=True, slots=True)
class _Applied:
    sequence: str
    number: int
    name: str
    checksum: str
    oldest_code: int

    def __str__(self) -> str:
        return f"{self.sequence} {self.number:04d} {self.name}"


async def _applied(connection: Connection) -> dict[tuple[str, int], _Applied]:
    rows = await connection.fetch(_APPLIED)
    return {(row["sequence"], row["number"]): _Applied(*row) for row in rows}


def _check_unchanged(
    service: str, migrations: Sequence[Migration], applied: dict[tuple[str, int], _Applied]
) -> None:
    for migration in migrations:
        found = applied.get((migration.sequence, migration.number))
        if found is not None and found.checksum != migration.checksum:
            raise MigrationError(
                f"{migration} was changed after it was applied to the schema {service!r}: "
                "write a new migration instead."
            )


async def _make_role_and_schema(connection: Connection, role: str, schema: str) -> None:
    """Names are checked by `role_of`, so they need no quotes."""
    if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role):
        await connection.execute(f"CREATE ROLE {role} LOGIN")
    if not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        await connection.execute(f"GRANT {role} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE")
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role}")
    database = await connection.fetchval("SELECT quote_ident(current_database())")
    await connection.execute(f"ALTER ROLE {role} IN DATABASE {database} SET search_path = {schema}")
    # One role sees one schema: nothing is left that everybody may use.
    await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
