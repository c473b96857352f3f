"""`mailroom doctor`: every check on the real thing, and what it says when that is broken."""

import asyncio
from functools import partial
from pathlib import Path

import asyncpg

from deploy.doctor import dns, examination, servers
from deploy.doctor.findings import Doubtful, State
from deploy.doctor.patient import Patient
from shared.contracts.activity_organisation import Definition
from shared.postgres import make_pool, opened
from shared.settings import SettingsError
from tests.support.databases import Database
from tests.support.ingest_world import mailbox
from tests.support.patients import applied, changed, found, free_port, well, wrong

# PostgreSQL


async def test_postgres_is_reached_with_the_services_role(ingest: Patient, database: Database) -> None:
    await well(partial(servers.postgres, ingest), "as mailroom_ingest")
    superuser = changed(ingest, postgres_dsn=database.dsn)
    await wrong(
        partial(servers.postgres, superuser), "may do everything", "mailroom_ingest", state=State.WARNING
    )
    stranger = changed(ingest, postgres_dsn=database.dsn.replace("//postgres@", "//nobody@"))
    await wrong(partial(servers.postgres, stranger), "nobody", "`mailroom migrate`")
    away = changed(ingest, postgres_dsn=f"postgresql://mailroom_ingest@127.0.0.1:{free_port()}/mailroom")
    await wrong(partial(servers.postgres, away), "does not answer at 127.0.0.1", "MAILROOM_POSTGRES_DSN")
    nowhere = changed(ingest, postgres_dsn=ingest.settings.postgres_dsn.rpartition("/")[0] + "/nowhere")
    await wrong(partial(servers.postgres, nowhere), "no database 'nowhere'")


async def test_a_schema_that_lacks_a_migration_is_told_with_what_to_do(
    ingest: Patient, database: Database
) -> None:
    await well(partial(servers.schema, ingest), "migrations")
    connection = await asyncpg.connect(database.dsn)
    await connection.execute("DELETE FROM ingest.schema_migrations WHERE sequence = 'service' AND number = 2")
    await connection.close()
    await wrong(partial(servers.schema, ingest), "lacks service 0002", "`mailroom migrate`")


async def test_a_role_that_sees_another_schema_only_is_told(ingest: Patient, notify: Patient) -> None:
    stranger = changed(ingest, postgres_dsn=notify.settings.postgres_dsn)
    finding = await found(partial(servers.schema, stranger))
    assert (finding.state, "ingest" in finding.sentence) == (State.FAILED, True)


# Kafka


async def test_topics_and_partitions_are_those_of_the_table(
    ingest: Patient, topics: str, database: Database
) -> None:
    there = changed(ingest, topic_prefix=topics)
    await well(partial(servers.kafka, there), "as in the table")
    await well(partial(servers.partitions, there), "all registered")
    await wrong(
        partial(servers.kafka, changed(ingest, topic_prefix="none.")), "`mailroom topics apply`", "make it"
    )
    connection = await asyncpg.connect(database.dsn)
    await connection.execute("DELETE FROM ingest.offsets WHERE partition = 3")
    await connection.close()
    await wrong(partial(servers.partitions, there), "1 partitions", "ingest.requests.v1/3", "topics apply")


async def test_a_kafka_that_is_away_is_told(ingest: Patient) -> None:
    away = changed(ingest, kafka_bootstrap=f"127.0.0.1:{free_port()}")
    await wrong(partial(servers.kafka, away), "Kafka does not answer at", "MAILROOM_KAFKA_BOOTSTRAP")
    await wrong(partial(servers.partitions, away), "could not be looked at", state=State.WARNING)


# Blobs, secrets, the clock


async def test_a_blob_store_that_cannot_be_written_is_told(ingest: Patient, tmp_path: Path) -> None:
    await well(partial(servers.blobs, ingest), "written and read")
    assert [each for each in (tmp_path / "blobs").rglob("*") if each.is_file()] == []
    (tmp_path / "in-the-way").write_text("")
    broken = changed(ingest, blobs_url=(tmp_path / "in-the-way").as_uri())
    await wrong(partial(servers.blobs, broken), "in-the-way", "MAILROOM_BLOBS_URL")


async def test_token_keys_that_are_missing_or_wrong_are_told(ingest: Patient, tmp_path: Path) -> None:
    await well(partial(servers.token_keys, ingest), "key 1 signs")
    (tmp_path / "token_keys").write_text('{"signs": 2, "keys": {}}')
    await wrong(partial(servers.token_keys, ingest), "token_keys", "signs names key 2")
    (tmp_path / "token_keys").unlink()
    await wrong(partial(servers.token_keys, ingest), "'token_keys' is missing or empty")


async def test_a_clock_that_goes_with_the_databases_is_well(ingest: Patient) -> None:
    """One that does not is shown by tests/e2e/test_doctor.py, in a process whose clock is set."""
    await well(partial(servers.clock, ingest), "less than")


# All together


async def test_one_that_is_away_hides_no_other(
    ingest: Patient, notify: Patient, database: Database, topics: str, mailbox_domain: str
) -> None:
    pool = make_pool(database.dsn_of("notify"), schema="notify", application="tests")
    async with opened(pool):
        definition = Definition(organisation="acme", mailboxes=(mailbox("help", mailbox_domain),))
        await applied(pool, definition)
    away = changed(
        ingest, topic_prefix=topics, postgres_dsn=f"postgresql://mailroom_ingest@127.0.0.1:{free_port()}/x"
    )
    patients = {
        "ingest": away,
        "activity": SettingsError("MAILROOM_BLOBS_URL is not set; expected a URL."),
        "notify": changed(notify, topic_prefix=topics),
    }
    found_all = await examination.findings(patients, resolver=dns.resolvers("127.0.0.1:1"), probed=True)
    states = {f"{each.service} {each.subject}": each.state for each in found_all}
    failed = {name for name, state in states.items() if state is State.FAILED}
    assert failed == {
        "activity settings",
        "ingest postgres",
        "ingest schema",
        "ingest clock",
        "ingest kafka partitions",
    }
    assert states["ingest configuration"] is states[" probe"] is State.WARNING
    assert states["notify smtp main"] is states["ingest kafka topics"] is states["ingest blobs"] is State.OK
    assert states[f"notify mx of {mailbox_domain}"] is State.OK


async def test_what_does_not_answer_is_told_at_the_deadline() -> None:
    async def hang() -> str:
        await asyncio.Event().wait()
        raise Doubtful("never")

    finding = await found(hang, seconds=0.05)
    assert finding.state is State.FAILED
    assert "No answer within" in finding.sentence
