"""Migrations: once, in order, one at a time; what a service refuses to start on (design §6)."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.endpoints import Endpoints
from shared import migrations
from shared.migrations import (
    SERVICE,
    Migration,
    MigrationError,
    SchemaMismatch,
    migrate,
    migrations_of,
    read_migrations,
    require_schema,
    set_password,
)
from shared.postgres import make_pool, opened
from shared.unit_of_work import UnitOfWork
from tests.support.databases import Database
from tests.support.waiting import eventually

ONE = Migration(SERVICE, 1, "one", "CREATE TABLE one (x int)")
TWO = Migration(SERVICE, 2, "two", "ALTER TABLE one ADD y int")
# Old code would not fill the new column, so it is excluded.
THREE = Migration(SERVICE, 3, "three", "ALTER TABLE one ALTER y SET NOT NULL", oldest_code=2)


@pytest.fixture
async def dsn(stack: Endpoints) -> AsyncIterator[str]:
    """A database with nothing in it."""
    name = f"t{uuid4().hex[:10]}"
    admin = await asyncpg.connect(stack.postgres_dsn)
    await admin.execute(f"CREATE DATABASE {name}")
    yield stack.postgres_dsn.rpartition("/")[0] + "/" + name
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def require(dsn: str, *migrations: Migration, service: str = "notify") -> None:
    connection = await asyncpg.connect(dsn, server_settings={"search_path": service})
    try:
        await require_schema(connection, service, migrations)
    finally:
        await connection.close()


async def test_migrations_are_applied_once_and_in_order(dsn: str) -> None:
    assert await migrate(dsn, "notify", [ONE]) == [ONE]
    assert await migrate(dsn, "notify", [ONE, TWO, THREE]) == [TWO, THREE]
    assert await migrate(dsn, "notify", [ONE, TWO, THREE]) == []
    await require(dsn, ONE, TWO, THREE)


async def test_runs_at_the_same_time_wait_for_each_other(dsn: str) -> None:
    applied = await asyncio.gather(*(migrate(dsn, "notify", [ONE, TWO, THREE]) for _ in range(5)))
    assert sorted(map(len, applied)) == [0, 0, 0, 0, 3]


async def test_a_migration_steps_back_from_tables_that_are_in_use_and_comes_again(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services go on working meanwhile: nobody waits behind a migration that waits."""
    monkeypatch.setattr(migrations, "LOCK_MILLISECONDS", 20)
    await migrate(dsn, "notify", [ONE])
    reader = await asyncpg.connect(dsn)
    reading = reader.transaction()
    await reading.start()
    await reader.execute("SELECT * FROM notify.one")
    migrating = asyncio.create_task(migrate(dsn, "notify", [ONE, TWO]))
    await eventually(lambda: migrations._apply.statistics.get("attempt_number", 0) > 2, deadline=30)
    await reading.rollback()
    assert await migrating == [TWO]
    await reader.close()


INDEXED = Migration(
    SERVICE, 2, "indexed", "-- concurrently\nCREATE UNIQUE INDEX CONCURRENTLY ones ON one (x);"
)
IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'notify.ones'::regclass"
BUILDING = "SELECT pid FROM pg_stat_progress_create_index WHERE datname = current_database()"


async def test_an_index_is_made_while_others_write(dsn: str) -> None:
    """It waits for transactions that began before it; nobody waits for it."""
    await migrate(dsn, "notify", [ONE])
    writer, other = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    writing = writer.transaction()
    await writing.start()
    await writer.execute("INSERT INTO notify.one VALUES (1)")
    migrating = asyncio.create_task(migrate(dsn, "notify", [ONE, INDEXED]))
    await eventually(partial(other.fetchval, BUILDING))
    await other.execute("INSERT INTO notify.one VALUES (2)")
    assert not migrating.done()
    await writing.commit()
    assert await migrating == [INDEXED]
    assert await other.fetchval(IS_VALID) is True
    await writer.close()
    await other.close()


async def test_an_index_whose_making_was_interrupted_is_made_again(dsn: str) -> None:
    """What is left of it is invalid, and in the way."""
    await migrate(dsn, "notify", [ONE])
    writer, other = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    writing = writer.transaction()
    await writing.start()
    await writer.execute("INSERT INTO notify.one VALUES (1)")
    migrating = asyncio.create_task(migrate(dsn, "notify", [ONE, INDEXED]))
    pid = await eventually(partial(other.fetchval, BUILDING))
    await other.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises((asyncpg.AdminShutdownError, asyncpg.ConnectionDoesNotExistError)):
        await migrating
    await writing.commit()
    assert await other.fetchval(IS_VALID) is False
    with pytest.raises(SchemaMismatch, match="lacks service 0002 indexed"):
        await require(dsn, ONE, INDEXED)
    assert await migrate(dsn, "notify", [ONE, INDEXED]) == [INDEXED]
    assert await other.fetchval(IS_VALID) is True
    await writer.close()
    await other.close()


async def test_what_was_done_before_the_interruption_is_passed_over(dsn: str) -> None:
    both = "-- concurrently\nCREATE INDEX CONCURRENTLY ones ON one (x);\nDROP INDEX CONCURRENTLY ones;"
    await migrate(dsn, "notify", [ONE, INDEXED])
    admin = await asyncpg.connect(dsn)
    made = await admin.fetchval("SELECT 'notify.ones'::regclass::oid")
    again = Migration(SERVICE, 3, "again", INDEXED.sql)
    assert await migrate(dsn, "notify", [ONE, INDEXED, again]) == [again]
    assert await admin.fetchval("SELECT 'notify.ones'::regclass::oid") == made
    dropped = Migration(SERVICE, 4, "dropped", both)
    gone = Migration(SERVICE, 5, "gone", "-- concurrently\nDROP INDEX CONCURRENTLY ones;")
    assert await migrate(dsn, "notify", [ONE, INDEXED, again, dropped, gone]) == [dropped, gone]
    assert await admin.fetchval("SELECT to_regclass('notify.ones')") is None
    await admin.close()


async def test_runs_at_the_same_time_make_an_index_once(dsn: str) -> None:
    """Who waits for its turn holds no snapshot that the index would wait for."""
    applied = await asyncio.gather(*(migrate(dsn, "notify", [ONE, INDEXED]) for _ in range(5)))
    assert sorted(map(len, applied)) == [0, 0, 0, 0, 2]


@pytest.mark.parametrize(
    "wrong",
    ["CREATE TABLE two (x int)", "CREATE INDEX ones ON one (x)", "DROP INDEX CONCURRENTLY ones, twos"],
)
def test_a_file_that_is_carried_out_concurrently_holds_indexes_alone(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "0001_one.sql").write_text(f"-- concurrently\n{wrong};\n")
    with pytest.raises(
        MigrationError, match=r"0001_one\.sql: .* neither creates nor drops an index concurrently"
    ):
        read_migrations(SERVICE, tmp_path)


async def test_a_migration_that_fails_leaves_those_before_it(dsn: str) -> None:
    wrong = Migration(SERVICE, 2, "wrong", "CREATE TABLE two (x int); SELECT 1/0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(dsn, "notify", [ONE, wrong])
    assert await migrate(dsn, "notify", [ONE, TWO]) == [TWO]


async def test_a_file_that_was_changed_after_it_was_applied_is_refused(dsn: str) -> None:
    await migrate(dsn, "notify", [ONE])
    changed = Migration(SERVICE, 1, "one", "CREATE TABLE one (x bigint)")
    with pytest.raises(MigrationError, match="write a new migration"):
        await migrate(dsn, "notify", [changed])
    with pytest.raises(SchemaMismatch, match="was changed"):
        await require(dsn, changed)


async def test_code_refuses_a_schema_that_is_not_there_or_older(dsn: str) -> None:
    with pytest.raises(SchemaMismatch, match="does not exist yet: run `mailroom migrate`"):
        await require(dsn, ONE)
    await migrate(dsn, "notify", [ONE])
    with pytest.raises(SchemaMismatch, match="it lacks service 0002 two"):
        await require(dsn, ONE, TWO)


async def test_old_code_lives_with_a_newer_schema_unless_that_excludes_it(dsn: str) -> None:
    """Rolling upgrades and rollbacks: the code one version back goes on, the one before does not."""
    await migrate(dsn, "notify", [ONE, TWO])
    await require(dsn, ONE)
    await migrate(dsn, "notify", [ONE, TWO, THREE])
    await require(dsn, ONE, TWO)
    with pytest.raises(SchemaMismatch, match="asks for code that knows 0002, this one knows 0001"):
        await require(dsn, ONE)


async def test_a_role_sees_its_own_schema_only(database: Database) -> None:
    """Services talk over topics and nothing else (design §1, §6)."""
    connection = await asyncpg.connect(database.dsn_of("notify"))
    try:
        assert await connection.fetchval("SELECT current_schemas(false)") == ["notify"]
        await connection.execute("SELECT * FROM offsets")
        for statement in (
            "SELECT * FROM activity.offsets",
            "INSERT INTO ingest.outbox (topic, headers) VALUES ('x', '[]')",
            "CREATE TABLE public.x (y int)",
            "CREATE SCHEMA x",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_every_service_can_live_with_what_mailroom_migrate_makes(database: Database) -> None:
    for service in ("ingest", "activity", "notify"):
        pool = make_pool(database.dsn_of(service), schema=service, application="tests")
        async with opened(pool):
            await UnitOfWork(pool, service=service).require_schema()


async def test_code_that_knows_no_families_does_not_start_beside_what_splits_and_merges(
    database: Database,
) -> None:
    """Design §3: it would lock less than a merged Ticket needs, and lose updates."""
    older = [each for each in migrations_of("activity") if each.sequence != SERVICE or each.number < 17]
    with pytest.raises(SchemaMismatch, match="asks for code that knows 0017, this one knows 0016"):
        await require(database.dsn, *older, service="activity")
    last = [each for each in migrations_of("activity") if each.sequence != SERVICE or each.number < 18]
    await require(database.dsn, *last, service="activity")


async def test_an_administrator_need_not_be_superuser(stack: Endpoints, dsn: str) -> None:
    """A managed database gives none: to create roles, and schemas in this database, is enough."""
    role = f"admin_{uuid4().hex[:8]}"
    service = f"svc_{uuid4().hex[:8]}"
    admin = await asyncpg.connect(dsn)
    try:
        database = await admin.fetchval("SELECT current_database()")
        await admin.execute(f"CREATE ROLE {role} LOGIN CREATEROLE")
        await admin.execute(f"ALTER DATABASE {database} OWNER TO {role}")
        assert await migrate(dsn.replace("//postgres@", f"//{role}@"), service, [ONE]) == [ONE]
        assert await migrate(dsn.replace("//postgres@", f"//{role}@"), service, [ONE, TWO]) == [TWO]
        await require(dsn.replace("//postgres@", f"//mailroom_{service}@"), ONE, TWO, service=service)
        await admin.execute(f"ALTER DATABASE {database} OWNER TO postgres")
        await admin.execute(f"DROP OWNED BY mailroom_{service}, {role} CASCADE")
        await admin.execute(f"DROP ROLE mailroom_{service}")
        await admin.execute(f"DROP ROLE {role}")
    finally:
        await admin.close()


async def test_a_role_is_given_its_password_however_it_is_spelled(dsn: str) -> None:
    """As the server keeps it: a hash. The tests' own servers let everybody in."""
    service = f"svc_{uuid4().hex[:8]}"
    await migrate(dsn, service, [ONE])
    admin = await asyncpg.connect(dsn)
    try:
        for password in ("first", "o'second\\ \"%L"):
            await set_password(dsn, service, password)
            kept = await admin.fetchval(
                "SELECT rolpassword FROM pg_authid WHERE rolname = $1", f"mailroom_{service}"
            )
            assert _is_hash_of(password, kept)
    finally:
        await admin.execute(f"DROP OWNED BY mailroom_{service} CASCADE")
        await admin.execute(f"DROP ROLE mailroom_{service}")
        await admin.close()


def _is_hash_of(password: str, kept: str) -> bool:
    """Whether `kept` (SCRAM-SHA-256, RFC 5803) is that of `password`."""
    _, iterations_salt, keys = kept.split("$")
    iterations, _, salt = iterations_salt.partition(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return keys.partition(":")[0] == base64.b64encode(hashlib.sha256(client_key).digest()).decode()


def test_the_head_of_a_file_names_the_oldest_code(tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE x ();")
    (tmp_path / "0002_second.sql").write_text(
        "-- Drops what 0001 still reads.\n-- oldest code: 0002\nDROP TABLE x;"
    )
    first, second = read_migrations(SERVICE, tmp_path)
    assert (first.number, first.name, first.oldest_code) == (1, "first", 0)
    assert (second.number, second.name, second.oldest_code) == (2, "second", 2)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("0002_gap.sql", "", "should have the number 0001"),
        ("1_short.sql", "", "is not named"),
        ("0001_future.sql", "-- oldest code: 0002", "newer than itself"),
    ],
)
def test_a_file_that_is_out_of_order_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(MigrationError, match=said):
        read_migrations(SERVICE, tmp_path)


def test_a_service_that_does_not_exist_is_named() -> None:
    for wrong in ("nobody", "no; DROP", "../ingest"):
        with pytest.raises(MigrationError, match="service"):
            migrations_of(wrong)
