"""Consumers of notes on a real Kafka, and their topic."""

import pytest

from deploy.local.endpoints import Endpoints
from shared.kafka import Consumers
from shared.postgres import Pool
from shared.unit_of_work import Handler, Subscription, UnitOfWork
from tests.support.frame import CONSUMER, SERVICE, Make
from tests.support.notes import NOTES, Scribe
from tests.support.topics import make_topics


@pytest.fixture
async def prefix(stack: Endpoints, topic_prefix: str) -> str:
    await make_topics(stack.kafka, topic_prefix, NOTES)
    return topic_prefix


@pytest.fixture
async def topic(prefix: str) -> str:
    return prefix + NOTES.name


@pytest.fixture
def make(stack: Endpoints, pool: Pool, prefix: str) -> Make:
    def make(scribe: Handler | None = None, **options: object) -> Consumers:
        return Consumers(
            UnitOfWork(pool, service=SERVICE, topic_prefix=prefix),
            [Subscription(NOTES, CONSUMER, scribe or Scribe())],
            kafka=stack.kafka,
            watch_seconds=0.2,
            **options,  # type: ignore[arg-type]
        )

    return make
