"""Those who use Mailroom in tests: customers with mail programs, agents with tokens. They know no service."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import deploy.demo.customer as demo
from tests.support.mailroom import PATIENCE, Mailroom
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Customer:
    """Somebody outside, with a mailbox of their own, whose mail program does as all do."""

    mailroom: Mailroom
    person: demo.Customer

    @property
    def address(self) -> str:
        return self.person.address

    def letter(self, subject: str, text: str = "Please help.", *, to: str = "", cc: str = "") -> EmailMessage:
        """A new mail, not sent."""
        mail = self.person.write(to or self.mailroom.address(), subject, text)
        if cc:
            mail["Cc"] = cc
        return mail

    async def write(
        self, subject: str, text: str = "Please help.", *, to: str = "", cc: str = ""
    ) -> EmailMessage:
        """Send a new mail."""
        mail = self.letter(subject, text, to=to, cc=cc)
        await self.mailroom.send(mail)
        return mail

    async def answer(self, mail: EmailMessage, text: str, *, without: tuple[str, ...] = ()) -> EmailMessage:
        """Answer a mail; `without` are headers that the mail program forgets."""
        answer = self.person.answer(mail, text)
        for header in without:
            del answer[header]
        await self.mailroom.send(answer)
        return answer

    async def inbox(self) -> list[EmailMessage]:
        """All that has come, over IMAP, oldest first."""
        return await asyncio.to_thread(self.person.mailbox)

    async def receive(self, expected: Callable[[EmailMessage], bool]) -> EmailMessage:
        """Wait for a mail."""

        async def come() -> list[EmailMessage]:
            return [mail for mail in await self.inbox() if expected(mail)]

        found: list[EmailMessage] = await eventually(come, deadline=PATIENCE, every=0.2)
        return found[0]

    async def receive_answer_to(self, mail: EmailMessage) -> EmailMessage:
        """Wait for a mail that answers one of theirs."""
        return await self.receive(lambda each: each["In-Reply-To"] == mail["Message-ID"])


def customer(mailroom: Mailroom, name: str = "Anna Berg") -> Customer:
    """Somebody who has never written before."""
    address = f"{name.split()[0].lower()}.{uuid4().hex[:8]}@{mailroom.customers}"
    person = demo.Customer(name, address, mailroom.stack.smtp, mailroom.stack.imap)
    return Customer(mailroom, person)


class Refused(Exception):
    """The problem that a step was answered with."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True)
class Agent:
    """Somebody of a team, at work over HTTP."""

    mailroom: Mailroom
    name: str = "amelie"

    async def look(self, path: str) -> Any:
        answer = await self.mailroom.ask("GET", path, user=self.name)
        if answer.is_error:
            raise Refused(answer.json())
        return answer.json()

    async def tickets_of(self, customer: Customer) -> list[dict[str, Any]]:
        """The Tickets that somebody is a contact of, oldest first."""
        page = await self.look(f"/v1/tickets?limit=200&contact={customer.address}")
        items: list[dict[str, Any]] = page["items"]
        return items[::-1]

    async def ticket(self, reference: str) -> dict[str, Any]:
        ticket: dict[str, Any] = await self.look(f"/v1/tickets/{reference}")
        return ticket

    async def timeline(self, reference: str) -> list[dict[str, Any]]:
        """The newest two hundred events, oldest first."""
        page = await self.look(f"/v1/tickets/{reference}/timeline?limit=200")
        items: list[dict[str, Any]] = page["items"]
        return items[::-1]

    async def step(self, reference: str, step: str, **values: Any) -> dict[str, Any]:
        """Take a step on what was just seen (ST-23). Raises `Refused`."""
        seen = (await self.ticket(reference))["version"]
        answer = await self.mailroom.ask(
            "POST",
            f"/v1/tickets/{reference}/steps/{step}",
            user=self.name,
            json=values,
            headers={"If-Match": f'"{seen}"', "Idempotency-Key": str(uuid4())},
        )
        said: dict[str, Any] = answer.json()
        if answer.is_error:
            raise Refused(said)
        return said

    async def finds(self, customer: Customer, number: int = 1) -> list[dict[str, Any]]:
        """Wait until somebody has so many Tickets; all of them, oldest first."""

        async def there() -> list[dict[str, Any]]:
            tickets = await self.tickets_of(customer)
            return tickets if len(tickets) >= number else []

        found: list[dict[str, Any]] = await eventually(there, deadline=PATIENCE, every=0.1)
        assert len(found) == number, [ticket["reference"] for ticket in found]
        return found

    async def sees(self, reference: str, **expected: Any) -> dict[str, Any]:
        """Wait until a Ticket is as expected."""

        async def so() -> dict[str, Any]:
            ticket = await self.ticket(reference)
            assert {name: ticket[name] for name in expected} == expected
            return ticket

        ticket: dict[str, Any] = await eventually(so, deadline=PATIENCE, every=0.1)
        return ticket
