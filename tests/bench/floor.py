"""The floor: the same bytes through the same hops, without any rules. FROZEN.

Mailroom's figures are told as ratios against this script, run on the same machine in the same minutes. So it
must stay as it is: a change to it makes all older ratios worthless, and needs a page in `docs/decisions/`
that says why. It imports nothing of Mailroom.

    Dovecot -> IMAP in pages of 200 -> Rust parser -> one transaction per page: raw mails, outbox
            -> relay (transactional producer) -> Kafka -> consumer in batches of 500
            -> one transaction per batch: four tables, offset, outbox -> relay -> Kafka

Four processes (`ingest`, `relay ingest`, `work`, `relay work`), started one by one after `prepare`:

    python floor.py prepare|ingest|work|relay [schema] <JSON of Settings>

PostgreSQL is as its server is configured: with fsync and synchronous_commit on, or it is no floor.
"""

import asyncio
import hashlib
import imaplib
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from fast_mail_parser import parse_email
from pydantic import BaseModel

PAGE_MAILS = 200
BATCH_RECORDS = 500
RELAY_ROWS = 1000
PARTITIONS = 12
POLL_SECONDS = 0.05
MAILS, ASKED = "floor.mails", "floor.requests"

_SCHEMA = """
CREATE SCHEMA ingest;
CREATE SCHEMA work;
CREATE TABLE ingest.mails (id uuid PRIMARY KEY, uid bigint NOT NULL, message_id text NOT NULL,
                           raw bytea STORAGE EXTERNAL NOT NULL,
                           received_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE work.offsets (partition int PRIMARY KEY, next_offset bigint NOT NULL);
CREATE TABLE work.activities (id uuid PRIMARY KEY, conversation text NOT NULL, title text NOT NULL,
                              description text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE work.contacts (address text PRIMARY KEY, id uuid NOT NULL);
CREATE TABLE work.mails (id uuid PRIMARY KEY, activity uuid NOT NULL, message_id text NOT NULL,
                         sender text NOT NULL, subject text NOT NULL, text text NOT NULL);
CREATE TABLE work.history (activity uuid NOT NULL, version int NOT NULL, type text NOT NULL,
                           at timestamptz NOT NULL DEFAULT now(), details jsonb NOT NULL,
                           PRIMARY KEY (activity, version));
CREATE TABLE ingest.outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text NOT NULL,
                            key bytea NOT NULL, value bytea NOT NULL, headers text NOT NULL);
CREATE TABLE work.outbox (LIKE ingest.outbox INCLUDING ALL);
"""
_OUTBOX = (
    "INSERT INTO {schema}.outbox (topic, key, value, headers) "
    "SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::text[])"
)


class Settings(BaseModel):
    """Where everything is."""

    dsn: str
    bootstrap: str
    prefix: str
    imap_host: str = ""
    imap_port: int = 0
    user: str = ""
    password: str = ""


class MailReceived(BaseModel):
    """What `ingest` says of a mail."""

    id: str
    conversation: str
    message_id: str
    sender: str
    recipients: list[str]
    subject: str
    date: str
    text: str


class MailAsked(BaseModel):
    """What `work` asks for."""

    mail: str
    activity: str
    conversation: str
    to: str
    template: str
    in_reply_to: str


async def prepare(settings: Settings) -> None:
    """Tables and topics."""
    connection = await asyncpg.connect(settings.dsn)
    await connection.execute(_SCHEMA)
    await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(settings.prefix + name, PARTITIONS, 1) for name in (MAILS, ASKED)])
    await admin.close()


async def ingest(settings: Settings) -> None:
    """Fetches, parses and stores; the next page is fetched while one is stored."""
    imap = imaplib.IMAP4(settings.imap_host, settings.imap_port)
    imap.login(settings.user, settings.password)
    imap.select("INBOX")
    connection = await asyncpg.connect(settings.dsn)
    last = 0
    while True:
        uids = [uid for uid in await asyncio.to_thread(_uids, imap) if uid > last]
        if not uids:
            await asyncio.sleep(POLL_SECONDS)
            continue
        pages = [uids[start : start + PAGE_MAILS] for start in range(0, len(uids), PAGE_MAILS)]
        ahead = asyncio.create_task(asyncio.to_thread(_fetch, imap, pages[0]))
        for index, page in enumerate(pages):
            raws = await ahead
            if index + 1 < len(pages):
                ahead = asyncio.create_task(asyncio.to_thread(_fetch, imap, pages[index + 1]))
            await _store_page(connection, settings, page, raws)
        last = uids[-1]


def _uids(imap: imaplib.IMAP4) -> list[int]:
    imap.noop()
    _, lines = imap.uid("SEARCH", "ALL")
    return [int(word) for word in (lines[0] or b"").split()]


def _fetch(imap: imaplib.IMAP4, page: list[int]) -> list[bytes]:
    _, parts = imap.uid("FETCH", f"{page[0]}:{page[-1]}", "(BODY.PEEK[])")
    return [part[1] for part in parts if isinstance(part, tuple)]


async def _store_page(
    connection: "asyncpg.Connection[asyncpg.Record]", settings: Settings, uids: list[int], raws: list[bytes]
) -> None:
    mails = [_parsed(raw) for raw in raws]
    values = [mail.model_dump_json().encode() for mail in mails]
    keys = [f"acme/{mail.conversation}".encode() for mail in mails]
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO ingest.mails (id, uid, message_id, raw) "
            "SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[])",
            [mail.id for mail in mails],
            uids,
            [mail.message_id for mail in mails],
            raws,
        )
        await _say(connection, "ingest", settings.prefix + MAILS, "mail.received", keys, values)


def _parsed(raw: bytes) -> MailReceived:
    mail = parse_email(raw)
    headers = {name.lower(): values[0] for name, values in mail.headers.items()}
    message_id = headers.get("message-id", "")
    return MailReceived(
        id=str(uuid4()),
        conversation=hashlib.sha256(message_id.encode()).hexdigest()[:16],
        message_id=message_id,
        sender=headers.get("from", ""),
        recipients=[headers.get("to", "")],
        subject=mail.subject,
        date=mail.date,
        text="".join(mail.text_plain),
    )


async def work(settings: Settings) -> None:
    """Makes an activity of each mail."""
    connection = await asyncpg.connect(settings.dsn)
    consumer: AIOKafkaConsumer[bytes, bytes] = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    consumer.assign([TopicPartition(settings.prefix + MAILS, number) for number in range(PARTITIONS)])
    while True:
        found = await consumer.getmany(timeout_ms=1000, max_records=BATCH_RECORDS)
        if found:
            await _store_batch(connection, settings, found)


async def _store_batch(
    connection: "asyncpg.Connection[asyncpg.Record]",
    settings: Settings,
    found: dict[TopicPartition, list[Any]],
) -> None:
    mails = [
        MailReceived.model_validate_json(record.value) for records in found.values() for record in records
    ]
    ids = [str(uuid4()) for _ in mails]
    asked = [
        MailAsked(
            mail=str(uuid4()),
            activity=id_,
            conversation=mail.conversation,
            to=mail.sender,
            template="acknowledgement",
            in_reply_to=mail.message_id,
        )
        for id_, mail in zip(ids, mails, strict=True)
    ]
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO work.offsets SELECT * FROM unnest($1::int[], $2::bigint[]) "
            "ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset",
            [place.partition for place in found],
            [records[-1].offset + 1 for records in found.values()],
        )
        await connection.execute(
            "INSERT INTO work.activities (id, conversation, title, description) "
            "SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])",
            ids,
            [mail.conversation for mail in mails],
            [mail.subject for mail in mails],
            [mail.text for mail in mails],
        )
        await connection.execute(
            "INSERT INTO work.contacts SELECT DISTINCT ON (1) * FROM unnest($1::text[], $2::uuid[]) "
            "ON CONFLICT DO NOTHING",
            [mail.sender for mail in mails],
            ids,
        )
        await connection.execute(
            "INSERT INTO work.mails SELECT * "
            "FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])",
            [mail.id for mail in mails],
            ids,
            [mail.message_id for mail in mails],
            [mail.sender for mail in mails],
            [mail.subject for mail in mails],
            [mail.text for mail in mails],
        )
        await connection.execute(
            "INSERT INTO work.history (activity, version, type, details) "
            "SELECT id, 1, 'opened', details::jsonb FROM unnest($1::uuid[], $2::text[]) AS new (id, details)",
            ids,
            [json.dumps({"mail": mail.id}) for mail in mails],
        )
        keys = [f"acme/{each.conversation}".encode() for each in asked]
        values = [each.model_dump_json().encode() for each in asked]
        await _say(connection, "work", settings.prefix + ASKED, "mail.compose", keys, values)


async def _say(
    connection: "asyncpg.Connection[asyncpg.Record]",
    schema: str,
    topic: str,
    type_: str,
    keys: list[bytes],
    values: list[bytes],
) -> None:
    headers = [json.dumps({"ce_type": type_, "ce_id": str(uuid4())}) for _ in keys]
    await connection.execute(_OUTBOX.format(schema=schema), [topic] * len(keys), keys, values, headers)
    await connection.execute(f"NOTIFY {schema}_outbox")


async def relay(settings: Settings, schema: str) -> None:
    """Publishes an outbox."""
    connection = await asyncpg.connect(settings.dsn)
    producer: AIOKafkaProducer[bytes, bytes] = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap,
        transactional_id=f"{settings.prefix}{schema}",
        max_batch_size=256 * 1024,
    )
    await producer.start()
    woken = asyncio.Event()
    await connection.add_listener(f"{schema}_outbox", lambda *_: woken.set())
    while True:
        woken.clear()
        page = await connection.fetch(
            f"SELECT id, topic, key, value, headers FROM {schema}.outbox ORDER BY id LIMIT {RELAY_ROWS}"
        )
        if not page:
            await woken.wait()
            continue
        async with producer.transaction():
            sent = [
                await producer.send(row["topic"], row["value"], row["key"], headers=_headers(row["headers"]))
                for row in page
            ]
            await asyncio.gather(*sent)
        await connection.execute(
            f"DELETE FROM {schema}.outbox WHERE id = ANY($1::bigint[])", [row["id"] for row in page]
        )


def _headers(text: str) -> list[tuple[str, bytes]]:
    return [(name, value.encode()) for name, value in json.loads(text).items()]


PARTS: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
    "prepare": prepare,
    "ingest": ingest,
    "work": work,
    "relay": relay,
}


def main(part: str, *arguments: str) -> None:
    """One process, until it is ended."""
    *rest, settings = arguments
    uvloop.run(PARTS[part](Settings.model_validate_json(settings), *rest))


if __name__ == "__main__":
    main(*sys.argv[1:])
