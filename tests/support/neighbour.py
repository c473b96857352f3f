"""A second organisation on the Mailroom that tests share, which answers mail by itself as the first does."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from uuid import uuid4

import httpx

from shared import local_issuer
from shared.auth import Principal
from shared.contracts.activity_organisation import Definition
from tests.support.mailroom import OPERATORS, PATIENCE, Mailroom
from tests.support.people import customer
from tests.support.waiting import eventually

_OPENED_BY = """
SELECT count(*) FROM activities
JOIN mails ON mails.organisation = activities.organisation AND mails.id = activities.opening_mail
WHERE mails.sender->>'address' = $1
"""


@dataclass(frozen=True)
class Counts:
    """Of the neighbour: its Tickets, the mails that it was to send, the Tickets that its mails opened."""

    tickets: int
    answers: int
    told: int


@dataclass(frozen=True)
class Neighbour:
    """An organisation with one mailbox. Neither knows the other's signatures."""

    mailroom: Mailroom
    name: str
    address: str

    def letter(self) -> EmailMessage:
        """A mail that somebody there writes to us, and that says nothing of being automatic."""
        mail = customer(self.mailroom).letter("Please help")
        mail.replace_header("From", self.address)
        return mail

    async def configure(self, definition: Definition) -> None:
        """Apply this to it."""
        principal = Principal("operator", self.name, "user", OPERATORS)
        token = local_issuer.issue(
            self.mailroom.seen.home / "secrets", principal, now=datetime.now(UTC), lifetime=timedelta(hours=1)
        )
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
            answer = await http.put(
                f"{self.mailroom.url('activity')}/v1/configuration",
                headers={"Authorization": f"Bearer {token}"},
                json=definition.model_dump(mode="json"),
            )
        assert answer.status_code == 200, answer.text

    async def settled(self) -> None:
        """All that lies in either's mailboxes has had its effect."""
        now = datetime.now(UTC)
        told = "SELECT bool_and(until > $2) FROM polled_mailboxes WHERE organisation = $1"
        await eventually(lambda: self._count("activity", told, self.name, now), deadline=PATIENCE, every=0.1)
        await self.mailroom.settled()

    async def counts(self) -> "Counts":
        """What became of its mail so far."""
        return Counts(
            await self._count(
                "activity", "SELECT count(*) FROM activities WHERE organisation = $1", self.name
            ),
            await self._count(
                "notify", "SELECT count(*) FROM outgoing_mails WHERE organisation = $1", self.name
            ),
            await self._count("activity", _OPENED_BY, self.address),
        )

    async def _count(self, service: str, query: str, *values: object) -> int:
        async with self.mailroom.tables(service) as tables:
            return int(await tables.fetchval(query, *values) or 0)


async def neighbour_of(mailroom: Mailroom, definition: Definition) -> Neighbour:
    """A new organisation like `definition`. It stays: a mailbox that has Tickets cannot be taken away."""
    name = f"n{uuid4().hex[:8]}"
    other = Neighbour(mailroom, name, f"{name}@{mailroom.customers}")
    like = definition.mailboxes[0]
    mailbox = like.model_copy(
        update={
            "name": name,
            "address": other.address,
            "aliases": (),
            "routes": (),
            "imap": like.imap.model_copy(update={"user": other.address}),
        }
    )
    processes = [each.model_copy(update={"default_mailbox": name}) for each in definition.processes]
    await other.configure(
        definition.model_copy(
            update={"organisation": name, "mailboxes": (mailbox,), "processes": tuple(processes)}
        )
    )
    return other
