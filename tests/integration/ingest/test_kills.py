"""Guarantees 1, 2 and 6: the process is killed again and again, and no mail is lost or told twice."""

import asyncio
import json
import os
import random
import signal
import smtplib
import sys
from collections import Counter
from pathlib import Path

from deploy.local.endpoints import Endpoints
from services.ingest.imap import ImapServer
from shared.contracts.ingest_mails import MailReceived
from shared.topic_plan import bring_about
from shared.topics import INGEST_MAILS
from tests.support.databases import Database
from tests.support.ingest_world import SERVER, World, mailbox, raw_mail, world_on
from tests.support.topics import read_all
from tests.support.waiting import eventually

MAILS = 600
KILLS = 4


async def test_no_mail_is_lost_or_told_twice_however_often_the_process_is_killed(
    stack: Endpoints, database: Database, topic_prefix: str, mailbox_domain: str, tmp_path: Path
) -> None:
    server = ImapServer(host=stack.imap.host, port=stack.imap.port, tls=False)
    await bring_about(stack.kafka, database.dsn, topic_prefix)
    help_ = f"help@{mailbox_domain}"
    subjects = [f"number {number}" for number in range(MAILS)]
    async with world_on(database, tmp_path, server) as world:
        await world.configure(mailbox("help", mailbox_domain))
        await asyncio.to_thread(_send, stack, help_, [raw_mail(to=help_, subject=each) for each in subjects])
        chance = random.Random(7)
        for _ in range(KILLS):
            taken = await _taken(world)
            process = await _start(world, stack, topic_prefix)
            # At some point of a page: after a commit, before a move, during the next fetch …
            more = min(taken + chance.randint(1, MAILS // KILLS), MAILS)
            await _reach(world, more)
            process.send_signal(signal.SIGKILL)
            await process.wait()
        process = await _start(world, stack, topic_prefix)
        await _reach(world, MAILS)

        async def told() -> Counter[str]:
            found = [
                MailReceived.model_validate_json(record.value).content.subject
                for record in await read_all(stack.kafka, topic_prefix + INGEST_MAILS.name)
                if dict(record.headers)["ce_type"] == b"mail.received"
            ]
            assert len(set(found)) == MAILS
            return Counter(found)

        # What the relay said just before it was killed may stand there twice, with the same id.
        assert set(await eventually(told, every=0.5, deadline=60)) == set(subjects)
        events = Counter(
            dict(record.headers)["ce_id"]
            for record in await read_all(stack.kafka, topic_prefix + INGEST_MAILS.name)
            if dict(record.headers)["ce_type"] == b"mail.received"
        )
        assert len(events) == MAILS
        assert await world.pool.fetchval("SELECT count(*) FROM mail_targets") == MAILS
        await eventually(lambda: world.pool.fetchval("SELECT count(*) = 0 FROM taken_uids"))
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


def _send(stack: Endpoints, to: str, raws: list[bytes]) -> None:
    with smtplib.SMTP(stack.smtp.host, stack.smtp.port) as smtp:
        for raw in raws:
            smtp.sendmail("jane@customer.example", [to], raw)


async def _start(world: World, stack: Endpoints, prefix: str) -> asyncio.subprocess.Process:
    settings = world.settings()
    environment = {
        "MAILROOM_KAFKA_BOOTSTRAP": stack.kafka_bootstrap,
        "MAILROOM_POSTGRES_DSN": settings.postgres_dsn,
        "MAILROOM_TOPIC_PREFIX": prefix,
        "MAILROOM_BLOBS_URL": settings.blobs_url,
        "MAILROOM_SECRETS_DIR": str(world.folder),
        "MAILROOM_HTTP_PORT": "0",
        "MAILROOM_IMAP_SERVERS": json.dumps({SERVER: world.server.model_dump(mode="json")}),
        "MAILROOM_POLL_SECONDS": "1",
        "MAILROOM_LEASE_SECONDS": "1",
    }
    with (world.folder / "ingest.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.cli", "run", "ingest"),
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )


async def _taken(world: World) -> int:
    taken: int = await world.pool.fetchval("SELECT count(*) FROM mails")
    return taken


async def _reach(world: World, number: int) -> None:
    async def reached() -> bool:
        return await _taken(world) >= number

    await eventually(reached, every=0.005, deadline=60)
