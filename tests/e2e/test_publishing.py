"""`docs/publishing.md`, as other systems follow it: its programs run, its promises hold (design §4)."""

import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local import jars
from shared.contracts.dead_letters import EXCEPTION_MESSAGE
from shared.decoding import STRUCTURED
from shared.topics import ACTIVITY_REQUESTS, INGEST_REQUESTS, NOTIFY_REQUESTS
from tests.support.mailroom import ORGANISATION, PATIENCE, Mailroom
from tests.support.pages import programs
from tests.support.people import Agent
from tests.support.running import run
from tests.support.topics import read_all
from tests.support.waiting import eventually

PROGRAMS = programs("docs/publishing.md")
# Each with what has to be installed: Debian's kcat, and a JDK.
COMMANDS: Mapping[str, tuple[str, Sequence[str]]] = {
    "open.sh": ("kcat", ["bash", "-e", "open.sh"]),
    "open.py": ("python3", [sys.executable, "open.py"]),
    "Open.java": ("javac", ["java", "Open.java"]),
}
NOW = "2026-03-01T12:00:00Z"
TITLES = {"open.sh": "Laptop, by kcat", "open.py": "Laptop, by Python", "Open.java": "Laptop, by Java"}


def test_the_page_has_no_other_programs() -> None:
    """The connector runs until it is stopped (`test_connectors.py`)."""
    assert PROGRAMS.keys() == {*COMMANDS, "connector.py"}


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_program_on_the_page_opens_a_ticket_and_reads_its_answer(
    mailroom: Mailroom, name: str, tmp_path: Path
) -> None:
    needed, command = COMMANDS[name]
    if shutil.which(needed) is None:
        sentence = f"{needed} is not installed: `apt-get install kcat openjdk-17-jdk-headless`"
        if "MAILROOM_ALL_SERVERS" in os.environ:
            pytest.fail(sentence)
        pytest.skip(sentence)
    (tmp_path / name).write_text(PROGRAMS[name])
    environment = {
        **os.environ,
        "KAFKA": mailroom.stack.kafka_bootstrap,
        "PREFIX": mailroom.prefix,
        "CLASSPATH": jars.class_paths(jars.cache_folder())["kafka"],
    }
    said, _ = await run(command, environment, folder=tmp_path)
    answer = json.loads(said[said.index("{") :])
    assert (answer["type"], answer["request"]["source"]) == ("request.accepted", "/erp"), answer
    ticket = await Agent(mailroom).ticket(answer["reference"])
    assert (ticket["title"], ticket["status"]) == (TITLES[name], "to_do")


@pytest.fixture
async def producer(mailroom: Mailroom) -> "AsyncIterator[AIOKafkaProducer[bytes, bytes]]":
    async with AIOKafkaProducer(bootstrap_servers=mailroom.stack.kafka_bootstrap) as producer:
        yield producer


DATA = {"actor": {"kind": "integration", "id": "erp"}, "process": "it-request"}
GOOD = json.dumps(DATA).encode()
WRONG = json.dumps({"actor": {"kind": "person", "id": "erp"}, "process": "it-request"}).encode()

# By the kind: attributes that differ (None is left out), content type, value; the answer's code and sentence.
ANSWERED: Mapping[str, tuple[Mapping[str, str | None], str | None, bytes | None, str, str]] = {
    "no type": (
        {"type": None},
        None,
        GOOD,
        "malformed_request",
        "ce_type is missing, expected what is asked",
    ),
    "no organisation": (
        {"organisation": None},
        None,
        GOOD,
        "malformed_request",
        "ce_organisation is missing",
    ),
    "no source": ({"source": None}, None, GOOD, "malformed_request", "ce_source is missing"),
    "wrong time": ({"time": "soon"}, None, GOOD, "malformed_request", "such as 2026-03-01T12:00:00Z"),
    "no specversion": ({"specversion": None}, None, GOOD, "malformed_request", "expected '1.0'"),
    "no JSON": ({}, None, b"{not json", "malformed_request", "the value: Invalid JSON"),
    "no value": ({}, None, None, "malformed_request", "the value: Invalid JSON"),
    "unknown type": ({"type": "ticket.sing"}, None, GOOD, "unknown_request", "it knows ticket.open, "),
    "wrong field": ({}, None, WRONG, "malformed_request", "actor.kind: Input should be 'user', 'robot'"),
    "missing fields": ({}, None, b"{}", "malformed_request", "process: Field required"),
    "unknown organisation": ({"organisation": "nowhere"}, None, GOOD, "unknown_organisation", "'nowhere'"),
    "content type": ({}, "text/xml", GOOD, "malformed_request", "content-type is 'text/xml', expected"),
    "batched with an id": (
        {},
        "application/cloudevents-batch+json",
        b"[]",
        "malformed_request",
        "one a record",
    ),
    "incomplete": ({}, "application/json", GOOD, "incomplete", "primary contact"),
}
DEAD: Mapping[str, tuple[Mapping[str, str | None], str | None, bytes | None, str]] = {
    "no id": ({"id": None}, None, GOOD, "ce_id is missing, expected a text of 1 to 512 characters"),
    "no attributes": (
        dict.fromkeys(("id", "specversion", "source")),
        None,
        GOOD,
        "ce_specversion is missing",
    ),
    "batched": (
        dict.fromkeys(("id", "specversion")),
        "application/cloudevents-batch+json",
        b"[]",
        "one a record",
    ),
    "structured, no JSON": ({"id": None}, STRUCTURED, b"{", "the value: Invalid JSON"),
    "structured, no object": ({"id": None}, STRUCTURED, b"[]", "the value is no JSON object"),
}


def headers(id_: str, changed: Mapping[str, str | None], media: str | None) -> list[tuple[str, bytes]]:
    attributes: dict[str, str | None] = {
        "specversion": "1.0",
        "id": id_,
        "source": "/erp",
        "type": "ticket.open",
        "time": NOW,
        "organisation": ORGANISATION,
        **changed,
    }
    told = [(f"ce_{name}", value.encode()) for name, value in attributes.items() if value is not None]
    return told + ([("content-type", media.encode())] if media else [])


async def test_every_wrong_request_is_told_what_is_wrong_or_is_a_dead_letter_that_says_so(
    mailroom: Mailroom, producer: "AIOKafkaProducer[bytes, bytes]"
) -> None:
    run = uuid4().hex
    topic = mailroom.topic(ACTIVITY_REQUESTS.name)
    for name, (changed, media, value, _, _) in ANSWERED.items():
        await producer.send(topic, value, b"wrong", headers=headers(f"{name}/{run}", changed, media))
    for name, (changed, media, value, _) in DEAD.items():
        await producer.send(topic, value, f"{name}/{run}".encode(), headers=headers("?", changed, media))
    await producer.flush()

    async def answered() -> dict[str, Any]:
        records = await read_all(mailroom.stack.kafka, mailroom.topic("activity.answers.v1"))
        answers = {value["request"]["id"]: value for value in (json.loads(each.value) for each in records)}
        found = {name: answers.get(f"{name}/{run}") for name in ANSWERED}
        assert None not in found.values()
        return found

    for name, answer in (await eventually(answered, deadline=PATIENCE, every=0.2)).items():
        *_, code, sentence = ANSWERED[name]
        assert (name, answer["code"]) == (name, code)
        assert sentence in answer["detail"], name

    async def dead() -> dict[str, str]:
        records = await read_all(mailroom.stack.kafka, mailroom.topic("activity.dlq.v1"))
        letters = {each.key: dict(each.headers)[EXCEPTION_MESSAGE].decode() for each in records}
        found = {name: letters[key] for name in DEAD if (key := f"{name}/{run}".encode()) in letters}
        assert found.keys() == DEAD.keys()
        return found

    for name, sentence in (await eventually(dead, deadline=PATIENCE, every=0.2)).items():
        assert DEAD[name][-1] in sentence, name


async def test_structured_mode_is_understood_by_every_service_that_is_asked(
    mailroom: Mailroom, producer: "AIOKafkaProducer[bytes, bytes]"
) -> None:
    """activity opens a Ticket, notify answers what is wrong with the data, ingest knows the type."""
    run = uuid4().hex

    async def ask(topic: str, type_: str, data: Mapping[str, Any]) -> None:
        event = {"specversion": "1.0", "id": run, "source": "/erp", "type": type_, "time": NOW}
        event |= {"organisation": ORGANISATION, "data": data}
        media = [("content-type", f"{STRUCTURED}; charset=utf-8".encode())]
        await producer.send_and_wait(
            mailroom.topic(topic), json.dumps(event).encode(), run.encode(), headers=media
        )

    anna = {"address": f"anna@{mailroom.customers}"}
    whole = {**DATA, "title": "A", "description": "B", "category": "Hardware"}
    await ask(ACTIVITY_REQUESTS.name, "ticket.open", {**whole, "primary_contact": anna, "requester": anna})
    await ask(NOTIFY_REQUESTS.name, "mail.compose", {})
    await ask(INGEST_REQUESTS.name, "mail.sing", {})

    async def told(topic: str, place: str) -> str:
        for record in await read_all(mailroom.stack.kafka, mailroom.topic(topic)):
            if record.key is not None and run in record.key.decode():
                return str(
                    dict(record.headers)[place].decode() if place in dict(record.headers) else record.value
                )
        return ""

    for topic, place, sentence in (
        ("activity.answers.v1", "value", "request.accepted"),
        ("notify.mails.v1", "value", "mail: Field required"),
        ("ingest.dlq.v1", EXCEPTION_MESSAGE, "this version knows no 'mail.sing'; it knows mail.set_aside"),
    ):

        async def said(topic: str = topic, place: str = place) -> str:
            return await told(topic, place)

        assert sentence in await eventually(said, deadline=PATIENCE, every=0.2)
