"""A Kafka that lets in only whom it knows: over TLS, by SASL, behind ACLs (design §1)."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError
from typer.testing import CliRunner

from deploy.cli import app
from deploy.doctor import servers
from deploy.doctor.findings import Check, State, examine
from deploy.doctor.patient import Patient
from shared import outbox, reading, topic_plan
from shared.health import Component
from shared.kafka import Consumers
from shared.kafka_access import KafkaAccess
from shared.onlooker import onlooker
from shared.outbox import Outgoing, Row, pack_headers
from shared.postgres import Pool, make_pool, opened, transaction
from shared.readers import READERS
from shared.relay import Relay
from shared.rights import concerning, writers
from shared.settings import ServiceSettings
from shared.topic_plan import TopicError
from shared.topics import ACTIVITY_ANSWERS, ACTIVITY_REQUESTS, DEAD_LETTERS, INGEST_MAILS
from shared.unit_of_work import Subscription, UnitOfWork
from tests.support.at_work import running
from tests.support.certificates import Authority
from tests.support.databases import Database
from tests.support.frame import CONSUMER, SERVICE, dead, notes, register, waiting
from tests.support.notes import ECHOES, NOTES, NoteEchoed, Scribe, envelope, made
from tests.support.secure_kafka import PASSWORD, PLAIN_USER, Right, SecureKafka, secure_kafka
from tests.support.topics import make_topics, read_all, write
from tests.support.waiting import eventually

pytestmark = [pytest.mark.own_servers, pytest.mark.timeout(300)]

USERS = ("ingest", "activity", "notify", "operator", "shop", "reader", "writer")


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecureKafka]:
    async with secure_kafka(tmp_path_factory.mktemp("secure"), USERS) as running:
        yield running


@pytest.fixture
def prefix() -> str:
    """What the topics of this test begin with."""
    return f"t{uuid4().hex[:10]}."


async def reached(access: KafkaAccess) -> bool:
    async with topic_plan.connected(access) as cluster:
        await cluster.places([NOTES.name])
    return True


def sentence(component: Component) -> str:
    return component.not_ready() or ""


# Who is let in


async def test_every_way_of_logging_in_works(kafka: SecureKafka, tmp_path: Path) -> None:
    certificate, key = kafka.authority.signed("mailroom").stored(tmp_path, "client")
    mutual = {"kafka_certificate_file": certificate, "kafka_key_file": key}
    assert await reached(kafka.access("shop"))
    assert await reached(kafka.access("shop", "sasl", kafka_sasl_mechanism="SCRAM-SHA-256"))
    assert await reached(kafka.access(PLAIN_USER, kafka_sasl_mechanism="PLAIN"))
    assert await reached(kafka.access(listener="tls", **mutual))


async def test_who_is_not_let_in_reads_why(kafka: SecureKafka, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(Authority("others").certificate)
    for access, words in (
        (
            kafka.access("shop", kafka_password_secret="wrong"),
            "refuses the user 'shop' by SCRAM-SHA-512: look at",
        ),
        (kafka.access("nobody", kafka_sasl_mechanism="PLAIN"), "refuses the user 'nobody' by PLAIN: look at"),
        (kafka.access("shop", kafka_ca_file=stranger), "is not trusted (unable to get local issuer"),
        (kafka.access(listener="tls"), "does not agree on TLS"),
        (
            kafka.access(
                "shop",
                "tls",
                kafka_security_protocol="SASL_SSL",
                kafka_sasl_mechanism="PLAIN",
                kafka_sasl_user="shop",
                kafka_password_secret="right",
            ),
            "Kafka at",
        ),
    ):
        with pytest.raises(TopicError) as refused:
            await reached(access)
        assert words in str(refused.value)
        assert str(refused.value).endswith(".")
        assert PASSWORD not in str(refused.value)


async def test_a_host_that_the_certificate_does_not_name_is_not_trusted(kafka: SecureKafka) -> None:
    there = kafka.settings("shop")["kafka_bootstrap"]
    with pytest.raises(TopicError, match=r"is not trusted \(Hostname mismatch"):
        await reached(kafka.access("shop", kafka_bootstrap=there.replace("127.0.0.1", "localhost")))


async def test_doctor_tells_who_is_refused(kafka: SecureKafka, tmp_path: Path) -> None:
    settings = ServiceSettings(
        postgres_dsn="postgresql://a@b/c",
        blobs_url="memory:///",
        **kafka.settings("shop", kafka_password_secret="wrong"),
    )
    look = partial(servers.kafka, Patient("ingest", settings))
    (finding,) = await examine([Check("ingest", "kafka", look)], 30)
    assert finding.state is State.FAILED
    assert "refuses the user 'shop' by SCRAM-SHA-512" in finding.sentence


# Whom ACLs let do what


async def test_with_the_rights_that_are_printed_all_works_and_nobody_has_more(
    kafka: SecureKafka, database: Database, prefix: str, tmp_path: Path
) -> None:
    await kafka.allow(*printed("--prefix", prefix, "--user", "requester=shop"))
    await topic_plan.bring_about(kafka.access("operator"), database.dsn, prefix)
    for service in DEAD_LETTERS:
        await works(kafka, database, prefix, service)
    await only_requests(kafka.access("shop"), prefix)


def printed(*options: str) -> list[Right]:
    told = CliRunner().invoke(app, ["topics", "acls", "--format", "json", *options])
    assert told.exit_code == 0, told.output
    return [
        (each["principal"], each["resource"], each["name"], operation)
        for each in json.loads(told.stdout)
        for operation in each["operations"]
    ]


async def works(kafka: SecureKafka, database: Database, prefix: str, service: str) -> None:
    """Noise on every topic that a service writes is said; on those that it reads, it ends as dead letters."""
    read = [reader for reader in READERS if reader.service == service]
    for reader in read:
        async with AIOKafkaProducer(**kafka.everything.client()) as producer:
            await producer.send_and_wait(prefix + reader.topic.name, b"noise", b"key")
    made = make_pool(database.dsn_of(service), schema=service, application="tests")
    async with opened(made) as pool:
        written = [topic for topic in concerning(service) if service in writers(topic)]
        async with transaction(pool) as connection:
            await outbox.add(
                connection, [Row(prefix + topic.name, b"k", b"noise", pack_headers([])) for topic in written]
            )
        work = UnitOfWork(pool, service=service, topic_prefix=prefix)
        subscribed = [Subscription(reader.topic, reader.consumer, Scribe()) for reader in read]
        access = kafka.access(service)
        relay = Relay(database.dsn_of(service), service=service, kafka=access, topic_prefix=prefix)
        consumers = Consumers(work, subscribed, kafka=access, watch_seconds=0.2)
        async with running(relay, consumers):
            dlq = prefix + DEAD_LETTERS[service].name
            await eventually(partial(_holds, kafka, dlq, len(read) + 1), every=0.3)
            await eventually(lambda: (sentence(relay), sentence(consumers)) == ("", ""))
    settings = ServiceSettings(
        postgres_dsn=database.dsn_of(service),
        blobs_url="memory:///",
        topic_prefix=prefix,
        **kafka.settings(service),
    )
    assert "as in the table" in await servers.kafka(Patient(service, settings))
    assert "all registered" in await servers.partitions(Patient(service, settings))


async def _holds(kafka: SecureKafka, topic: str, number: int) -> bool:
    return len(await read_all(kafka.everything, topic)) >= number


async def only_requests(access: KafkaAccess, prefix: str) -> None:
    """Another system may ask and read answers; it may not say that mail came, nor read any."""
    async with AIOKafkaProducer(**access.client()) as producer:
        await producer.send_and_wait(prefix + ACTIVITY_REQUESTS.name, b"please")
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(prefix + INGEST_MAILS.name, b"a mail came")
    assert await read_all(access, prefix + ACTIVITY_ANSWERS.name)
    with pytest.raises(TopicError, match=r"ACLs do not let 'shop' use the topic .+ingest\.mails\.v1"):
        async with onlooker(access) as consumer:
            await consumer._client._wait_on_metadata(prefix + INGEST_MAILS.name)


# Who is refused for a while


def rights(user: str, *named: tuple[str, str, str]) -> list[Right]:
    return [(f"User:{user}", *each) for each in named]


async def test_a_relay_that_may_not_write_says_so_keeps_all_and_goes_on_once_it_may(
    kafka: SecureKafka, database: Database, pool: Pool, prefix: str
) -> None:
    await make_topics(kafka.everything, prefix, ECHOES)
    topic, id_ = prefix + ECHOES.name, f"{prefix}mailroom.{SERVICE}.relay"
    row = outbox.row(
        Outgoing(ECHOES, "acme/note", envelope("a", "note.echoed"), NoteEchoed(text="a")), prefix
    )
    async with transaction(pool) as connection:
        await outbox.add(connection, [row])
    relay = Relay(
        database.dsn_of(SERVICE), service=SERVICE, kafka=kafka.access("writer"), topic_prefix=prefix
    )
    async with running(relay):
        await eventually(lambda: f"'writer' use the transactional id {id_}" in sentence(relay))
        await kafka.allow(*rights("writer", ("transactional-id", id_, "Write"), ("topic", topic, "Describe")))
        await eventually(lambda: f"'writer' use the topic {topic}" in sentence(relay))
        assert await waiting(pool, topic) == ["a"]
        await kafka.allow(*rights("writer", ("topic", topic, "Write")))
        await eventually(lambda: relay.leading and not sentence(relay))
        await eventually(partial(_holds, kafka, topic, 1), every=0.3)


async def test_a_consumer_that_may_not_read_says_so_and_loses_nothing(
    kafka: SecureKafka, pool: Pool, prefix: str
) -> None:
    await make_topics(kafka.everything, prefix, NOTES)
    topic, group = prefix + NOTES.name, prefix + CONSUMER
    await register(pool, topic)
    await write(kafka.everything, prefix, made(0, "a"))
    work = UnitOfWork(pool, service=SERVICE, topic_prefix=prefix)
    subscription = Subscription(NOTES, CONSUMER, Scribe())
    consumers = Consumers(work, [subscription], kafka=kafka.access("reader"), watch_seconds=0.2)
    seeing, using = rights("reader", ("topic", topic, "Describe"), ("topic", topic, "Read"))
    async with running(consumers):
        await eventually(lambda: f"'reader' use the topic {topic}" in sentence(consumers))
        await kafka.allow(seeing)
        await eventually(lambda: f"'reader' use the group {group}" in sentence(consumers))
        await kafka.allow(*rights("reader", ("group", group, "Read")))
        await eventually(lambda: f"'reader' use the topic {topic}" in sentence(consumers))
        await kafka.allow(using)
        await eventually(lambda: not sentence(consumers))
        assert await eventually(partial(notes, pool)) == ["a"]
        await kafka.forbid(using)
        await write(kafka.everything, prefix, made(1, "b"))
        await eventually(lambda: f"'reader' use the topic {topic}" in sentence(consumers))
        await kafka.allow(using)
        await eventually(lambda: not sentence(consumers))
        await eventually(partial(_are, pool, ["a", "b"]))
    assert await dead(pool) == []


async def _are(pool: Pool, texts: list[str]) -> bool:
    return await notes(pool) == texts


async def test_who_becomes_known_to_kafka_later_is_let_in_until_it_is_forgotten(
    kafka: SecureKafka, pool: Pool, prefix: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ASK_SECONDS", 2.0)
    await make_topics(kafka.everything, prefix, NOTES, ECHOES)
    topic = prefix + NOTES.name
    await register(pool, topic)
    granted = [("topic", topic, "Read"), ("group", prefix + CONSUMER, "Read")]
    granted.append(("transactional-id", f"{prefix}mailroom.{SERVICE}.relay", "Write"))
    await kafka.allow(*rights("late", *granted))
    access = kafka.access("late", "sasl")  # where every login lasts for seconds only
    work = UnitOfWork(pool, service=SERVICE, topic_prefix=prefix)
    consumers = Consumers(work, [Subscription(NOTES, CONSUMER, Scribe())], kafka=access, watch_seconds=0.2)
    relay = Relay(database.dsn_of(SERVICE), service=SERVICE, kafka=access, topic_prefix=prefix)
    async with running(consumers, relay):
        await eventually(lambda: "refuses the user 'late'" in sentence(consumers))
        await eventually(lambda: "refuses the user 'late'" in sentence(relay))
        await kafka.change_user("late", "--add-config", f"SCRAM-SHA-512=[password={PASSWORD}]")
        await eventually(lambda: (sentence(consumers), sentence(relay)) == ("", ""))
        await kafka.change_user("late", "--delete-config", "SCRAM-SHA-512")
        await eventually(lambda: "refuses the user 'late'" in sentence(consumers))
