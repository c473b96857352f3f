"""Databases are put back to a backup while mail flows, and caught up: nothing is lost, nothing happens twice.

Guarantees 1 and 2, on all three services, with the commands that people use. What is checked is in
tests/support/crowd.py: each mail has one Ticket, each customer one acknowledgement, no reference is given
twice, and what stands in the topics under one id is the same.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.instance import SERVICES
from deploy.local.endpoints import Endpoints
from tests.support.crowd import Crowd
from tests.support.mailroom import Mailroom
from tests.support.people import Agent, customer
from tests.support.shared_mailroom import running_mailroom


@pytest.fixture(scope="module")
async def mailroom(
    stack: Endpoints, database_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mailroom]:
    """One of its own: its schemas are thrown away."""
    folder = tmp_path_factory.mktemp("restored")
    async with running_mailroom(stack, database_template, folder) as running:
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
