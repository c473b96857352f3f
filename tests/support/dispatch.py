"""notify at work on a real database, with SMTP servers that do as they are told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from deploy.config.folder import read
from services.notify import store
from services.notify.handlers import Handlers
from services.notify.outgoing import Outgoing
from services.notify.sender import Connect, Sender
from services.notify.settings import NotifySettings
from services.notify.smtp import SmtpServer
from shared import organisation, organisation_copy, outbox
from shared.blobs import BlobStore
from shared.clock import FixedClock
from shared.contracts.activity_organisation import Definition, OrganisationApplied, Rules, Smtp
from shared.contracts.envelope import Envelope
from shared.contracts.mail import Mailbox
from shared.contracts.notify_requests import MailCompose
from shared.contracts.record import Record
from shared.decoding import Incoming
from shared.identity import derive
from shared.organisation import Organisations
from shared.postgres import Pool, make_pool, opened, transaction
from shared.topics import NOTIFY_MAILS
from shared.unit_of_work import UnitOfWork
from tests.support.announcements import Told
from tests.support.databases import Database
from tests.support.fake_smtp import FakeSmtp, Script
from tests.support.letters import CONVERSATION, KEYRING, NOON

SAMPLE = Path("deploy/config/sample")
ACTIVITY = UUID("0199d3a0-5c80-7c3d-8e4f-5a6b7c8d9e0f")


def request(number: int, **changes: Any) -> Incoming[MailCompose]:
    """The `number`-th request of acme: an acknowledgement to a customer of its own."""
    mail = derive(NOON, "tests", "request", number)
    fields: dict[str, Any] = {
        "mail": mail,
        "activity": ACTIVITY,
        "reference": "101203-T",
        "conversation": CONVERSATION,
        "mailbox": "help",
        "to": (Mailbox(address=f"customer{number}@harbour.test"),),
        "template": "acknowledgement",
        "variables": {"queue": "Service desk"},
        "automatic": True,
        "requested": NOON + timedelta(seconds=number),
        "configuration": 1,
    }
    record = MailCompose(**(fields | changes))
    envelope = Envelope(
        id=str(record.mail), source="/mailroom/activity", type=record.type, time=NOON, organisation="acme"
    )
    return Incoming(envelope, record)


def written(number: int, *recipients: str, **changes: Any) -> Incoming[MailCompose]:
    """The `number`-th request of acme: a mail that a person wrote."""
    to = tuple(Mailbox(address=each) for each in recipients or (f"customer{number}@harbour.test",))
    fields = {"to": to, "template": None, "text": "Hello.\n", "subject": "Printer", "automatic": False}
    return request(number, **(fields | changes))


@dataclass
class Dispatch:
    """notify without Kafka. Time stands still until it is moved; `scripts` are the servers by name."""

    pool: Pool
    settings: NotifySettings
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    scripts: dict[str, Script] = field(default_factory=lambda: {"main": Script(), "other": Script()})

    def __post_init__(self) -> None:
        self.blobs = BlobStore(self.settings.blobs_url, "notify")
        self.work = UnitOfWork(self.pool, service="notify", clock=self.clock)
        self.announcements = Told()
        self.organisations = Organisations(self.announcements)
        self.handlers = Handlers(self.organisations, Outgoing(KEYRING, self.blobs))

    async def configure(self, definition: Definition, version: int = 1) -> None:
        """Apply a configuration."""
        records: list[Record] = list(organisation.sections_of(definition, version))
        records.append(OrganisationApplied(version=version, digest=str(version)))
        async with transaction(self.pool) as connection:
            await organisation_copy.store(
                connection, [(definition.organisation, record) for record in records]
            )

    async def ask(self, *requests: Incoming[MailCompose]) -> list[Exception]:
        """Take requests in as one batch; returns what was blamed on them."""
        return [each.error for each in await self.work.run_each(self.handlers.on_requests, requests)]

    async def said(self, *kinds: str) -> list[Any]:
        """What was announced, of these types or all, in order."""
        rows = await self.pool.fetch("SELECT value, headers FROM outbox ORDER BY id")
        records = []
        for row in rows:
            kind = dict(outbox.unpack_headers(row["headers"]))["ce_type"].decode()
            if not kinds or kind in kinds:
                records.append(NOTIFY_MAILS.models[kind].model_validate_json(row["value"]))
        return records

    async def states(self) -> list[str]:
        """The mails' states, in the order of the requests."""
        return [
            row["state"]
            for row in await self.pool.fetch("SELECT state FROM outgoing_mails ORDER BY requested_at")
        ]

    async def row(self, number: int = 1) -> Any:
        mail = derive(NOON, "tests", "request", number)
        return await self.pool.fetchrow("SELECT * FROM outgoing_mails WHERE id = $1", mail)

    async def attempts(self, number: int = 1) -> list[str]:
        """The outcomes of a mail's attempts."""
        mail = derive(NOON, "tests", "request", number)
        query = "SELECT outcome FROM outgoing_attempts WHERE mail = $1 ORDER BY number"
        return [row["outcome"] for row in await self.pool.fetch(query, mail)]

    def sender(self, connect: Connect | None = None) -> Sender:
        """A sender that speaks to the scripted servers, which go by the port's number."""

        def fake(server: SmtpServer, login: Any) -> Any:
            return FakeSmtp(self.scripts[server.host]).connect(server, login)

        return Sender(self.settings, self.work, self.blobs, self.organisations, connect or fake)

    @asynccontextmanager
    async def sending(self, connect: Connect | None = None) -> AsyncIterator[Sender]:
        """A sender at work, stopped at the end."""
        sender = self.sender(connect)
        task = asyncio.create_task(sender.run())
        try:
            yield sender
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def wake(self) -> None:
        """Let the sender look: time was moved."""
        async with transaction(self.pool) as connection:
            await store.wake(connection)


def sample(**rules: Any) -> Definition:
    """The sample organisation; `billing` sends through the server `other`."""
    definition = read(SAMPLE)
    mailboxes = [
        each.model_copy(update={"smtp": Smtp(server="other")}) if each.name == "billing" else each
        for each in definition.mailboxes
    ]
    return definition.model_copy(
        update={"mailboxes": tuple(mailboxes), "rules": Rules(**(definition.rules.model_dump() | rules))}
    )


@asynccontextmanager
async def dispatch(database: Database, folder: Path) -> AsyncIterator[Dispatch]:
    """notify on a database of its own, configured with the sample organisation."""
    servers = {name: SmtpServer(host=name, connections=2) for name in ("main", "other")}
    settings = NotifySettings(
        kafka_bootstrap="unused:1",
        postgres_dsn=database.dsn_of("notify"),
        blobs_url=(folder / "blobs").as_uri(),
        secrets_dir=folder,
        smtp_servers=servers,
    )
    pool = make_pool(settings.postgres_dsn, schema="notify", application="tests")
    async with opened(pool):
        made = Dispatch(pool, settings)
        await made.configure(sample())
        yield made
