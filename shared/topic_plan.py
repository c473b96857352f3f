"""Makes a Kafka cluster agree with the table of topics, and lets every consumer begin at the beginning.

Shows what would change first (`plan`), changes only what can be changed without loss (`apply`): it makes
topics, adds partitions and sets configuration, and never deletes anything or takes partitions away.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared import offsets
from shared.kafka_access import KafkaAccess
from shared.kafka_refusals import explained
from shared.offsets import Place
from shared.postgres import ACQUIRE_SECONDS
from shared.readers import LONGEST_KEPT, READERS, Reader
from shared.topic_configuration import REPLICAS, configuration, confirmed_by, kept_for
from shared.topics import TOPICS, Topic

ASK_SECONDS = 30.0
LOOK_SECONDS = 0.05
_SET_ON_TOPIC = 1
"""`config_source` of Kafka's DescribeConfigs: set on the topic itself, not a default."""


class TopicError(Exception):
    """The cluster did not do what it was asked for. The message is a sentence."""


class Action(StrEnum):
    """What has to be done about a topic."""

    MAKE = "make"
    GROW = "grow"
    CONFIGURE = "configure"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between table and cluster; `topic` with its prefix, `sentence` for people."""

    action: Action
    topic: str
    sentence: str
    partitions: int = 0
    configuration: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Present:
    """A topic as the cluster has it; `configuration` holds only what was set on the topic."""

    partitions: int
    configuration: Mapping[str, str]
    replicas: int = 1


def plan(topics: Sequence[Topic], prefix: str, present: Mapping[str, Present]) -> list[Change]:
    """What `apply` would do, in order of the table. Pure."""
    changes: list[Change] = []
    for topic in topics:
        name = prefix + topic.name
        found = present.get(name)
        wanted = configuration(topic) | (confirmed_by(found.replicas) if found else {})
        if found is None:
            said = ", ".join(f"{key}={value}" for key, value in wanted.items())
            sentence = f"{name}: make it with {topic.partitions} partitions, {said}"
            changes.append(Change(Action.MAKE, name, sentence, topic.partitions, wanted))
            continue
        if found.partitions < topic.partitions:
            sentence = (
                f"{name}: grow from {found.partitions} to {topic.partitions} partitions; "
                "the order per key is lost for keys that move"
            )
            changes.append(Change(Action.GROW, name, sentence, topic.partitions))
        elif found.partitions > topic.partitions:
            sentence = (
                f"{name}: has {found.partitions} partitions, more than {topic.partitions}; left as it is"
            )
            changes.append(Change(Action.LEAVE, name, sentence))
        different = {key: value for key, value in wanted.items() if found.configuration.get(key) != value}
        if different:
            said = ", ".join(
                f"{key}={value} (was {found.configuration.get(key, 'the default')})"
                for key, value in different.items()
            )
            # AlterConfigs replaces all that was set, so what somebody else set is said again.
            merged = {**found.configuration, **wanted}
            changes.append(Change(Action.CONFIGURE, name, f"{name}: set {said}", configuration=merged))
    return changes


class Cluster:
    """The few things that are asked of a Kafka cluster; see `connected`."""

    def __init__(self, admin: AIOKafkaAdminClient, kafka: KafkaAccess) -> None:
        self._admin = admin
        self._kafka = kafka

    async def present(self, names: Sequence[str]) -> dict[str, Present]:
        """Those of the topics that exist."""
        there = sorted(set(await self._admin.list_topics()) & set(names))
        if not there:
            return {}
        described = await self._admin.describe_topics(there)
        partitions = {each["topic"]: each["partitions"] for each in described}
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
        configurations: dict[str, dict[str, str]] = {}
        for response in await self._admin.describe_configs(asked):
            for code, message, _, name, entries in response.resources:
                _require(code, message, name)
                configurations[name] = {entry[0]: entry[1] for entry in entries if entry[3] == _SET_ON_TOPIC}
        return {
            name: Present(len(parts), configurations[name], min(len(each["replicas"]) for each in parts))
            for name, parts in partitions.items()
        }

    async def apply(self, changes: Sequence[Change]) -> None:
        """Do what was planned. Raises `TopicError`; what was done before stays, and may be done again."""
        new = [each for each in changes if each.action is Action.MAKE]
        if new:
            brokers = (await self._admin.describe_cluster())["brokers"]
            replicas = min(REPLICAS, len(brokers))
            response = await self._admin.create_topics(
                [
                    NewTopic(
                        each.topic,
                        each.partitions,
                        replicas,
                        topic_configs={**each.configuration, **confirmed_by(replicas)},
                    )
                    for each in new
                ]
            )
            for name, code, message in response.topic_errors:
                if code != TopicAlreadyExistsError.errno:  # somebody else applies the same
                    _require(code, message, name)
        grown = {each.topic: each.partitions for each in changes if each.action is Action.GROW}
        if grown:
            response = await self._admin.create_partitions(
                {name: NewPartitions(total_count=count) for name, count in grown.items()}
            )
            for name, code, message in response.topic_errors:
                _require(code, message, name)
        await self._wait_for({each.topic: each.partitions for each in new} | grown)
        configured = [each for each in changes if each.action is Action.CONFIGURE]
        if configured:
            responses = await self._admin.alter_configs(
                [
                    ConfigResource(ConfigResourceType.TOPIC, each.topic, each.configuration)
                    for each in configured
                ]
            )
            for answer in responses:
                for code, message, _, name in answer.resources:
                    _require(code, message, name)

    async def _wait_for(self, wanted: Mapping[str, int]) -> None:
        """Brokers hear of a new topic a moment after it was made."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                found: Counter[str] = Counter()
                while any(found[topic] < partitions for topic, partitions in wanted.items()):
                    await asyncio.sleep(LOOK_SECONDS if found else 0)
                    found = Counter(place.topic for place in await self.places(list(wanted)))
        except TimeoutError as error:
            raise TopicError(
                f"{', '.join(wanted)}: made, but not there after {ASK_SECONDS:.0f} s."
            ) from error

    async def places(self, names: Sequence[str]) -> list[Place]:
        """All partitions of those of these topics that exist; asking makes none."""
        there = sorted(set(await self._admin.list_topics()) & set(names))
        described = await self._admin.describe_topics(there) if there else []
        return [
            Place(topic["topic"], partition["partition"])
            for topic in described
            for partition in topic["partitions"]
        ]

    async def beginnings(self, names: Sequence[str]) -> dict[Place, int]:
        """The first offset of every partition of these topics."""
        places = await self.places(names)
        consumer: AIOKafkaConsumer[Any, Any] = AIOKafkaConsumer(**self._kafka.client())
        await consumer.start()
        try:
            found = await consumer.beginning_offsets([TopicPartition(*place) for place in places])
        finally:
            await consumer.stop()
        return {Place(tp.topic, tp.partition): offset for tp, offset in found.items()}


@asynccontextmanager
async def connected(kafka: KafkaAccess) -> AsyncIterator[Cluster]:
    """A cluster to plan and apply on. Raises `TopicError` when it does not answer."""
    admin = AIOKafkaAdminClient(**kafka.client(), request_timeout_ms=int(ASK_SECONDS * 1000))
    try:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await admin.start()
        except (KafkaError, OSError, TimeoutError) as error:
            raise TopicError(await explained(kafka, error)) from error
        yield Cluster(admin, kafka)
    finally:
        await admin.close()


async def register(
    admin_dsn: str, readers: Sequence[Reader], prefix: str, beginnings: Mapping[Place, int]
) -> list[tuple[str, Place]]:
    """Give each consumer an offset for every partition it has none for; returns those (design §2).

    New partitions begin at their first record. Raises `TopicError` for a schema that was not migrated.
    """
    made: list[tuple[str, Place]] = []
    connection = await asyncpg.connect(admin_dsn, timeout=ACQUIRE_SECONDS)
    try:
        for reader in readers:
            topic = prefix + reader.topic.name
            begin = {place: offset for place, offset in beginnings.items() if place.topic == topic}
            async with connection.transaction():
                await connection.execute("SELECT set_config('search_path', $1, true)", reader.service)
                try:
                    fresh = await offsets.register(connection, reader.consumer, begin)
                except asyncpg.UndefinedTableError as error:
                    raise TopicError(
                        f"The schema {reader.service!r} has no offsets: run `mailroom migrate` first."
                    ) from error
                made += [(reader.consumer, place) for place in fresh]
    finally:
        await connection.close(timeout=ACQUIRE_SECONDS)
    return made


@dataclass(frozen=True, slots=True)
class Done:
    """What `bring_about` changed, and which consumers begin where."""

    changes: list[Change]
    begun: list[tuple[str, Place, int]]


async def bring_about(kafka: KafkaAccess, admin_dsn: str, prefix: str, days: int = LONGEST_KEPT.days) -> Done:
    """Make the cluster agree with the table, and register every consumer's beginning. Idempotent.

    `days` is for how long topics keep what they do not keep for ever.
    """
    async with connected(kafka) as cluster:
        changes = plan(
            kept_for(days), prefix, await cluster.present([prefix + topic.name for topic in TOPICS])
        )
        await cluster.apply(changes)
        beginnings = await cluster.beginnings(sorted({prefix + reader.topic.name for reader in READERS}))
    made = await register(admin_dsn, READERS, prefix, beginnings)
    return Done(changes, [(consumer, place, beginnings[place]) for consumer, place in made])


def _require(code: int, message: str | None, name: str) -> None:
    if code != 0:
        raise TopicError(f"{name}: {message or for_code(code).__name__}.")
