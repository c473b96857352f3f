"""`mailroom events tail` on a real Kafka: everything that was committed, in order, and no group joined."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.local.endpoints import Endpoints
from shared.topics import ACTIVITY_ACTIVITIES, INGEST_MAILS, NOTIFY_MAILS, Topic
from tests.support.notes import Raw
from tests.support.samples import sample
from tests.support.servers import delete_topics
from tests.support.topics import make_topics, write
from tests.support.waiting import eventually

DAY = "2026-03-01"
SAID = [
    # In the order of their times, over topics and partitions.
    (INGEST_MAILS, "mail.received", 3),
    (ACTIVITY_ACTIVITIES, "ticket.opened", 1),
    (ACTIVITY_ACTIVITIES, "ticket.mail_requested", 2),
    (NOTIFY_MAILS, "mail.composed", 0),
    (NOTIFY_MAILS, "mail.sent", 3),
]


def record(topic: Topic, name: str, partition: int, **headers: str) -> Raw:
    return replace(sample(topic, name).raw(topic, **headers), partition=partition)


@pytest.fixture(scope="module")
async def prefix(stack: Endpoints) -> AsyncIterator[str]:
    """What was said before these tests, in transactions, one of which was given up."""
    prefix = f"t{uuid4().hex[:10]}."
    # What was said long ago must still be there, whenever Kafka looks what it need not keep any more.
    kept = {topic: replace(topic, retention=None) for topic, _, _ in SAID}
    await make_topics(stack.kafka, prefix, *kept.values())
    async with AIOKafkaProducer(
        bootstrap_servers=stack.kafka_bootstrap, transactional_id=f"{prefix}relay"
    ) as producer:

        async def say(raw: Raw, place: int) -> None:
            await producer.send_and_wait(
                prefix + raw.topic,
                raw.value,
                raw.key,
                partition=raw.partition,
                headers=list(raw.headers),
                timestamp_ms=raw.timestamp + place,
            )

        # The last is said first: the order of time is not the order of writing.
        for place, (topic, name, partition) in reversed(list(enumerate(SAID))):
            async with producer.transaction():
                await say(record(topic, name, partition), place)
        await producer.begin_transaction()
        await say(record(NOTIFY_MAILS, "mail.failed", 1), len(SAID))
        await producer.abort_transaction()
    yield prefix
    await delete_topics(stack, prefix)


@pytest.fixture
def where(stack: Endpoints, prefix: str) -> tuple[str, ...]:
    """The options that lead there."""
    return ("--bootstrap", stack.kafka_bootstrap, "--prefix", prefix)


async def tail(*options: str) -> Result:
    return await asyncio.to_thread(
        CliRunner().invoke, app, ["events", "tail", "--no-follow", "--since", DAY, *options]
    )


def types(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [json.loads(each)["headers"]["ce_type"] for each in result.stdout.splitlines()]


async def test_what_was_committed_is_told_in_the_order_of_time_over_all_topics(
    where: tuple[str, ...],
) -> None:
    assert types(await tail(*where, "--json")) == [name for _, name, _ in SAID]


async def test_people_read_a_line_for_each_record(where: tuple[str, ...]) -> None:
    lines = (await tail(*where)).stdout.splitlines()
    assert len(lines) == len(SAID)
    assert "ticket.opened" in lines[1]
    assert "101203-T" in lines[1]
    assert "Opened by" in lines[1]


async def test_only_what_is_asked_for_is_told(where: tuple[str, ...]) -> None:
    assert types(await tail(*where, "--json", "--type", "ticket.*")) == [
        "ticket.opened",
        "ticket.mail_requested",
    ]
    assert types(await tail(*where, "--json", "--topic", "ingest.*")) == ["mail.received"]
    assert types(await tail(*where, "--json", "--organisation", "globex")) == []
    later = ("--since", "2026-03-02")
    assert types(await tail(*where, "--json", *later)) == []


async def test_a_line_of_json_is_the_whole_record(where: tuple[str, ...], prefix: str) -> None:
    result = await tail(*where, "--json", "--type", "mail.sent")
    given = sample(NOTIFY_MAILS, "mail.sent")
    told: dict[str, Any] = json.loads(result.stdout)
    assert (told["topic"], told["partition"]) == (f"{prefix}{NOTIFY_MAILS.name}", 3)
    assert (told["key"], told["headers"], told["value"]) == (given.key, given.headers, given.value)


async def test_a_running_instance_is_found_by_its_home(stack: Endpoints, prefix: str, tmp_path: Path) -> None:
    stack.model_copy(update={"home": tmp_path}).save()
    result = await tail("--home", str(tmp_path), "--prefix", prefix, "--json")
    assert len(types(result)) == len(SAID)


async def test_topics_that_are_not_there_are_said_in_a_sentence(stack: Endpoints) -> None:
    result = await tail("--bootstrap", stack.kafka_bootstrap, "--prefix", "nowhere.")
    assert result.exit_code == 1
    assert result.stderr.startswith("None of the topics is there with the prefix 'nowhere.'")


async def test_a_broker_that_is_away_is_said_in_a_sentence() -> None:
    result = await tail("--bootstrap", "127.0.0.1:9")
    assert result.exit_code == 1
    assert result.stderr.startswith("Kafka does not answer at 127.0.0.1:9")
    assert len(result.stderr.splitlines()) == 1


@pytest.fixture
async def following(stack: Endpoints, topic_prefix: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that tells what comes from now on, on a topic where a mail was sent before."""
    await make_topics(stack.kafka, topic_prefix, NOTIFY_MAILS)
    await write(stack.kafka, topic_prefix, record(NOTIFY_MAILS, "mail.sent", 3))
    where = ("--bootstrap", stack.kafka_bootstrap, "--prefix", topic_prefix)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "events", "tail", "--json", *where),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    yield process
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_from_now_on_until_ctrl_c_without_joining_a_group(
    stack: Endpoints, following: asyncio.subprocess.Process, topic_prefix: str
) -> None:
    assert following.stdout
    assert following.stderr
    told = asyncio.create_task(following.stdout.readline())

    async def heard() -> bool:
        # It says nothing before something comes: it has begun when a record reaches it.
        await write(stack.kafka, topic_prefix, record(NOTIFY_MAILS, "mail.refused", 2))
        await asyncio.wait({told}, timeout=0.2)
        return told.done()

    await eventually(heard)
    assert json.loads(told.result())["headers"]["ce_type"] == "mail.refused"  # and not what stood there
    assert not [group for group in await groups(stack) if topic_prefix.encode() in group]
    following.send_signal(signal.SIGINT)
    assert await following.stderr.read() == b""
    assert await following.wait() == 0


async def groups(stack: Endpoints) -> list[bytes]:
    """What the members of all consumer groups have subscribed to, and what they have committed."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    try:
        found: list[bytes] = []
        for name, _ in await admin.list_consumer_groups():
            for response in await admin.describe_consumer_groups([name]):
                found += [repr(group).encode() for group in response.groups]
            found += [str(place).encode() for place in await admin.list_consumer_group_offsets(name)]
        return found
    finally:
        await admin.close()
