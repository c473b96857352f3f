"""The whole way of a mail that was appended wrongly: asked for, told again, opened, read-only (section 7)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.endpoints import Endpoints
from tests.support.in_process import InProcess, built, mailroom_in_process
from tests.support.mailroom import PATIENCE
from tests.support.waiting import eventually


@pytest.fixture
async def mailroom(stack: Endpoints, database_template: str, tmp_path: Path) -> AsyncIterator[InProcess]:
    async with mailroom_in_process(stack, database_template, tmp_path) as mailroom:
        yield mailroom


def letter(mailroom: InProcess, subject: str, answers: str | None = None) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = f"Dan <dan@{mailroom.customers}>", f"help@{mailroom.domain}"
    mail["Subject"], mail["Message-ID"] = subject, f"<{uuid4().hex}@{mailroom.customers}>"
    if answers:
        mail["In-Reply-To"] = mail["References"] = answers
    mail.set_content(f"About: {subject}")
    mail.add_attachment(b"\x89PNG and so on", maintype="image", subtype="png", filename="screen.png")
    return mail


async def tickets(mailroom: InProcess, number: int) -> list[str]:
    """The references of all Tickets, the oldest first, once there are so many."""

    async def found() -> list[str]:
        page = (await mailroom.ask("GET", "/v1/tickets")).json()
        assert len(page["items"]) == number
        return sorted(each["reference"] for each in page["items"])

    return await eventually(found, deadline=PATIENCE)


async def mails(mailroom: InProcess, reference: str) -> list[dict[str, Any]]:
    """What came in on a Ticket, the newest first, as its timeline shows it."""
    page = (await mailroom.ask("GET", f"/v1/tickets/{reference}/timeline")).json()
    shown = [
        each["mail"] for each in page["items"] if each["type"] in ("ticket.opened", "ticket.mail_appended")
    ]
    return [each for each in shown if each["direction"] == "in"]


@asynccontextmanager
async def running(mailroom: InProcess, name: str) -> AsyncIterator[None]:
    """A new process of a service whose old one has ended."""
    service = built(name, mailroom.stack, mailroom.prefix)
    task = asyncio.create_task(service.run())
    try:
        yield
    finally:
        service.stop("the test is over")
        await task


async def test_a_mail_that_was_appended_wrongly_begins_a_ticket_of_its_own(mailroom: InProcess) -> None:
    """CE-3 to CE-7, AMB-32: also when ingest ends in between and another process takes over."""
    first = letter(mailroom, "A printer")
    await mailroom.write(first)
    (old,) = await tickets(mailroom, 1)
    await mailroom.write(letter(mailroom, "A screen", answers=first["Message-ID"]))

    async def both() -> dict[str, Any]:
        shown = await mails(mailroom, old)
        assert len(shown) == 2
        return shown[0]

    wrong = await eventually(both, deadline=PATIENCE)
    path = f"/v1/tickets/{old}/steps/new_from_mail"
    mailroom.services["ingest"].stop("killed")
    asked = await mailroom.ask("POST", path, json={"mail": wrong["id"]}, headers={"Idempotency-Key": "1"})
    assert (asked.status_code, asked.json()["opened"]) == (200, None)
    assert (await mails(mailroom, old))[0]["departure"]["state"] == "requested"
    async with running(mailroom, "ingest"):
        _, new = await tickets(mailroom, 2)
        opened = (await mailroom.ask("GET", f"/v1/tickets/{new}")).json()
        assert opened["title"] == "A screen"
        assert [link["activity"]["reference"] for link in opened["links"]] == [old]
        (there,) = await mails(mailroom, new)
        assert (there["id"], there["read_only"]) == (wrong["id"], False)
        file = await mailroom.ask("GET", there["attachments"][0]["href"])
        assert file.content == b"\x89PNG and so on"
        here = (await mails(mailroom, old))[0]
        assert (here["read_only"], here["departure"]["reference"]) == (True, new)
        again = await mailroom.ask("POST", path, json={"mail": wrong["id"]}, headers={"Idempotency-Key": "2"})
        assert again.json()["opened"] == new
    assert len(await tickets(mailroom, 2)) == 2
