"""Whether a service knows all that was announced of configurations, on real servers (design §10)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from deploy.config.folder import read
from deploy.local.endpoints import Endpoints
from services.activity import configuration
from services.activity.numbers import Numbers
from services.activity.work import Work
from services.notify.app import ORGANISATION_CONSUMER
from shared import offsets
from shared.kafka import Consumers
from shared.kafka_access import KafkaAccess
from shared.offsets import Place
from shared.organisation import Organisations
from shared.organisation_copy import Announcements, copied, on_organisation, published
from shared.postgres import Pool, acquired, make_pool, opened, transaction
from shared.relay import Relay
from shared.topics import ACTIVITY_ORGANISATION
from shared.unit_of_work import Batch, Subscription, UnitOfWork
from tests.support.at_work import running
from tests.support.databases import Database
from tests.support.topics import make_topics
from tests.support.waiting import eventually

SAMPLE = read(Path("deploy/config/sample"))


@pytest.fixture
async def prefix(stack: Endpoints, topic_prefix: str) -> str:
    await make_topics(stack.kafka, topic_prefix, ACTIVITY_ORGANISATION)
    return topic_prefix


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[Pool]:
    async with opened(make_pool(database.dsn_of("activity"), schema="activity", application="tests")) as pool:
        yield pool


@pytest.fixture
async def reader(database: Database, prefix: str) -> AsyncIterator[Pool]:
    async with opened(make_pool(database.dsn_of("notify"), schema="notify", application="tests")) as pool:
        async with transaction(pool) as connection:
            place = Place(prefix + ACTIVITY_ORGANISATION.name, 0)
            await offsets.register(connection, ORGANISATION_CONSUMER, {place: 0})
        yield pool


async def known(announcements: Announcements, pool: Pool) -> bool:
    async with acquired(pool) as connection:
        return await announcements.all_known(connection)


async def announce(owner: Pool, prefix: str, organisation: str = "acme") -> None:
    """Apply a configuration: it waits in activity's outbox."""

    async def apply(batch: Batch[object]) -> None:
        definition = SAMPLE.model_copy(update={"organisation": organisation})
        await configuration.apply(batch, definition, "olga", Work(Organisations(), Numbers(owner)))

    await UnitOfWork(owner, service="activity", topic_prefix=prefix).run(apply)


def relay(stack: Endpoints, database: Database, prefix: str) -> Relay:
    return Relay(database.dsn_of("activity"), service="activity", kafka=stack.kafka, topic_prefix=prefix)


def consumers(stack: Endpoints, reader: Pool, prefix: str) -> Consumers:
    return Consumers(
        UnitOfWork(reader, service="notify", topic_prefix=prefix),
        [Subscription(ACTIVITY_ORGANISATION, ORGANISATION_CONSUMER, on_organisation)],
        kafka=stack.kafka,
        watch_seconds=0.2,
    )


async def test_a_copy_has_all_once_its_consumer_has_read_to_the_end(
    stack: Endpoints, database: Database, owner: Pool, reader: Pool, prefix: str
) -> None:
    announcements = Announcements(stack.kafka, prefix, copied(ORGANISATION_CONSUMER))
    assert await known(announcements, reader), "nothing was announced yet"
    async with running(relay(stack, database, prefix)):
        await announce(owner, prefix)
        await eventually(lambda: _lacks(announcements, reader))
        async with running(consumers(stack, reader, prefix)):
            await eventually(lambda: known(announcements, reader))
    assert await reader.fetchval("SELECT version FROM organisation_applied") == 1


async def test_what_a_transaction_has_not_committed_everywhere_counts(
    stack: Endpoints, reader: Pool, prefix: str
) -> None:
    """Its record on another topic may be readable already, while the version is not."""
    announcements = Announcements(stack.kafka, prefix, copied(ORGANISATION_CONSUMER))
    topic = prefix + ACTIVITY_ORGANISATION.name
    async with (
        running(consumers(stack, reader, prefix)),
        AIOKafkaProducer(
            bootstrap_servers=stack.kafka_bootstrap, transactional_id=f"{prefix}test"
        ) as producer,
    ):
        async with producer.transaction():
            await producer.send_and_wait(topic, b"{}", b"acme/rules")
            assert not await known(announcements, reader)
        await eventually(lambda: known(announcements, reader))


async def test_the_owner_has_all_that_its_relay_has_published(
    stack: Endpoints, database: Database, owner: Pool, prefix: str
) -> None:
    announcements = Announcements(stack.kafka, prefix, published)
    async with running(relay(stack, database, prefix)):
        for organisation in ("acme", "rival"):
            await announce(owner, prefix, organisation)
            await eventually(lambda: _published(owner))
            assert await known(announcements, owner)


async def test_an_owner_with_a_restored_backup_is_not_sure(
    stack: Endpoints, database: Database, owner: Pool, prefix: str
) -> None:
    """The organisation may be one that it has lost."""
    announcements = Announcements(stack.kafka, prefix, published)
    async with running(relay(stack, database, prefix)):
        await announce(owner, prefix)
        await eventually(lambda: _published(owner))
        before = await owner.fetchval("SELECT last_offset FROM relay_progress")
        await announce(owner, prefix, "rival")
        await eventually(lambda: _published(owner))
    await owner.execute("UPDATE relay_progress SET last_offset = $1", before)
    assert not await known(announcements, owner)
    await owner.execute("DELETE FROM relay_progress")
    assert not await known(announcements, owner)


async def test_nothing_is_certain_while_kafka_is_away(reader: Pool, prefix: str) -> None:
    announcements = Announcements(KafkaAccess("127.0.0.1:1"), prefix, copied(ORGANISATION_CONSUMER))
    assert not await known(announcements, reader)


async def _lacks(announcements: Announcements, pool: Pool) -> bool:
    return not await known(announcements, pool)


async def _published(owner: Pool) -> bool:
    return bool(await owner.fetchval("SELECT count(*) = 0 FROM outbox"))
