"""The same steps asked for over Kafka, by a program that knows CloudEvents and the contract."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from shared.contracts.activity_organisation import Queue, Team, User
from tests.support.mailroom import ORGANISATION, PATIENCE, Mailroom
from tests.support.people import Agent, Customer, customer
from tests.support.shared_mailroom import SECOND, with_window
from tests.support.topics import read_all
from tests.support.waiting import eventually

AMELIE = {"kind": "user", "id": "amelie"}
INES = {"kind": "user", "id": "ines"}
OMAR = {"kind": "user", "id": "omar"}
SORTER = {"kind": "robot", "id": "sorter"}


@dataclass
class Program:
    """Another system: asks on `activity.requests.v1`, reads `activity.answers.v1`."""

    mailroom: Mailroom
    producer: "AIOKafkaProducer[bytes, bytes]"
    source: str = "/erp"

    async def ask(self, type_: str, *, id_: str | None = None, **fields: Any) -> str:
        """Send a request; its id."""
        id_ = id_ or str(uuid4())
        headers = {
            "ce_specversion": "1.0",
            "content-type": "application/json",
            "ce_id": id_,
            "ce_source": self.source,
            "ce_type": type_,
            "ce_time": datetime.now(UTC).isoformat(),
            "ce_organisation": ORGANISATION,
        }
        await self.producer.send_and_wait(
            self.mailroom.topic("activity.requests.v1"),
            json.dumps({"type": type_, "actor": AMELIE, **fields}).encode(),
            f"{ORGANISATION}/{fields.get('reference', id_)}".encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
        )
        return id_

    async def answers(self, id_: str, number: int = 1) -> list[tuple[str, dict[str, Any]]]:
        """Wait for so many answers to a request; each with its `ce_id`."""
        topic = self.mailroom.topic("activity.answers.v1")

        async def answered() -> list[tuple[str, dict[str, Any]]]:
            records = await read_all(self.mailroom.stack.kafka, topic)
            told = [(dict(record.headers)["ce_id"].decode(), json.loads(record.value)) for record in records]
            found = [(event, value) for event, value in told if value["request"]["id"] == id_]
            return found if len(found) >= number else []

        found: list[tuple[str, dict[str, Any]]] = await eventually(answered, deadline=PATIENCE, every=0.2)
        assert len(found) == number
        return found

    async def take_next(self, actor: dict[str, str]) -> dict[str, Any]:
        """What `actor` is given to do next, or told instead."""
        return await self.done("ticket.take_next", actor=actor)

    async def done(self, type_: str, **fields: Any) -> dict[str, Any]:
        """Ask, and wait for the one answer."""
        ((_, answer),) = await self.answers(await self.ask(type_, **fields))
        return answer


@pytest.fixture
async def program(mailroom: Mailroom) -> AsyncIterator[Program]:
    async with AIOKafkaProducer(bootstrap_servers=mailroom.stack.kafka_bootstrap) as producer:
        yield Program(mailroom, producer)


async def test_a_ticket_lives_its_whole_life_by_requests_on_kafka(
    mailroom: Mailroom, program: Program
) -> None:
    """T1, T5, T7, T11, T17b, T18, T26, NT-10: what agents do over HTTP, programs do over Kafka."""
    await mailroom.configure(with_window(mailroom.definition, hours=SECOND))
    anna, agent = customer(mailroom), Agent(mailroom)
    person = {"address": anna.address, "name": "Anna Berg"}
    opened = await program.done(
        "ticket.open",
        process="it-request",
        title="New laptop",
        description="Anna needs a new laptop.",
        category="Hardware",
        primary_contact=person,
        requester=person,
        draft=True,
    )
    assert (opened["type"], opened["status"]) == ("request.accepted", "draft")
    reference = opened["reference"]
    for type_, fields, status in (
        ("ticket.submit", {}, "to_do"),
        ("ticket.pick_up", {}, "in_progress"),
        ("ticket.wait", {"days": 2}, "wait"),
        ("ticket.resume", {}, "in_progress"),
        ("ticket.note", {"text": "It is on its way."}, "in_progress"),
        ("ticket.reply", {"text": "It arrives tomorrow."}, "in_progress"),
        ("ticket.resolve", {"method": "with_customer_response"}, "resolved"),
    ):
        answer = await program.done(type_, reference=reference, **fields)
        assert (answer["type"], answer.get("status")) == ("request.accepted", status), answer
    await agent.sees(reference, status="closed")
    reply = await anna.receive(lambda mail: mail["Subject"] == "New laptop")
    assert reference.casefold() in reply["From"].casefold()


async def test_a_refusal_is_an_answer_that_says_what_stands_in_the_way(
    mailroom: Mailroom, program: Program
) -> None:
    """T18, ST-23."""
    anna, agent = customer(mailroom), Agent(mailroom)
    await anna.write("Mouse broken")
    (ticket,) = await agent.finds(anna)
    reference = ticket["reference"]
    refused = await program.done("ticket.resume", reference=reference)
    assert (refused["type"], refused["code"]) == ("request.refused", "not_allowed")
    assert (refused["reference"], refused["state"], refused["step"]) == (reference, "to_do", "resume")
    # The Ticket's version goes on growing meanwhile: its acknowledgement is sent and reported.
    before = (await agent.ticket(reference))["version"]
    stale = await program.done("ticket.pick_up", reference=reference, expected_version=1)
    after = (await agent.ticket(reference))["version"]
    assert stale["code"] == "conflict"
    assert before <= stale["version"] <= after
    unknown = await program.done("ticket.pick_up", reference="999999-T")
    assert (unknown["type"], unknown["code"]) == ("request.refused", "not_found")
    assert (await agent.ticket(reference))["status"] == "to_do"


async def test_a_delivered_mail_makes_nobody_late(mailroom: Mailroom, program: Program) -> None:
    """ST-23: its report grows the version, but nobody was faster."""
    anna, agent = customer(mailroom), Agent(mailroom)
    question = await anna.write("Screen broken")
    (ticket,) = await agent.finds(anna)
    reference = ticket["reference"]
    await anna.receive_answer_to(question)

    async def reported() -> dict[str, dict[str, Any]]:
        entries = {entry["type"]: entry for entry in await agent.timeline(reference)}
        return entries if "ticket.mail_reported" in entries else {}

    entries = await eventually(reported, deadline=PATIENCE, every=0.1)
    seen = entries["ticket.mail_requested"]["version"]
    assert seen < entries["ticket.mail_reported"]["version"]
    taken = await program.done("ticket.pick_up", reference=reference, expected_version=seen)
    assert (taken["type"], taken["status"]) == ("request.accepted", "in_progress")


async def test_a_repeated_request_is_answered_again_and_done_once(
    mailroom: Mailroom, program: Program
) -> None:
    """Guarantee 2: also when the Ticket has moved on since, and when the answer was no."""
    anna, agent = customer(mailroom), Agent(mailroom)
    await anna.write("Keyboard broken")
    (ticket,) = await agent.finds(anna)
    reference = ticket["reference"]
    asked = {
        "ticket.note": {"reference": reference, "text": "Ordered."},
        "ticket.resume": {"reference": reference},
    }
    ids = {type_: await program.ask(type_, **fields) for type_, fields in asked.items()}
    first = {type_: (await program.answers(id_))[0] for type_, id_ in ids.items()}
    await agent.step(reference, "pick_up")
    for type_, id_ in ids.items():
        await program.ask(type_, id_=id_, **asked[type_])
        again = await program.answers(id_, 2)
        assert again == [first[type_], first[type_]]
    notes = [entry["note"] for entry in await agent.timeline(reference) if entry["note"]]
    assert notes == ["Ordered."]


@pytest.fixture
async def counter(mailroom: Mailroom) -> AsyncIterator[Customer]:
    """Somebody whose Tickets stand in a queue of their own, for Inês, Omar and a robot; closed at the end."""
    before = mailroom.definition
    workers = {"teams": ("counter",), "processes": ("it-request",)}
    changes = {
        "teams": (*before.teams, Team(name="counter", title="Counter")),
        "queues": (*before.queues, Queue(name="counter", title="Counter", team="counter")),
        "users": (
            *before.users,
            User(name="ines", title="Inês", **workers),
            User(name="omar", title="Omar", **workers),
            User(name="sorter", title="Sorter", robot=True, **workers),
        ),
        "processes": tuple(
            each.model_copy(update={"queue": "counter"}) if each.name == "it-request" else each
            for each in before.processes
        ),
    }
    await mailroom.configure(before.model_copy(update=changes))
    anna, agent = customer(mailroom), Agent(mailroom)
    yield anna
    # Who has work, or a queue with work in it, stays in the configuration.
    for ticket in await agent.tickets_of(anna):
        await agent.step(ticket["reference"], "pick_up", take_over=True)
        await agent.step(ticket["reference"], "resolve", method="rejected_as_spam")


async def test_a_person_and_a_robot_who_ask_at_once_get_different_tickets(
    mailroom: Mailroom, program: Program, counter: Customer
) -> None:
    """GL-2, ST-24, T7: who asks when nothing is left is told so, and gets what comes in later."""
    agent = Agent(mailroom)
    await counter.write("Keyboard broken")
    await counter.write("Mouse broken")
    tickets = {each["reference"] for each in await agent.finds(counter, 2)}
    given = await asyncio.gather(program.take_next(INES), program.take_next(SORTER))
    assert [(each["type"], each["status"]) for each in given] == [("request.accepted", "in_progress")] * 2
    assert {each["reference"] for each in given} == tickets
    for name, answer in zip(("ines", "sorter"), given, strict=True):
        assert (await agent.ticket(answer["reference"]))["assignee"] == name
    nothing = await program.take_next(OMAR)
    assert (nothing["type"], nothing["code"]) == ("request.refused", "nothing_to_do")
    # Neither lets go of what they have: it is what comes next.
    again = await asyncio.gather(program.take_next(INES), program.take_next(SORTER))
    assert [each["reference"] for each in again] == [each["reference"] for each in given]
    await counter.write("Screen broken")
    (*_, newest) = await agent.finds(counter, 3)
    assert (await program.take_next(OMAR))["reference"] == newest["reference"]
