"""An organisation at work: activity's use case on a real database, with mails and requests made by hand."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.activity.approval_links import ApprovalLinks
from services.activity.numbers import Numbers
from services.activity.store_requests import Answered, RequestKey
from services.activity.work import Work
from shared import organisation, organisation_copy, references
from shared.clock import FixedClock
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import (
    Category,
    Company,
    Contract,
    Definition,
    Fallback,
    Imap,
    MailboxDefinition,
    OrganisationApplied,
    Process,
    Queue,
    Service,
    Smtp,
    Template,
    TemplateText,
    User,
)
from shared.contracts.envelope import Envelope
from shared.contracts.ingest_mails import Answered as AnsweredToken
from shared.contracts.ingest_mails import MailReceived, PlusReference, Routed, Target
from shared.contracts.mail import Content, Mailbox
from shared.contracts.notify_mails import OutgoingMail
from shared.contracts.record import Record, types_of
from shared.decoding import Incoming
from shared.identity import derive
from shared.keyring import Keyring
from shared.organisation import Organisations
from shared.postgres import Pool, transaction
from shared.unit_of_work import Batch, Culprit, UnitOfWork
from tests.support.announcements import Told

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ACME = "acme"
HELP, BILLING = "help@acme.test", "billing@acme.test"
CARLA = "Carla.Customer@harbour.test"
LINKS = ApprovalLinks(Keyring(1, {1: b"k" * 32}), "https://mailroom.test")


def mailbox(name: str, process: str) -> MailboxDefinition:
    return MailboxDefinition(
        name=name,
        address=f"{name}@acme.test",
        display_name=name.title(),
        imap=Imap(server="main", user=name, password=f"{name}_imap"),
        smtp=Smtp(server="main"),
        fallback=Fallback(process=process, category="Other", send_automated_emails=True),
    )


def process(name: str, **changes: Any) -> Process:
    fields: dict[str, Any] = {
        "name": name,
        "title": f"Process {name}",
        "company": "harbour",
        "contract": "support",
        "service": "it",
        "queue": "desk",
        "default_mailbox": "help",
        "categories": (Category(path="Other"), Category(path="Hardware")),
        "feedback_window_hours": 72,
        "acknowledgement": "ack",
        "no_response": "silence",
        "split": "parts",
    }
    return Process(**fields | changes)


DEFINITION = Definition(
    organisation=ACME,
    companies=(Company(name="harbour", title="Harbour Logistics"),),
    contracts=(Contract(name="support", title="Support", company="harbour"),),
    services=(Service(name="it", title="Workplace IT", contract="support"),),
    queues=(Queue(name="desk", title="Service desk"),),
    processes=(
        process("request"),
        process("invoice", default_mailbox="billing", language="fr", feedback_window_hours=0),
    ),
    users=(
        User(name="amelie", title="Amélie", processes=("request", "invoice")),
        User(name="bruno", title="Bruno", processes=("request",)),
        User(name="clara", title="Clara", processes=("invoice",)),
    ),
    mailboxes=(mailbox("help", "request"), mailbox("billing", "invoice")),
    templates=tuple(
        Template(name=name, texts={"en": TemplateText(subject=name, text="{{ reference }}")})
        for name in ("ack", "silence", "parts")
    ),
)


def addressed(address: str, routed: bool = True) -> Target:
    """A target at one of our mailboxes, with the fallback's route."""
    name = address.partition("@")[0]
    way = Routed(
        route="fallback",
        process={"help": "request", "billing": "invoice"}[name],
        category="Other",
        send_automated_emails=True,
    )
    return Target(mailbox=name, address=address, routed=way if routed else None)


def received(
    subject: str = "My printer",
    *,
    message_id: str,
    to: Sequence[str] = (HELP,),
    cc: Sequence[str] = (),
    sender: str = CARLA,
    name: str = "Carla Customer",
    in_reply_to: str | None = None,
    plus: Sequence[PlusReference] = (),
    answered: Sequence[AnsweredToken] = (),
    targets: Sequence[Target] | None = None,
    automatic: str | None = None,
    conversation: str = "0123456789abcdef",
    at: datetime = NOON,
) -> Incoming[MailReceived]:
    """A mail as ingest publishes it. Its id follows from its Message-ID, like ingest's."""
    if targets is None:
        ours = (each for each in (*to, *cc) if each.endswith("@acme.test") and "+" not in each)
        targets = [addressed(each) for each in ours] or [addressed(HELP, routed=False)]
    mail = MailReceived(
        mail=derive(at, "tests/mail", message_id, 0),
        mailbox=targets[0].mailbox,
        conversation=conversation,
        message_id=message_id,
        in_reply_to=(in_reply_to,) if in_reply_to else (),
        received=at,
        sender=Mailbox(address=sender, name=name),
        to=tuple(Mailbox(address=each) for each in to),
        cc=tuple(Mailbox(address=each) for each in cc),
        content=Content(subject=subject, text=f"Text of {message_id}"),
        automatic=automatic,
        answered=tuple(answered),
        plus=tuple(plus),
        targets=tuple(targets),
        configuration=1,
    )
    where = "+".join(target.mailbox for target in targets)
    return incoming(mail, f"{message_id}/{where}", source="tests/ingest", at=at)


def incoming(
    record: Record, id_: str, *, source: str = "tests", at: datetime = NOON, org: str = ACME
) -> Incoming[Any]:
    envelope = Envelope(id=id_, source=source, type=record.type, time=at, organisation=org)
    return Incoming(envelope, record)


def type_for(kind: type[asked.Request], reference: str) -> str:
    """The name that a request goes by on the activity of this reference; its first, if it has none there."""
    parsed = references.parse(reference)
    names = types_of(kind)
    return next((name for name in names if parsed and name.startswith(f"{parsed.kind}.")), names[0])


def user(name: str) -> asked.Actor:
    return asked.Actor(kind=asked.ActorKind.USER, id=name)


@dataclass
class Office:
    """Does what consumers, HTTP and timers do, on `pool`; time stands still until it is moved.

    Who works on several batches at the same time gives `numbers`, a pool of its own, as in the service.
    """

    pool: Pool
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    numbers: "Pool | None" = None

    def __post_init__(self) -> None:
        self.announcements = Told()
        self.organisations = Organisations(self.announcements)
        self.work = Work(self.organisations, Numbers(self.numbers or self.pool), links=LINKS)
        self.unit = UnitOfWork(self.pool, service="activity", clock=self.clock)
        self._asked = 0

    async def configure(self, definition: Definition = DEFINITION, version: int = 1) -> None:
        """Let this be the configuration."""
        records = organisation.sections_of(definition, version)
        applied = OrganisationApplied(version=version, digest=str(version))
        async with transaction(self.pool) as connection:
            await organisation_copy.store(
                connection, [(definition.organisation, record) for record in (*records, applied)]
            )

    async def take_in(self, *records: Incoming[Any]) -> None:
        """Work on records as one batch; what fails by itself is raised."""
        for culprit in await self.attempt(*records):
            raise culprit.error

    async def attempt(self, *records: Incoming[Any]) -> list[Culprit]:
        """Work on records as one batch; what fails by itself is returned."""

        async def work(batch: Batch[Any]) -> None:
            await self.work.perform(batch, batch.records)

        return await self.unit.run_each(work, records)

    async def ask(self, request: asked.Request, id_: str | None = None, org: str = ACME) -> dict[str, Any]:
        """Ask for a step; returns the answer. Without an id it gets one of its own."""
        self._asked += 1
        one = incoming(request, id_ or f"request-{self._asked}", at=self.clock.now(), org=org)

        async def work(batch: Batch[Any]) -> Mapping[RequestKey, Answered]:
            return await self.work.perform(batch, batch.records)

        answers = await self.unit.run(work, [one])
        return answers[org, "tests", one.envelope.id].told

    async def step(
        self, kind: type[asked.OnActivity], reference: str, by: str = "amelie", **fields: Any
    ) -> Any:
        """A step of a user; returns the answer."""
        return await self.ask(
            kind(type=type_for(kind, reference), actor=user(by), reference=reference, **fields)
        )

    async def report(self, report: OutgoingMail) -> None:
        await self.take_in(incoming(report, f"{report.type}/{report.mail}", source="tests/notify"))

    # Looks

    async def ticket(self, reference: str) -> Any:
        row = await self.pool.fetchrow("SELECT * FROM activities WHERE reference = $1", reference)
        assert row is not None, f"there is no {reference}"
        return row

    async def tickets(self) -> list[Any]:
        return list(await self.pool.fetch("SELECT * FROM activities ORDER BY number"))

    async def history(self, reference: str) -> list[Any]:
        id_ = (await self.ticket(reference))["id"]
        return list(await self.pool.fetch("SELECT * FROM history WHERE activity = $1 ORDER BY version", id_))

    async def rules(self, reference: str) -> list[tuple[str, str]]:
        """Type and rule of each event."""
        return [(row["type"].partition(".")[2], row["rule"]) for row in await self.history(reference)]

    async def mails(self, reference: str) -> list[UUID]:
        """The mails that came in on a Ticket, in the order of their events, the opening one first."""
        ticket = await self.ticket(reference)
        appended = [
            row["mail"] for row in await self.history(reference) if row["type"] == "ticket.mail_appended"
        ]
        return [*([ticket["opening_mail"]] if ticket["opening_mail"] else []), *appended]

    async def said(self, topic: str, type_: str | None = None) -> list[dict[str, Any]]:
        """The records in the outbox for a topic, in order, each with its headers under `headers`."""
        rows = await self.pool.fetch(
            "SELECT key, value, headers FROM outbox WHERE topic = $1 AND value IS NOT NULL ORDER BY id",
            topic,
        )
        found = [
            {
                **json.loads(row["value"]),
                "key": row["key"].decode(),
                "headers": dict(json.loads(row["headers"])),
            }
            for row in rows
        ]
        return [record for record in found if type_ in (None, record["type"])]

    async def written(self) -> list[Any]:
        """All that a step could have changed, to be compared with what it is later."""
        tables = ("activities", "history", "contacts", "activity_contacts", "notes", "mails", "timers")
        rows = "SELECT array_agg(t::text ORDER BY t::text) FROM {} AS t"
        return [await self.pool.fetchval(rows.format(table)) for table in tables]

    async def asked_of_notify(self) -> list[dict[str, Any]]:
        return await self.said("notify.requests.v1")

    async def advance(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))
