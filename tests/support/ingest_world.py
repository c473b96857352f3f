"""Ingest's readers on a real database, in front of a fake or a real IMAP server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from services.ingest.handlers import on_requests
from services.ingest.imap import Connect, ImapServer
from services.ingest.intake import Intake
from services.ingest.parsing.pool import ParserPool
from services.ingest.reading import ReadLimits
from services.ingest.routing import Routing
from services.ingest.settings import IngestSettings
from services.ingest.supervision import Mailboxes
from shared import organisation, organisation_copy
from shared.blobs import BlobStore
from shared.contracts.activity_organisation import (
    Blocked,
    Criteria,
    Definition,
    Fallback,
    Imap,
    MailboxDefinition,
    OrganisationApplied,
    Process,
    Route,
    Smtp,
    User,
)
from shared.contracts.envelope import Envelope
from shared.contracts.ingest_mails import MailboxPolled, MailReceived
from shared.contracts.ingest_requests import MailForget
from shared.contracts.record import Record
from shared.decoding import Incoming
from shared.keyring import Keyring, generate_keyring
from shared.organisation import Organisations
from shared.outbox import unpack_headers
from shared.postgres import Pool, make_pool, opened
from shared.unit_of_work import UnitOfWork
from tests.support.databases import Database
from tests.support.waiting import eventually

ORGANISATION = "acme"
DOMAIN = "acme.test"
HELP, BILLING = f"help@{DOMAIN}", f"billing@{DOMAIN}"
SERVER = "main"


def raw_mail(
    to: str = HELP,
    *,
    cc: str = "",
    subject: str = "It does not work",
    text: str = "Please help.",
    message_id: str | None = "",
    sender: str = "Jane <jane@customer.example>",
    **headers: str,
) -> bytes:
    """A mail as a customer writes it; `message_id=None` leaves it out, `_` in a header's name is a dash."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = "Sun, 22 Nov 2026 10:00:00 +0000"
    if cc:
        mail["Cc"] = cc
    if message_id is not None:
        mail["Message-ID"] = f"<{message_id or uuid4().hex}@customer.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def mailbox(name: str, domain: str = DOMAIN, **changes: Any) -> MailboxDefinition:
    """A mailbox `name@domain` whose fallback opens Tickets; an alias `<name>-alias` leads nowhere (RT-4)."""
    definition = MailboxDefinition(
        name=name,
        address=f"{name}@{domain}",
        aliases=(f"{name}-alias@{domain}",),
        imap=Imap(server=SERVER, user=f"{name}@{domain}", password="imap"),
        smtp=Smtp(server=SERVER),
        fallback=Fallback(process="requests"),
    )
    return definition.model_copy(update=changes)


def route(name: str, address: str, process: str = "requests", **criteria: Any) -> Route:
    return Route(name=name, address=address, process=process, criteria=Criteria(**criteria))


@dataclass
class World:
    """One database with what is around it. `pool` sees ingest's schema."""

    pool: Pool
    folder: Path
    server: ImapServer
    dsn: str

    def __post_init__(self) -> None:
        keys = generate_keyring()
        self.keyring = Keyring.parse(keys)
        (self.folder / "token_keys").write_text(keys)
        (self.folder / "imap").write_text("secret\n")
        self.work = UnitOfWork(self.pool, service="ingest")
        self.blobs = BlobStore((self.folder / "blobs").as_uri(), "ingest")
        self.version = 0

    def settings(self, **changes: Any) -> IngestSettings:
        values: dict[str, Any] = {
            "kafka_bootstrap": "localhost:1",
            "postgres_dsn": self.dsn,
            "blobs_url": (self.folder / "blobs").as_uri(),
            "secrets_dir": self.folder,
            "imap_servers": {SERVER: self.server},
            "poll_seconds": 0.2,
            "lease_seconds": 1.0,
        }
        return IngestSettings(**(values | changes))

    def intake(self, parser: ParserPool) -> Intake:
        return Intake(self.work, self.blobs, parser, self.keyring, Organisations(), Routing())

    async def configure(
        self,
        *mailboxes: MailboxDefinition,
        users: Sequence[User] = (),
        drafts: Sequence[str] = (),
        blocked: Sequence[Blocked] = (),
    ) -> None:
        """Apply a configuration with these mailboxes, as if it had come from Kafka.

        `drafts` are names of processes beside the one that is live, `requests`.
        """
        self.version += 1
        process = Process(
            name="requests",
            title="Requests",
            company="acme",
            contract="acme",
            service="acme",
            queue="desk",
        )
        definition = Definition(
            organisation=ORGANISATION,
            mailboxes=mailboxes,
            processes=(
                process,
                *(process.model_copy(update={"name": name, "live": False}) for name in drafts),
            ),
            users=tuple(users),
            blocked=tuple(blocked),
        )
        records: list[Record] = [*organisation.sections_of(definition, self.version)]
        records.append(OrganisationApplied(version=self.version, digest=str(self.version)))
        async with self.work.begin() as batch:
            await organisation_copy.store(batch.connection, [(ORGANISATION, record) for record in records])

    @asynccontextmanager
    async def reading(
        self, connect: Connect, limits: ReadLimits | None = None, **settings: Any
    ) -> AsyncIterator[Mailboxes]:
        """All mailboxes are read by one process for as long as this lasts."""
        async with ParserPool() as parser:
            mailboxes = Mailboxes(
                self.intake(parser), self.settings(**settings), connect, limits=limits, look_seconds=0.05
            )
            task = asyncio.create_task(mailboxes.run())
            try:
                yield mailboxes
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def forget(self, *mails: UUID, erase: bool = False) -> None:
        """What activity asks for when it needs mails no more."""
        envelope = Envelope(
            id="1", source="tests", type="mail.forget", time=datetime.now(UTC), organisation=ORGANISATION
        )
        records = [Incoming(envelope, MailForget(mail=mail, erase=erase)) for mail in mails]
        async with ParserPool() as parser:
            assert await self.work.run_each(partial(on_requests, self.intake(parser)), records) == []

    async def published(self) -> list[MailReceived]:
        """What activity would be told of mails, in order."""
        return [record for record in await self.said() if isinstance(record, MailReceived)]

    async def polled(self) -> list[tuple[int | None, MailboxPolled]]:
        """Partition and record of what was said about mailboxes being read to their end."""
        rows = await self.pool.fetch("SELECT value, headers, partition FROM outbox ORDER BY id")
        return [
            (row["partition"], record)
            for row in rows
            if isinstance(record := _record(row["value"], row["headers"]), MailboxPolled)
        ]

    async def published_ids(self) -> list[str]:
        """The `ce_id`s of all that was published about mails."""
        rows = await self.pool.fetch("SELECT headers FROM outbox ORDER BY id")
        headers = [{name: value.decode() for name, value in unpack_headers(row[0])} for row in rows]
        return [found["ce_id"] for found in headers if found["ce_type"] == "mail.received"]

    async def states(self) -> dict[str, int]:
        """How many mails are in each state."""
        rows = await self.pool.fetch("SELECT state, count(*) FROM mails GROUP BY state")
        return {row["state"]: row["count"] for row in rows}

    async def until_read(self, number: int) -> list[MailReceived]:
        """Wait until so many mails are published, and the mailboxes were read to their end since."""

        async def published() -> list[MailReceived]:
            found = await self.published()
            assert len(found) >= number
            return found

        await eventually(published)
        await self.until_polled()
        return await self.published()

    async def until_polled(self) -> None:
        """Wait until every mailbox that is read was looked through once more, from now on."""
        now = await self.pool.fetchval("SELECT clock_timestamp()")

        async def polled() -> bool:
            behind = await self.pool.fetchval(
                "SELECT count(*) FROM mailboxes WHERE holder IS NOT NULL "
                "AND coalesce(polled_until, '-infinity') <= $1",
                now,
            )
            held = await self.pool.fetchval("SELECT count(*) FROM mailboxes WHERE holder IS NOT NULL")
            return bool(held) and behind == 0

        await eventually(polled)

    async def said(self) -> list[MailReceived | MailboxPolled]:
        """All that waits to be published, in order."""
        rows = await self.pool.fetch("SELECT value, headers FROM outbox ORDER BY id")
        return [_record(row["value"], row["headers"]) for row in rows]

    async def row(self, query: str) -> asyncpg.Record:
        """The one row that a query finds; an `AssertionError` when there is none."""
        found = await self.pool.fetchrow(query)
        assert found is not None, query
        return found


def _record(value: bytes, headers: str) -> MailReceived | MailboxPolled:
    type_ = dict(unpack_headers(headers))["ce_type"].decode()
    return (
        MailReceived.model_validate_json(value)
        if type_ == "mail.received"
        else (MailboxPolled.model_validate_json(value))
    )


@asynccontextmanager
async def world_on(database: Database, folder: Path, server: ImapServer) -> AsyncIterator[World]:
    """A world on a fresh database."""
    dsn = database.dsn_of("ingest")
    async with opened(make_pool(dsn, schema="ingest", application="tests")) as pool:
        yield World(pool, folder, server, dsn)
