"""Databases are put back to a backup while mail flows, and caught up: nothing is lost, nothing happens twice.

Guarantees 1 and 2, on all three services, with the commands that people use. What is checked is in
tests/support/crowd.py: each mail has one Ticket, each customer one acknowledgement, no reference is given
twice, and what stands in the topics under one id is the same.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.instance import SERVICES
from deploy.local.endpoints import Endpoints
from tests.support.crowd import Crowd
from tests.support.mailroom import PATIENCE, Mailroom
from tests.support.people import Agent, Customer, customer
from tests.support.shared_mailroom import running_mailroom
from tests.support.waiting import eventually


def looking_often(name: str, seen: Endpoints) -> Mapping[str, str]:
    """Settings under which nobody waits an hour for what has to go."""
    return {"MAILROOM_RETENTION_SECONDS": "1"}


@pytest.fixture(scope="module")
async def mailroom(
    stack: Endpoints, database_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mailroom]:
    """One of its own: its schemas are thrown away."""
    folder = tmp_path_factory.mktemp("restored")
    async with running_mailroom(stack, database_template, folder, looking_often) as running:
        yield running


async def command(mailroom: Mailroom, name: str, *arguments: str) -> str:
    """`mailroom <name>` on this Mailroom's servers; what it says. Raises `AssertionError` if it fails."""
    kafka = ("--bootstrap", mailroom.stack.kafka_bootstrap, "--prefix", mailroom.prefix)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", name, "--dsn", mailroom.database.dsn, *arguments),
        *(kafka if name == "recover" else ()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def put_back(mailroom: Mailroom, backups: Path, *services: str) -> None:
    """Stop, restore, recover, start: as docs/operating.md says."""
    named = [part for service in services for part in ("--service", service)]
    for service in services:
        assert await mailroom.stop(service) == 0
    await command(mailroom, "restore", "--from", str(backups), "--replace", *named)
    await command(mailroom, "recover", *named)
    for service in services:
        await mailroom.start(service)


async def test_schemas_that_were_put_back_and_recovered_lose_and_repeat_nothing(
    mailroom: Mailroom, tmp_path: Path
) -> None:
    """Each in turn, then all at once, to one backup that gets older and older."""
    crowd, agent, anna = Crowd(mailroom), Agent(mailroom), customer(mailroom)
    await crowd.write(6)
    await mailroom.settled()
    await command(mailroom, "backup", "--to", str(tmp_path))
    # What the backup does not know: new mails, answers to old ones, steps over HTTP, and mail for them.
    await crowd.write(6)
    await crowd.answer(3)
    await anna.write("The printer burns")
    (ticket,) = await agent.finds(anna)
    reference = ticket["reference"]
    await agent.step(reference, "pick_up")
    await agent.step(reference, "note", text="It is the blue one.")
    await agent.step(reference, "reply", text="Which one?")
    await mailroom.settled()
    before, mails = await agent.ticket(reference), len(await anna.inbox())
    for services in (("ingest",), ("activity",), ("notify",), SERVICES):
        await crowd.write(3)  # under way while it stops
        await put_back(mailroom, tmp_path, *services)
        await crowd.write(3)
        await crowd.answer(3)
        await mailroom.settled()
        await crowd.check()
        after = await agent.ticket(reference)
        assert {name for name in before if before[name] != after[name]} == set(), services
        assert len(await anna.inbox()) == mails


# Files, and who was erased


class Desk:
    """Amélie at her desk: what she does with files and with people."""

    def __init__(self, mailroom: Mailroom) -> None:
        self._mailroom = mailroom
        self.agent = Agent(mailroom)

    async def _done(self, method: str, path: str, **request: Any) -> Any:
        headers = {"Idempotency-Key": uuid4().hex}
        answer = await self._mailroom.ask(method, path, headers=headers, **request)
        assert answer.is_success, answer.text
        return answer.json()

    async def put(self, reference: str, name: str) -> str:
        """Put a file on a Ticket, whose bytes are its name; its id."""
        path = f"/v1/tickets/{reference}/files"
        file: str = (await self._done("POST", path, params={"name": name}, content=name.encode()))["file"]
        return file

    async def remove(self, reference: str, file: str) -> None:
        await self._done("DELETE", f"/v1/tickets/{reference}/files/{file}")

    async def files(self, reference: str) -> dict[str, bytes]:
        """The files of a Ticket by their names, with their bytes."""
        shown = (await self.agent.ticket(reference))["files"]
        return {each["name"]: (await self._mailroom.ask("GET", each["href"])).content for each in shown}

    async def erase(self, person: Customer) -> None:
        contacts = await self.agent.look(f"/v1/contacts?search={person.address}")
        (contact,) = contacts["items"]
        body = {"reason": "asked_for", "open_tickets": True}
        await self._done("POST", f"/v1/contacts/{contact['id']}/erase", json=body)


# Who was sent an automatic mail is noted for two hours, whoever it was: so many may be sent to one address.
OF_THE_MOMENT = "notify.automatic_mails"


async def left(mailroom: Mailroom, *words: str) -> set[str]:
    """The tables of all services in which one of these words still stands, as text or in bytes."""
    found = set()
    for service in SERVICES:
        async with mailroom.tables(service) as tables:
            names = await tables.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1", service)
            for (name,) in names:
                for word in words:
                    there = f"SELECT EXISTS (SELECT FROM {name} AS t WHERE t::text ILIKE ANY ($1::text[]))"
                    if await tables.fetchval(there, [f"%{word}%", f"%{word.encode().hex()}%"]):
                        found.add(f"{service}.{name}")
    return found - {OF_THE_MOMENT}


async def test_files_are_there_or_gone_as_before_and_who_was_erased_stays_away(
    mailroom: Mailroom, tmp_path: Path
) -> None:
    """NT-15, NT-16, NT-20, CT-21: the backup knows files that are gone, and people who were erased since."""
    desk, anna = Desk(mailroom), customer(mailroom)
    # One whom the backup knows, and one who came after it: both were erased.
    known, unknown = customer(mailroom, "Quentin Quay"), customer(mailroom, "Zelda Zwin")
    words = ("quentin", "zelda", "sprained", "fractured")
    await anna.write("The floor plan")
    await known.write("My leg", "It is sprained.")
    (plan,), (leg,) = await desk.agent.finds(anna), await desk.agent.finds(known)
    for name in ("kept.txt", "removed.txt"):
        await desk.put(plan["reference"], name)
    await desk.agent.step(leg["reference"], "reply", text="So it is sprained, Quentin?")
    await mailroom.settled()
    await command(mailroom, "backup", "--to", str(tmp_path))
    files = {each["name"]: each["id"] for each in (await desk.agent.ticket(plan["reference"]))["files"]}
    await desk.remove(plan["reference"], files["removed.txt"])
    await desk.agent.step(plan["reference"], "edit_file", file=files["kept.txt"], name="renamed.txt")
    await desk.put(plan["reference"], "added.txt")
    await unknown.write("My arm", "It is fractured.")
    (arm,) = await desk.agent.finds(unknown)
    await desk.agent.step(arm["reference"], "reply", text="So it is fractured, Zelda?")
    await mailroom.settled()
    assert "ingest.mails" in await left(mailroom, *words)
    for person in (known, unknown):
        await desk.erase(person)
    await mailroom.settled()

    async def forgotten() -> bool:
        there = await left(mailroom, *words)
        assert not there, there
        return True

    await eventually(forgotten, deadline=PATIENCE, every=0.2)
    tickets = [each["reference"] for each in (plan, leg, arm)]
    before = [await desk.agent.ticket(each) for each in tickets]
    for services in (("activity",), SERVICES):
        await put_back(mailroom, tmp_path, *services)
        await mailroom.settled()
        await eventually(forgotten, deadline=PATIENCE, every=0.2)
        assert [await desk.agent.ticket(each) for each in tickets] == before, services
        found = await desk.files(plan["reference"])
        assert found == {"renamed.txt": b"kept.txt", "added.txt": b"added.txt"}, services
    # Whoever was erased is nobody's earlier contact when they write again.
    await known.write("My other leg")
    assert len(await desk.agent.finds(known)) == 1
