"""The whole service on real servers: requests in on Kafka, mail in GreenMail, reports out, HTTP beside."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local.endpoints import Endpoints
from services.notify.app import build, subscriptions
from services.notify.handlers import Handlers
from services.notify.settings import NotifySettings
from services.notify.smtp import SmtpServer, Tls
from shared import local_issuer
from shared.auth import Principal
from shared.contracts.activity_organisation import Definition, OrganisationApplied
from shared.contracts.envelope import Envelope
from shared.contracts.mail import Mailbox
from shared.contracts.notify_requests import MailCompose
from shared.contracts.record import Record
from shared.keyring import Keyring, generate_keyring
from shared.organisation import sections_of
from shared.readers import READERS
from shared.service import Service
from shared.tokens import parse_plus_address
from shared.topic_plan import bring_about
from shared.topics import ACTIVITY_ORGANISATION, NOTIFY_MAILS, NOTIFY_REQUESTS, Topic
from tests.support.databases import Database
from tests.support.dispatch import request, sample, written
from tests.support.greenmail import mails_of
from tests.support.topics import producing, read_all
from tests.support.waiting import eventually


@dataclass
class Running:
    """A running service, and the other side of its topics and of its mail."""

    stack: Endpoints
    service: Service
    prefix: str
    domain: str
    folder: Path
    keyring: Keyring

    async def publish(self, topic: Topic, *records: Record, key: str, organisation: str = "acme") -> None:
        async with producing(self.stack.kafka) as producer:
            for record in records:
                envelope = Envelope(
                    id=str(getattr(record, "mail", None) or uuid4()),
                    source="/mailroom/activity",
                    type=record.type,
                    time=datetime.now(UTC),
                    organisation=organisation,
                )
                await producer.send_and_wait(
                    self.prefix + topic.name,
                    record.model_dump_json().encode(),
                    f"{organisation}/{key}".encode(),
                    headers=envelope.to_headers(),
                )

    async def configure(self, definition: Definition, version: int = 1) -> None:
        for record in sections_of(definition, version):
            await self.publish(ACTIVITY_ORGANISATION, record, key=record.type)
        applied = OrganisationApplied(version=version, digest=str(version))
        await self.publish(ACTIVITY_ORGANISATION, applied, key=applied.type)

    async def ask_for(self, *mails: MailCompose) -> None:
        for mail in mails:
            await self.publish(NOTIFY_REQUESTS, mail, key=mail.conversation)

    async def told(self, *kinds: str) -> list[Any]:
        found = await read_all(self.stack.kafka, self.prefix + NOTIFY_MAILS.name)
        types = [(record, Envelope.from_headers(record.headers).type) for record in found]
        return [
            NOTIFY_MAILS.models[type_].model_validate_json(record.value)
            for record, type_ in types
            if type_ in kinds
        ]

    async def http(
        self, path: str, method: str = "GET", *, organisation: str = "acme", role: str = "operator"
    ) -> httpx.Response:
        principal = Principal("olga", organisation, "user", frozenset({role}))
        token = local_issuer.issue(self.folder, principal, now=datetime.now(UTC), lifetime=timedelta(hours=1))
        url = f"http://127.0.0.1:{self.service.port}{path}"
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.request(method, url, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
async def running(
    stack: Endpoints, database: Database, topic_prefix: str, mailbox_domain: str, tmp_path: Path
) -> AsyncIterator[Running]:
    await bring_about(stack.kafka, database.dsn, topic_prefix)
    (tmp_path / "token_keys").write_text(generate_keyring())
    greenmail = SmtpServer(host=stack.smtp.host, port=stack.smtp.port, tls=Tls.NONE, null_sender=False)
    settings = NotifySettings(
        kafka_bootstrap=stack.kafka_bootstrap,
        postgres_dsn=database.dsn_of("notify"),
        topic_prefix=topic_prefix,
        blobs_url=(tmp_path / "blobs").as_uri(),
        secrets_dir=tmp_path,
        http_port=0,
        oidc_issuer=local_issuer.ISSUER,
        oidc_jwks=str(local_issuer.ensure_issuer(tmp_path)),
        smtp_servers={"main": greenmail, "other": greenmail},
    )
    service = build(settings)
    keyring = Keyring.parse(settings.secret("token_keys"))
    task = asyncio.create_task(service.run())
    await eventually(lambda: service.ready().wrong == {} or task.done())
    try:
        yield Running(stack, service, topic_prefix, mailbox_domain, tmp_path, keyring)
    finally:
        service.stop("the test is over")
        await task


async def test_a_request_on_kafka_becomes_a_mail_in_a_mailbox(running: Running) -> None:
    anna = f"anna@{running.domain}"
    acknowledgement = request(
        1,
        to=(Mailbox(address=anna, name="Anna"),),
        in_reply_to="1@harbour.test",
        references=("1@harbour.test",),
        language="fr",
    ).message
    await running.configure(sample())
    await running.ask_for(acknowledgement, acknowledgement)

    async def arrived() -> list[Any]:
        return await mails_of(running.stack, anna)

    (mail,) = await eventually(arrived)
    assert mail["Subject"] == "Nous avons bien reçu votre demande [101203-T]"
    assert mail["In-Reply-To"] == "<1@harbour.test>"
    assert mail["Auto-Submitted"] == "auto-replied"
    plus = parse_plus_address(running.keyring, "acme", mail["From"].addresses[0].addr_spec)
    assert plus is not None
    assert plus.conversation == acknowledgement.conversation
    html = mail.get_body(("html",))
    assert html is not None
    assert "<strong>101203-T</strong>" in html.get_content()

    async def reported() -> list[Any]:
        return await running.told("mail.sent")

    (sent,) = await eventually(reported)
    assert mail["Message-ID"] == f"<{sent.message_id}>"
    (composed,) = await running.told("mail.composed")
    assert composed.message_id == sent.message_id


async def test_operators_see_what_was_sent_and_others_do_not(running: Running) -> None:
    await running.configure(sample())
    wanted = [written(number, f"ben{number}@{running.domain}").message for number in range(3)]
    await running.ask_for(*wanted, written(9, "billing@mailroom.test").message)

    async def decided() -> bool:
        answer = await running.http("/v1/outgoing-mails")
        return sorted(each["state"] for each in answer.json()["items"]) == ["refused", "sent", "sent", "sent"]

    await eventually(decided)
    first = (await running.http("/v1/outgoing-mails?limit=2")).json()
    second = (await running.http(f"/v1/outgoing-mails?limit=2&after={first['next']}")).json()
    assert len({row["id"] for row in first["items"] + second["items"]}) == 4
    assert second["next"] is None
    (refused,) = (await running.http("/v1/outgoing-mails?state=refused")).json()["items"]
    assert refused["refusal"] == "own_mailbox"
    answer = await running.http(f"/v1/outgoing-mails/{refused['id']}/retry", "POST")
    assert answer.status_code == 409
    path = f"/v1/outgoing-mails/{wanted[0].mail}"
    details = (await running.http(path)).json()
    assert [each["outcome"] for each in details["tried"]] == ["sent"]
    assert details["recipients"][0]["result"] == "accepted"
    assert (await running.http(path, organisation="other")).status_code == 404
    assert (await running.http(path, role="clerk")).status_code == 403
    for step in ("retry", "cancel"):
        answer = await running.http(f"{path}/{step}", "POST")
        assert (answer.status_code, answer.json()["code"]) == (409, "mail_state")
        assert (await running.http(f"{path}/{step}", "POST", organisation="other")).status_code == 404


def test_the_wiring_and_the_table_of_readers_agree() -> None:
    handlers = Handlers(None, None)  # type: ignore[arg-type]
    wired = {(each.consumer, each.topic.name) for each in subscriptions(handlers)}
    assert wired == {(each.consumer, each.topic.name) for each in READERS if each.service == "notify"}
