"""Somebody writes nonsense to our topics: it costs only itself, what stands behind goes on (guarantee 5)."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from shared.contracts.dead_letters import EXCEPTION_CLASS, ORIGINAL_TOPIC
from shared.topics import ACTIVITY_REQUESTS, INGEST_MAILS, NOTIFY_MAILS, NOTIFY_REQUESTS, Topic
from tests.support.crowd import Crowd, headers_of
from tests.support.mailroom import ORGANISATION, PATIENCE, Mailroom
from tests.support.people import Agent, customer
from tests.support.topics import read_all
from tests.support.waiting import eventually

Producer: TypeAlias = "AIOKafkaProducer[bytes, bytes]"


@pytest.fixture
async def producer(mailroom: Mailroom) -> AsyncIterator[Producer]:
    async with AIOKafkaProducer(bootstrap_servers=mailroom.stack.kafka_bootstrap) as producer:
        yield producer


def headers(id_: str, type_: str, organisation: str = ORGANISATION) -> list[tuple[str, bytes]]:
    attributes = {
        "specversion": "1.0",
        "id": id_,
        "source": "/nonsense",
        "type": type_,
        "time": datetime.now(UTC).isoformat(),
        "organisation": organisation,
    }
    return [(f"ce_{name}", value.encode()) for name, value in attributes.items()]


async def everywhere(
    mailroom: Mailroom, producer: Producer, topic: Topic, value: bytes | None, said: list[tuple[str, bytes]]
) -> None:
    """Write the same record to each partition, so that whatever comes next stands behind one."""
    for partition in range(topic.partitions):
        key = f"{ORGANISATION}/nonsense".encode()
        await producer.send_and_wait(
            mailroom.topic(topic.name), value, key, partition=partition, headers=said
        )


async def test_mails_behind_nonsense_become_tickets(mailroom: Mailroom, producer: Producer) -> None:
    """What breaks the contract goes to the dead letters; a type that nobody knows is passed over."""
    run = uuid4().hex
    received = headers(f"broken-{run}", "mail.received")
    unknown = headers(f"unknown-{run}", "mail.dreamt")
    await everywhere(mailroom, producer, INGEST_MAILS, b"{not json", received)
    await everywhere(mailroom, producer, INGEST_MAILS, None, received)
    await everywhere(mailroom, producer, INGEST_MAILS, b"{}", unknown)
    await everywhere(mailroom, producer, INGEST_MAILS, b"\x00\xff", [("ce_id", b"\xff")])
    crowd = Crowd(mailroom)
    await crowd.write(15)
    await mailroom.settled()
    dead = await dead_letters(mailroom)
    assert len([said for said in dead if said.get("ce_id") == f"broken-{run}"]) == 2 * INGEST_MAILS.partitions
    assert [said for said in dead if said.get("ce_id") == f"unknown-{run}"] == []
    nameless = [said for said in dead if said.get("ce_specversion") is None]
    here = [said for said in nameless if said[ORIGINAL_TOPIC] == mailroom.topic(INGEST_MAILS.name)]
    assert len(here) == INGEST_MAILS.partitions
    await crowd.check()


async def test_requests_behind_nonsense_are_done_and_nonsense_is_refused(
    mailroom: Mailroom, producer: Producer
) -> None:
    anna, agent = customer(mailroom), Agent(mailroom)
    await anna.write("Cable")
    (ticket,) = await agent.finds(anna)
    reference, run = ticket["reference"], uuid4().hex
    topic = mailroom.topic(ACTIVITY_REQUESTS.name)
    good = {"actor": {"kind": "user", "id": "amelie"}, "reference": reference, "text": "Still here."}
    records: list[tuple[str, str, bytes]] = [
        ("malformed", "ticket.note", b"{not json"),
        ("incomplete", "ticket.note", b"{}"),
        ("unknown", "ticket.sing", json.dumps(good).encode()),
        ("good", "ticket.note", json.dumps(good).encode()),
    ]
    for name, type_, value in records:  # all in one partition, in this order
        await producer.send_and_wait(topic, value, partition=0, headers=headers(f"{name}-{run}", type_))

    async def answered() -> dict[str, Any]:
        found = await read_all(mailroom.stack.kafka, mailroom.topic("activity.answers.v1"))
        values = [json.loads(record.value) for record in found]
        answers = {value["request"]["id"].removesuffix(f"-{run}"): value for value in values}
        assert answers.keys() >= {name for name, _, _ in records}
        return answers

    answers = await eventually(answered, deadline=PATIENCE, every=0.2)
    assert {name: answers[name].get("code") for name, _, _ in records} == {
        "malformed": "malformed_request",
        "incomplete": "malformed_request",
        "unknown": "unknown_request",
        "good": None,
    }
    assert [entry["note"] for entry in await agent.timeline(reference) if entry["note"]] == ["Still here."]


async def test_nobody_waits_for_organisations_and_versions_that_never_were(
    mailroom: Mailroom, producer: Producer
) -> None:
    """Each stands in front of what comes next in its partition, until it is certain that it never was."""
    run, now = uuid4().hex, datetime.now(UTC).isoformat()
    about = {"mail": str(uuid4()), "activity": str(uuid4()), "reference": "1-T", "conversation": "0" * 16}
    report = {**about, "at": now, "reason": "none", "attempts": 1}
    asked = {**about, "mailbox": "help", "to": [{"address": "a@nowhere.test"}], "text": "Hello"}
    asked |= {"automatic": False, "requested": now, "configuration": 10**9}
    strays = (
        ("activity", NOTIFY_MAILS, report, "mail.failed", "nowhere"),
        ("notify", NOTIFY_REQUESTS, asked, "mail.compose", ORGANISATION),
    )
    for _, topic, record, type_, organisation in strays:
        for partition in range(topic.partitions):
            await producer.send_and_wait(
                mailroom.topic(topic.name),
                json.dumps(record).encode(),
                partition=partition,
                headers=headers(f"{run}/{partition}", type_, organisation),
            )
    crowd = Crowd(mailroom)
    await crowd.write(15)
    await mailroom.settled()
    for service, topic, *_ in strays:
        dead = [each for each in await dead_letters(mailroom, service) if run in each.get("ce_id", "")]
        assert len(dead) == topic.partitions
        assert {each[EXCEPTION_CLASS].rpartition(".")[2] for each in dead} == {"NeverAnnounced"}
    await crowd.check()


async def dead_letters(mailroom: Mailroom, service: str = "activity") -> list[dict[str, str]]:
    """The headers of what a service could not work on."""
    found = await read_all(mailroom.stack.kafka, mailroom.topic(f"{service}.dlq.v1"))
    return [headers_of(record) for record in found]
