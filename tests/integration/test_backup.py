"""`mailroom backup` and `restore`: whole or not at all, and what came back is what was there."""

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from deploy.backup import putting_back, schemas
from deploy.backup.failure import BackupFailure
from deploy.backup.making import make
from deploy.backup.manifest import BLOBS, FILE, Manifest
from shared.blobs import BlobStore
from shared.migrations import SERVICE, Migration, SchemaMismatch, migrations_of, require_schema
from tests.support.databases import Database
from tests.support.waiting import eventually

ALL = ("ingest", "activity", "notify")
CONTACT = """
INSERT INTO contacts (organisation, id, address, first_name, last_name, auto_created)
VALUES ('acme', gen_random_uuid(), $1, '', '', true)
"""
CONTACTS = "SELECT address FROM contacts ORDER BY address"
SAID = "INSERT INTO outbox (topic, headers) VALUES ('t', '[]') RETURNING id"


@asynccontextmanager
async def seeing(dsn: str, service: str = "activity") -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn, server_settings={"search_path": service})
    try:
        yield connection
    finally:
        await connection.close()


async def contacts(database: Database) -> list[str]:
    async with seeing(database.dsn) as tables:
        return [row["address"] for row in await tables.fetch(CONTACTS)]


async def put_back(source: Path, database: Database, *services: str, replace: bool = True) -> None:
    await putting_back.put_back(source, database.dsn, None, services or ALL, replace=replace)


def backup_in(folder: Path) -> Path:
    (manifest,) = folder.glob(f"*/{FILE}")
    return manifest.parent


@pytest.fixture
async def kept(database: Database, tmp_path: Path) -> Path:
    """A folder with a backup of one contact and a used outbox; since then, one more contact and period."""
    async with seeing(database.dsn) as tables:
        await tables.execute(CONTACT, "carla@example.org")
        for _ in range(3):
            await tables.execute(SAID)
        await tables.execute("DELETE FROM outbox")
        await tables.execute("CREATE TABLE inbox_1 PARTITION OF inbox FOR VALUES IN (1)")
    folder = tmp_path / "backups"
    await make(database.dsn, None, folder, ALL)
    async with seeing(database.dsn) as tables:
        await tables.execute(CONTACT, "later@example.org")
        await tables.execute("CREATE TABLE inbox_2 PARTITION OF inbox FOR VALUES IN (2)")
    return folder


async def test_what_comes_back_is_what_was_there_and_works_as_before(kept: Path, database: Database) -> None:
    await put_back(kept, database)
    assert await contacts(database) == ["carla@example.org"]
    async with seeing(database.dsn_of("activity")) as tables:  # as the service itself
        assert await tables.fetchval("SHOW search_path") == "activity"
        assert await tables.fetchval(SAID) == 4  # no number is given twice
        assert await tables.fetchval("SELECT to_regclass('inbox_2')") is None
        await tables.execute("CREATE TABLE inbox_2 PARTITION OF inbox FOR VALUES IN (2)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tables.execute("DELETE FROM history")
    for service in ALL:
        async with seeing(database.dsn_of("notify")) as tables:
            if service != "notify":
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await tables.execute(f"SELECT * FROM {service}.outbox")


async def test_a_service_refuses_what_was_restored_until_it_is_recovered(
    kept: Path, database: Database
) -> None:
    await put_back(kept, database, "notify")
    async with seeing(database.dsn_of("notify"), "notify") as tables:
        with pytest.raises(SchemaMismatch, match="mailroom recover --service notify"):
            await require_schema(tables, "notify", migrations_of("notify"))
    async with seeing(database.dsn_of("activity"), "activity") as tables:
        await require_schema(tables, "activity", migrations_of("activity"))


async def test_the_newest_backup_is_taken_and_an_unfinished_one_is_none(
    kept: Path, database: Database, tmp_path: Path
) -> None:
    made = await make(database.dsn, None, kept, ALL)
    (kept / ".unfinished-x").mkdir()
    (kept / ".unfinished-x" / "manifest.json").write_text((made.folder / "manifest.json").read_text())
    await put_back(kept, database)
    assert await contacts(database) == ["carla@example.org", "later@example.org"]
    assert Manifest.load(made.folder).schemas["activity"].tables["contacts"] == 2
    with pytest.raises(BackupFailure, match="There is no backup"):
        await put_back(tmp_path, database)


async def test_a_schema_with_data_is_replaced_only_when_told_to(kept: Path, database: Database) -> None:
    with pytest.raises(BackupFailure, match="not empty"):
        await put_back(kept, database, "activity", replace=False)
    await put_back(kept, database, "ingest", replace=False)  # migrated, and nothing else


async def test_a_schema_that_is_in_use_is_left_alone(kept: Path, database: Database) -> None:
    async with seeing(database.dsn_of("activity")):
        with pytest.raises(BackupFailure, match="running"):
            await put_back(kept, database)
    assert len(await contacts(database)) == 2


@pytest.mark.parametrize("file", ["activity.dump", "manifest.json"])
async def test_a_damaged_backup_is_refused_before_anything_is_touched(
    kept: Path, database: Database, file: str
) -> None:
    damaged = backup_in(kept) / file
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 0x55
    damaged.write_bytes(content)
    with pytest.raises(BackupFailure, match="damaged"):
        await put_back(kept, database)
    assert len(await contacts(database)) == 2


async def test_a_dump_that_breaks_off_leaves_the_schema_as_it_was(kept: Path, database: Database) -> None:
    """A manifest that agrees with half a dump: what pg_restore finds out while it reads is found in time."""
    dump = backup_in(kept) / "activity.dump"
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size * 9 // 10])
    connection = await schemas.connect(database.dsn)
    tools = await schemas.tools(connection, database.dsn)
    await connection.close()
    with pytest.raises(BackupFailure, match="pg_restore"):
        await schemas.restore(tools, database.dsn, "activity", dump, "now")
    assert len(await contacts(database)) == 2


async def test_a_newer_backup_is_refused_and_an_older_one_is_migrated(
    kept: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = migrations_of("activity")
    next_one = Migration(SERVICE, own[-1].number + 1, "next", "CREATE TABLE next_version (x int)")
    monkeypatch.setattr(schemas, "migrations_of", lambda service: (*migrations_of(service), next_one))
    await put_back(kept, database, "activity")
    async with seeing(database.dsn_of("activity")) as tables:
        assert await tables.fetchval("SELECT count(*) FROM next_version") == 0
    await make(database.dsn, None, kept, ALL)
    monkeypatch.undo()
    with pytest.raises(BackupFailure, match="newer than this code"):
        await put_back(kept, database, "activity")


async def test_blobs_are_kept_once_and_put_back_as_they_were(database: Database, tmp_path: Path) -> None:
    url, folder = (tmp_path / "blobs").as_uri(), tmp_path / "backups"
    store = BlobStore(url, "ingest")
    one, two = await store.put("acme", b"one"), await store.put("acme", b"two")
    # Somebody is storing a file at the moment: it is no blob yet.
    (tmp_path / "blobs" / "acme" / "ingest" / "unfinished-ab").write_bytes(b"the beginning of")
    first = await make(database.dsn, url, folder, ALL)
    assert first.blobs is not None
    assert list(first.blobs.damaged) == []
    three = await store.put("acme", b"three")
    second = await make(database.dsn, url, folder, ("ingest",))
    assert second.blobs is not None
    assert sorted(first.blobs.objects) == sorted([one.object, two.object])
    assert list(second.blobs.objects) == [three.object]
    await store.delete([one.object, three.object])
    await putting_back.put_back(folder, database.dsn, url, ("ingest",), replace=True)
    assert [await store.get(each.object) for each in (one, two, three)] == [b"one", b"two", b"three"]
    await store.delete([three.object])
    (folder / BLOBS / three.object).write_bytes(b"rotten")
    assert hashlib.sha256(b"rotten").hexdigest() != three.sha256
    with pytest.raises(BackupFailure, match="damaged"):
        await putting_back.put_back(folder, database.dsn, url, ("ingest",), replace=True)


async def test_a_restore_that_is_killed_in_the_middle_leaves_the_schema_as_it_was(
    kept: Path, database: Database
) -> None:
    """It has dropped the schema in its transaction, and waits for a table that somebody else holds."""
    command = [sys.executable, "-m", "deploy.cli", "restore", "--from", str(kept), "--replace"]
    # The superuser's session is none of the service's: only its lock is in the way.
    async with seeing(database.dsn) as holder, seeing(database.dsn) as watcher:
        async with holder.transaction():
            await holder.execute("LOCK TABLE relay_progress IN ACCESS SHARE MODE")
            process = await asyncio.create_subprocess_exec(
                *command, "--service", "activity", "--dsn", database.dsn
            )
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::regclass"
            await eventually(lambda: watcher.fetchval(waiting, "relay_progress"), deadline=30)
            process.kill()
            await process.wait()
        others = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql' AND datname = $1"
        name = database.dsn.rpartition("/")[2]

        async def gone() -> bool:
            return bool(await watcher.fetchval(others, name) == 0)

        await eventually(gone, deadline=30)
    assert len(await contacts(database)) == 2
