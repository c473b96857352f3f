"""The process as it is wired, on real Kafka and Postgres: mails and requests in, events and answers out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.endpoints import Endpoints
from services.activity.app import SERVICE, build, subscriptions
from services.activity.settings import ActivitySettings
from services.activity.work import Work
from shared import topic_plan
from shared.contracts import activity_requests as asked
from shared.contracts.envelope import Envelope
from shared.contracts.ingest_mails import MailboxPolled
from shared.decoding import Incoming
from shared.organisation import Organisations
from shared.readers import READERS
from shared.service import Service
from shared.topics import ACTIVITY_REQUESTS, INGEST_MAILS, Topic
from tests.support.databases import Database
from tests.support.office import NOON, Office, incoming, received, user
from tests.support.topics import producing, read_all
from tests.support.waiting import eventually


def test_the_table_of_readers_names_what_is_subscribed() -> None:
    work = Work(Organisations(), None)  # type: ignore[arg-type]
    wired = {(each.consumer, each.topic.name) for each in subscriptions(work)}
    assert wired == {(each.consumer, each.topic.name) for each in READERS if each.service == SERVICE}


@pytest.fixture
async def settings(
    stack: Endpoints, database: Database, topic_prefix: str, tmp_path: Path
) -> ActivitySettings:
    await topic_plan.bring_about(stack.kafka, database.dsn, topic_prefix)
    return ActivitySettings(
        kafka_bootstrap=stack.kafka_bootstrap,
        postgres_dsn=database.dsn_of(SERVICE),
        topic_prefix=topic_prefix,
        blobs_url=(tmp_path / "blobs").as_uri(),
        http_port=0,
        secrets_dir=tmp_path,
        timer_poll_seconds=0.05,
    )


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[Service]:
    task = asyncio.create_task(service.run())
    try:
        await eventually(lambda: not service.ready().wrong)
        yield service
    finally:
        service.stop("the test is over")
        await task


async def write(settings: ActivitySettings, topic: Topic, records: Sequence[Incoming[Any]]) -> None:
    async with producing(settings.kafka()) as producer:
        for record in records:
            await producer.send(
                settings.topic_prefix + topic.name,
                record.message.model_dump_json().encode(),
                b"acme/key",
                headers=record.envelope.to_headers(),
                partition=getattr(record.message, "partition", None),
            )
        await producer.flush()


async def said(settings: ActivitySettings, topic: str) -> list[tuple[Envelope, Any]]:
    records = await read_all(settings.kafka(), settings.topic_prefix + topic)
    return [(Envelope.from_headers(record.headers), record.value) for record in records]


async def test_mails_and_requests_become_events_and_answers(
    settings: ActivitySettings, office: Office
) -> None:
    """The whole way through Kafka, once; a record that comes twice counts once."""
    mail = received(message_id="one@harbour.test")
    pick_up = incoming(asked.ActivityPickUp(actor=user("amelie"), reference="100001-T"), "r1")
    unknown = incoming(pick_up.message, "r2")
    unknown = Incoming(unknown.envelope.model_copy(update={"type": "ticket.juggle"}), unknown.message)
    async with running(build(settings)) as service:
        await write(settings, INGEST_MAILS, [mail, mail])
        await eventually(office.tickets)
        await write(settings, ACTIVITY_REQUESTS, [pick_up, pick_up, unknown])

        async def answered() -> bool:
            return len(await said(settings, "activity.answers.v1")) == 3

        await eventually(answered)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", trust_env=False) as http:
            assert (await http.get("/readyz")).status_code == 200
            assert (await http.get("/v1/tickets")).status_code == 401
            assert "/v1/configuration" in (await http.get("/openapi.json")).json()["paths"]
    types = [envelope.type for envelope, _ in await said(settings, "activity.activities.v1")]
    assert (types[0], types[-1]) == ("ticket.opened", "ticket.status_changed")
    answers = [
        (envelope.type, envelope.causationid) for envelope, _ in await said(settings, "activity.answers.v1")
    ]
    assert sorted(answers) == [("request.accepted", "r1")] * 2 + [("request.refused", "r2")]
    assert [envelope.type for envelope, _ in await said(settings, "notify.requests.v1")] == ["mail.compose"]


async def test_a_timer_closes_once_every_partition_told_that_its_mailbox_was_read(
    settings: ActivitySettings, office: Office
) -> None:
    """T15, design §5: the service's own clock is far past the due time of this wait."""
    await office.take_in(received(message_id="one@harbour.test"))
    await office.step(asked.TicketWait, "100001-T", days=1, close_if_no_response=True)
    until = NOON + timedelta(days=1)
    marks = [
        incoming(MailboxPolled(mailbox="help", until=until, partition=partition), f"mark/{partition}")
        for partition in range(INGEST_MAILS.partitions)
    ]

    async def status() -> str:
        return str((await office.ticket("100001-T"))["status"])

    async def marks_noted(number: int) -> bool:
        return bool(await office.pool.fetchval("SELECT count(*) FROM polled_mailboxes") == number)

    async with running(build(settings)):
        await write(settings, INGEST_MAILS, marks[1:])
        await eventually(lambda: marks_noted(len(marks) - 1))
        assert await status() == "wait"
        await write(settings, INGEST_MAILS, marks[:1])

        async def closed() -> bool:
            return await status() == "closed"

        await eventually(closed)
