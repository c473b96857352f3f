"""The whole service on real servers: mail in by SMTP, `mail.received` out on Kafka, and what HTTP shows."""

import asyncio
import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.endpoints import Endpoints
from services.ingest.app import build
from services.ingest.imap import ImapServer
from shared import local_issuer
from shared.auth import Principal
from shared.contracts.activity_organisation import User
from shared.contracts.envelope import Envelope
from shared.contracts.ingest_mails import MailboxPolled, MailReceived
from shared.contracts.ingest_requests import MailSetAside
from shared.contracts.record import Record
from shared.service import Service
from shared.topic_plan import bring_about
from shared.topics import INGEST_MAILS, INGEST_REQUESTS, Topic
from tests.support.databases import Database
from tests.support.ingest_world import ORGANISATION, World, mailbox, raw_mail, world_on
from tests.support.topics import read_all
from tests.support.waiting import eventually


@dataclass
class Running:
    """A running service, its world, and a client of its HTTP API."""

    world: World
    stack: Endpoints
    service: Service
    domain: str
    prefix: str

    @property
    def help(self) -> str:
        return f"help@{self.domain}"

    def send(self, *raws: bytes, to: str | None = None) -> None:
        """Hand mails in by SMTP."""
        with smtplib.SMTP(self.stack.smtp.host, self.stack.smtp.port) as smtp:
            for raw in raws:
                smtp.sendmail("jane@customer.example", [to or self.help], raw)

    async def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        user: str = "operator",
        organisation: str = ORGANISATION,
        roles: frozenset[str] = frozenset({"operator"}),
    ) -> httpx.Response:
        principal = Principal(user, organisation, "user", roles)
        token = local_issuer.issue(
            self.world.folder, principal, now=datetime.now(UTC), lifetime=timedelta(hours=1)
        )
        url = f"http://127.0.0.1:{self.service.port}{path}"
        async with httpx.AsyncClient(trust_env=False) as http:
            return await http.request(method, url, headers={"Authorization": f"Bearer {token}"})

    async def unhandled(self, **asked: Any) -> list[dict[str, Any]]:
        answer = await self.ask("/v1/unhandled-mails", **asked)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def publish(self, topic: Topic, key: str, record: Record) -> None:
        """Say something on Kafka, always under the same id."""
        envelope = Envelope(
            id="said-once",
            source="/test",
            type=record.type,
            time=datetime.now(UTC),
            organisation=ORGANISATION,
        )
        producer = AIOKafkaProducer(bootstrap_servers=self.stack.kafka_bootstrap)
        async with producer:
            await producer.send_and_wait(
                self.prefix + topic.name,
                record.model_dump_json().encode(),
                topic.key_for(ORGANISATION, key).encode(),
                headers=envelope.to_headers(),
            )

    async def records(self, type_: str) -> list[tuple[Any, Envelope]]:
        """What stands in the topic, of one type, with the raw Kafka record."""
        found = await read_all(self.stack.kafka, self.prefix + INGEST_MAILS.name)
        pairs = [(record, Envelope.from_headers(record.headers)) for record in found]
        return [(record, envelope) for record, envelope in pairs if envelope.type == type_]


@pytest.fixture
async def running(
    stack: Endpoints, database: Database, topic_prefix: str, mailbox_domain: str, tmp_path: Path
) -> AsyncIterator[Running]:
    server = ImapServer(host=stack.imap.host, port=stack.imap.port, tls=False)
    jwks = local_issuer.ensure_issuer(tmp_path)
    await bring_about(stack.kafka, database.dsn, topic_prefix)
    async with world_on(database, tmp_path, server) as world:
        user = User(name="ann", title="Ann", processes=("requests",))
        other = User(name="bob", title="Bob", processes=())
        await world.configure(mailbox("help", mailbox_domain), users=(user, other))
        settings = world.settings(
            kafka_bootstrap=stack.kafka_bootstrap,
            topic_prefix=topic_prefix,
            http_port=0,
            oidc_issuer=local_issuer.ISSUER,
            oidc_jwks=str(jwks),
        )
        service = build(settings)
        task = asyncio.create_task(service.run())
        await eventually(lambda: service.ready().wrong == {} or task.done(), deadline=60)
        try:
            yield Running(world, stack, service, mailbox_domain, topic_prefix)
        finally:
            service.stop("the test is over")
            await task


async def test_a_mail_by_smtp_comes_out_as_a_record_on_kafka(running: Running) -> None:
    raw = raw_mail(to=running.help, subject="Door stuck", message_id="door")
    await asyncio.to_thread(running.send, raw)

    async def received() -> list[tuple[Any, Envelope]]:
        return await running.records("mail.received")

    ((record, envelope),) = await eventually(received)
    mail = MailReceived.model_validate_json(record.value)
    assert mail.content.subject == "Door stuck"
    assert mail.content.text.strip() == "Please help."
    assert record.key.decode() == f"{ORGANISATION}/{mail.conversation}"
    assert envelope.organisation == ORGANISATION
    assert envelope.subject == str(mail.mail)

    async def polled() -> set[int]:
        found = [
            (record.partition, MailboxPolled.model_validate_json(record.value))
            for record, _ in await running.records("mailbox.polled")
        ]
        assert all(partition == told.partition for partition, told in found)
        behind = {partition for partition, told in found if told.until >= mail.received}
        return behind if len(behind) == INGEST_MAILS.partitions else set()

    assert await eventually(polled) == set(range(INGEST_MAILS.partitions))


async def test_an_unhandled_mail_is_shown_with_its_reason_and_becomes_one_for_a_route_made_meanwhile(
    running: Running,
) -> None:
    """UH-1, UH-2, UH-4."""
    sales = f"sales@{running.domain}"
    await asyncio.to_thread(running.send, raw_mail(to=sales, subject="Offer"))
    (shown,) = await eventually(running.unhandled)
    assert (shown["reason"], shown["mailbox"], shown["subject"]) == ("not addressed", "help", "Offer")

    again = await running.ask(f"/v1/unhandled-mails/{shown['id']}/retry", method="POST")
    assert (again.status_code, again.json()["state"]) == (200, "unhandled")

    await running.world.configure(mailbox("help", running.domain, aliases=(sales,)))
    again = await running.ask(f"/v1/unhandled-mails/{shown['id']}/retry", method="POST")
    assert again.json()["reason"] == "no route"

    await running.world.configure(mailbox("help", running.domain), mailbox("sales", running.domain))
    for _ in range(2):  # the second time changes nothing
        again = await running.ask(f"/v1/unhandled-mails/{shown['id']}/retry", method="POST")
        assert (again.status_code, again.json()["state"]) == (200, "received")
    assert await running.unhandled() == []

    async def received() -> list[tuple[Any, Envelope]]:
        return await running.records("mail.received")

    ((record, _),) = await eventually(received)
    mail = MailReceived.model_validate_json(record.value)
    assert (str(mail.mail), mail.targets[0].mailbox) == (shown["id"], "sales")


async def test_a_mail_that_activity_gives_back_is_shown_and_published_anew_when_it_is_tried_again(
    running: Running,
) -> None:
    """UH-1: nobody would see it otherwise, and activity has seen the first record's id already."""
    await asyncio.to_thread(running.send, raw_mail(to=running.help, subject="Whose is it"))

    async def received(count: int) -> list[tuple[Any, Envelope]]:
        found = await running.records("mail.received")
        return found if len(found) == count else []

    ((record, _),) = await eventually(lambda: received(1))
    mail = MailReceived.model_validate_json(record.value)
    request = MailSetAside(
        mail=mail.mail, addresses=tuple(target.address for target in mail.targets), detail="nobody's"
    )
    for _ in range(2):  # a repeat changes nothing
        await running.publish(INGEST_REQUESTS, mail.conversation, request)
    (shown,) = await eventually(running.unhandled)
    assert (shown["reason"], shown["detail"], shown["subject"]) == ("not placed", "nobody's", "Whose is it")

    again = await running.ask(f"/v1/unhandled-mails/{shown['id']}/retry", method="POST")
    assert (again.status_code, again.json()["state"]) == (200, "received")
    first, second = await eventually(lambda: received(2))
    assert MailReceived.model_validate_json(second[0].value).mail == mail.mail
    assert first[1].id != second[1].id
    assert await running.unhandled() == []


async def test_a_mail_is_shown_with_its_decision_and_its_bytes_to_those_who_may_see_its_mailbox(
    running: Running,
) -> None:
    """UH-5, AMB-34: permission follows the processes that the mailbox's routes lead to."""
    raw = raw_mail(to=f"help-alias@{running.domain}", subject="Where to")
    await asyncio.to_thread(running.send, raw)
    (shown,) = await eventually(running.unhandled)
    path = f"/v1/mails/{shown['id']}"
    nobody: frozenset[str] = frozenset()

    seen = await running.ask(path, user="ann", roles=nobody)
    assert seen.status_code == 200
    assert seen.json()["headers"]["subject"] == "Where to"
    assert seen.json()["decision"]["targets"][0]["route"] is None
    assert seen.json()["decision"]["explanation"]

    content = await running.ask(f"{path}/raw", user="ann", roles=nobody)
    assert content.headers["content-type"] == "message/rfc822"
    assert message_from_bytes(content.content)["Subject"] == "Where to"

    assert [item["id"] for item in await running.unhandled(user="ann", roles=nobody)] == [shown["id"]]
    assert await running.unhandled(user="bob", roles=nobody) == []
    refused = {
        "no permission": await running.ask(path, user="bob", roles=nobody),
        "no user": await running.ask(path, user="eve", roles=nobody),
        "another organisation": await running.ask(path, organisation="other"),
        "another organisation's bytes": await running.ask(f"{path}/raw", organisation="other"),
        "no such mail": await running.ask("/v1/mails/00000000-0000-7000-8000-000000000000"),
    }
    assert {why: answer.status_code for why, answer in refused.items()} == {
        "no permission": 404,
        "no user": 403,
        "another organisation": 404,
        "another organisation's bytes": 404,
        "no such mail": 404,
    }


async def test_large_mails_are_downloaded_from_the_blob_store(running: Running) -> None:
    raw = raw_mail(to="nobody@customer.example", text="line\n" * 80_000)
    await asyncio.to_thread(running.send, raw)
    (shown,) = await eventually(running.unhandled)
    content = await running.ask(f"/v1/mails/{shown['id']}/raw")
    assert len(content.content) == shown["size"] > 400_000


async def test_unhandled_mails_come_in_pages_and_by_mailbox(running: Running) -> None:
    raws = [raw_mail(to="nobody@customer.example", subject=f"number {number}") for number in range(5)]
    await asyncio.to_thread(running.send, *raws)

    async def all_there() -> bool:
        return len(await running.unhandled()) == 5

    await eventually(all_there)
    seen: list[str] = []
    path = "/v1/unhandled-mails?limit=2&mailbox=help"
    after = ""
    while True:
        page = (await running.ask(path + after)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == 5
    assert (await running.ask("/v1/unhandled-mails?mailbox=other")).json()["items"] == []
    assert (await running.ask("/v1/unhandled-mails?after=nonsense")).status_code == 400


async def test_a_mailbox_that_is_down_is_shown_and_the_service_stays_ready(running: Running) -> None:
    broken = mailbox("billing", running.domain)
    broken = broken.model_copy(update={"imap": broken.imap.model_copy(update={"server": "away"})})
    await running.world.configure(mailbox("help", running.domain), broken)

    async def shown() -> dict[str, Any]:
        states = {row["mailbox"]: row for row in (await running.ask("/v1/mailboxes")).json()}
        assert states["billing"]["state"] == "failing"
        assert states["help"]["state"] == "connected"
        return states

    states = await eventually(shown)
    assert "MAILROOM_IMAP_SERVERS has no server 'away'" in states["billing"]["error"]
    assert states["help"]["polled_until"] is not None
    assert running.service.ready().wrong == {}
