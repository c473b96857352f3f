"""`mailroom doctor`: every check on the real thing, and what it says when that is broken."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.doctor import dns, examination, mail, probe, servers
from deploy.doctor.findings import Check, Doubtful, Finding, State, examine
from deploy.doctor.patient import Box, Patient
from deploy.local.endpoints import Endpoints
from deploy.local.ports import choose
from services.ingest.imap import ImapServer
from services.ingest.settings import IngestSettings
from services.notify.settings import NotifySettings
from services.notify.smtp_server import SmtpServer, Tls
from shared import organisation, organisation_copy
from shared.contracts.activity_organisation import Definition, OrganisationApplied
from shared.keyring import generate_keyring
from shared.postgres import Pool, make_pool, opened, transaction
from shared.settings import SettingsError
from shared.topic_plan import bring_about
from tests.support.databases import Database
from tests.support.dovecot import PASSWORD, running_dovecot
from tests.support.fake_smtp import Script, scripted_server
from tests.support.greenmail import mails_of
from tests.support.ingest_world import mailbox
from tests.support.name_server import Zone, name_server
from tests.support.servers import delete_mailboxes

SENDER = "acme.example.com"
GOOD: Zone = {
    (SENDER, "MX"): ("10 mx.example.com.",),
    (SENDER, "TXT"): ('"v=spf1 include:example.net -all"',),
    (f"_dmarc.{SENDER}", "TXT"): ('"v=DMARC1; p=reject"',),
}


@pytest.fixture
async def ingest(stack: Endpoints, database: Database, tmp_path: Path, mailbox_domain: str) -> Patient:
    """ingest as it would run on the shared servers; its topics are nobody's yet."""
    return Patient("ingest", IngestSettings(**_common(stack, database, tmp_path, "ingest"), **_imap(stack)))


@pytest.fixture
async def notify(stack: Endpoints, database: Database, tmp_path: Path) -> Patient:
    smtp = {"main": SmtpServer(host=stack.smtp.host, port=stack.smtp.port, tls=Tls.NONE)}
    return Patient(
        "notify", NotifySettings(**_common(stack, database, tmp_path, "notify"), smtp_servers=smtp)
    )


@pytest.fixture
def box(mailbox_domain: str) -> Box:
    return Box("acme", mailbox("help", mailbox_domain))


@pytest.fixture
async def topics(stack: Endpoints, database: Database, topic_prefix: str) -> str:
    """The table's topics, under a prefix of this test, with every consumer registered."""
    await bring_about(stack.kafka, database.dsn, topic_prefix)
    return topic_prefix


def _common(stack: Endpoints, database: Database, folder: Path, service: str) -> dict[str, Any]:
    (folder / "token_keys").write_text(generate_keyring())
    (folder / "imap").write_text("any\n")
    return {
        "kafka_bootstrap": stack.kafka_bootstrap,
        "postgres_dsn": database.dsn_of(service),
        "blobs_url": (folder / "blobs").as_uri(),
        "secrets_dir": folder,
    }


def _imap(stack: Endpoints) -> dict[str, Any]:
    return {"imap_servers": {"main": ImapServer(host=stack.imap.host, port=stack.imap.port, tls=False)}}


def changed(patient: Patient, **settings: Any) -> Patient:
    """The same service with other settings."""
    return Patient(patient.service, patient.settings.model_copy(update=settings))


async def found(look: Callable[[], Awaitable[str]], seconds: float = 30) -> Finding:
    (finding,) = await examine([Check("service", "subject", look)], seconds)
    return finding


async def wrong(look: Callable[[], Awaitable[str]], *words: str, state: State = State.FAILED) -> None:
    """The look finds something wrong, and its one sentence has these words."""
    finding = await found(look)
    assert finding.state is state, finding
    assert finding.sentence.endswith(".")
    for word in words:
        assert word in finding.sentence


async def well(look: Callable[[], Awaitable[str]], word: str = "") -> None:
    finding = await found(look)
    assert finding.state is State.OK, finding
    assert word in finding.sentence


async def applied(pool: Pool, definition: Definition) -> None:
    records = organisation.sections_of(definition, 1)
    async with transaction(pool) as connection:
        told = [
            (definition.organisation, each) for each in (*records, OrganisationApplied(version=1, digest="1"))
        ]
        await organisation_copy.store(connection, told)


def free_port() -> int:
    return choose(("nobody",), {}, {})["nobody"]


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


# Mail servers


async def test_a_mailbox_is_logged_in_to(ingest: Patient, box: Box, stack: Endpoints, tmp_path: Path) -> None:
    await well(partial(mail.imap, ingest, box), box.mailbox.address)
    folder = Box("acme", box.mailbox.model_copy(update={"imap": _with(box.mailbox.imap, folder="Nowhere")}))
    await wrong(partial(mail.imap, ingest, folder), "Nowhere", "cannot be opened")
    server = Box("acme", box.mailbox.model_copy(update={"imap": _with(box.mailbox.imap, server="other")}))
    await wrong(partial(mail.imap, ingest, server), "MAILROOM_IMAP_SERVERS has no server 'other'")
    away = ImapServer(host="127.0.0.1", port=free_port(), tls=False)
    await wrong(
        partial(mail.imap, changed(ingest, imap_servers={"main": away}), box),
        str(away.port),
        "the secret 'imap'",
    )
    (tmp_path / "imap").unlink()
    await wrong(partial(mail.imap, ingest, box), "Secret 'imap' is missing")


async def test_the_way_out_is_connected_to(notify: Patient, box: Box, stack: Endpoints) -> None:
    await well(partial(mail.smtp, notify, box), str(stack.smtp.port))
    server = Box("acme", box.mailbox.model_copy(update={"smtp": _with(box.mailbox.smtp, server="other")}))
    await wrong(partial(mail.smtp, notify, server), "MAILROOM_SMTP_SERVERS has no server 'other'")
    plain = SmtpServer(host=stack.smtp.host, port=stack.smtp.port, tls=Tls.STARTTLS)
    await wrong(
        partial(mail.smtp, changed(notify, smtp_servers={"main": plain}), box),
        "STARTTLS",
        "MAILROOM_SMTP_SERVERS",
    )
    away = SmtpServer(host="127.0.0.1", port=free_port(), tls=Tls.NONE)
    await wrong(partial(mail.smtp, changed(notify, smtp_servers={"main": away}), box), str(away.port))
    login = _with(box.mailbox.smtp, user="help", password="missing")
    secret = Box("acme", box.mailbox.model_copy(update={"smtp": login}))
    await wrong(partial(mail.smtp, notify, secret), "Secret 'missing' is missing")


async def test_a_password_that_the_server_does_not_take_is_told(
    ingest: Patient, notify: Patient, box: Box, tmp_path: Path
) -> None:
    (tmp_path / "imap").write_text("mistyped\n")
    async with running_dovecot() as dovecot:
        strict = ImapServer(host=dovecot.address.host, port=dovecot.address.port, tls=False)
        reader = changed(ingest, imap_servers={"main": strict})
        await wrong(partial(mail.imap, reader, box), "cannot be logged in", "the secret 'imap'")
        (tmp_path / "imap").write_text(f"{PASSWORD}\n")
        await well(partial(mail.imap, reader, box), box.mailbox.address)
    login = Box("acme", _with(box.mailbox, smtp=_with(box.mailbox.smtp, user="help", password="imap")))
    script = Script(logins={"help": "secret"})
    async with scripted_server(script) as server:
        sender = changed(notify, smtp_servers={"main": server})
        await wrong(partial(mail.smtp, sender, login), "Mail cannot go out", "the secret 'imap'")
        (tmp_path / "imap").write_text("secret\n")
        await well(partial(mail.smtp, sender, login))
    assert script.delivered == []


def _with(part: Any, **changes: Any) -> Any:
    return part.model_copy(update=changes)


# DNS


async def test_a_domain_with_all_its_records_is_well() -> None:
    async with name_server(GOOD) as server:
        ask = dns.resolvers(server)
        await well(partial(dns.arrives, SENDER, ask), "mx.example.com")
        await well(partial(dns.spf, SENDER, ask), "v=spf1")
        await well(partial(dns.dmarc, SENDER, ask), "v=DMARC1")


@pytest.mark.parametrize(
    ("zone", "state", "words"),
    [
        ({(SENDER, "TXT"): ('"x"',)}, State.FAILED, "neither MX nor address"),
        ({(SENDER, "A"): ("192.0.2.1",)}, State.WARNING, "has no MX, only an address"),
        ({(SENDER, "MX"): ("0 .",)}, State.FAILED, "takes no mail"),
        ({("other.example.com", "A"): ("192.0.2.1",)}, State.FAILED, "neither MX nor address"),
    ],
)
async def test_a_domain_that_answers_do_not_come_home_to_is_told(
    zone: Zone, state: State, words: str
) -> None:
    async with name_server(zone) as server:
        await wrong(partial(dns.arrives, SENDER, dns.resolvers(server)), words, state=state)


async def test_missing_and_doubled_sender_policies_are_told() -> None:
    async with name_server({(SENDER, "MX"): ("10 mx.example.com.",)}) as server:
        ask = dns.resolvers(server)
        await wrong(partial(dns.spf, SENDER, ask), "has no SPF record", state=State.WARNING)
        await wrong(partial(dns.dmarc, SENDER, ask), "has no DMARC record", state=State.WARNING)
    async with name_server({(SENDER, "TXT"): ('"v=spf1 -all"', '"v=spf1 +all"')}) as server:
        await wrong(partial(dns.spf, SENDER, dns.resolvers(server)), "2 records of v=spf1", "keep one")


async def test_a_dns_that_does_not_answer_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "ASK_SECONDS", 0.3)
    ask = dns.resolvers(f"127.0.0.1:{free_port()}")
    await wrong(partial(dns.arrives, SENDER, ask), "could not be looked at", state=State.WARNING)
    await well(partial(dns.arrives, "mailroom.test", ask), "for tests")


# The probe


async def test_a_probe_arrives_at_the_plus_address_and_is_gone_again(
    ingest: Patient, notify: Patient, box: Box, stack: Endpoints
) -> None:
    await well(partial(probe.probe, ingest, notify, box, 20.0), "arrived in INBOX")
    assert await mails_of(stack, box.mailbox.address) == []


async def test_a_probe_that_does_not_arrive_is_told(
    ingest: Patient, notify: Patient, box: Box, stack: Endpoints
) -> None:
    elsewhere = _with(box.mailbox.imap, user=f"other@{box.mailbox.address.partition('@')[2]}")
    lost = Box("acme", box.mailbox.model_copy(update={"imap": elsewhere}))
    await wrong(
        partial(probe.probe, ingest, notify, lost, 1.0), "did not arrive within 1 s", "plus addresses"
    )
    away = changed(
        notify, smtp_servers={"main": SmtpServer(host="127.0.0.1", port=free_port(), tls=Tls.NONE)}
    )
    await wrong(partial(probe.probe, ingest, away, box, 1.0), "could not be sent")


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


@pytest.fixture(autouse=True)
async def _no_mailboxes_left(stack: Endpoints, mailbox_domain: str) -> AsyncIterator[None]:
    yield
    await delete_mailboxes(stack, mailbox_domain)
