"""What failed because something was missing is put back with one command once it is there."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from typer.testing import CliRunner

from deploy.cli import app
from shared import local_issuer, outbox
from shared.auth import Principal
from shared.contracts.activity_organisation import Definition
from shared.contracts.envelope import Envelope, source_of
from shared.contracts.ingest_mails import MailReceived
from shared.outbox import Outgoing
from shared.topics import INGEST_MAILS
from tests.support.mailroom import OPERATORS, PATIENCE, Mailroom
from tests.support.waiting import eventually

NOW = datetime.now(UTC)


def without_mailboxes(definition: Definition, organisation: str) -> Definition:
    """An organisation that nobody can write to: it takes no mail away from anybody."""
    processes = tuple(each.model_copy(update={"default_mailbox": None}) for each in definition.processes)
    return definition.model_copy(
        update={"organisation": organisation, "mailboxes": (), "processes": processes}
    )


def mail_of(organisation: str, address: str) -> Outgoing:
    """What ingest says of a mail to an organisation."""
    conversation, id_ = uuid4().hex[:16], uuid4()
    key = INGEST_MAILS.key_for(organisation, conversation)
    routed = {"route": "any", "process": "it-request"}
    record = MailReceived.model_validate(
        {
            "mail": id_,
            "mailbox": "help",
            "conversation": conversation,
            "message_id": f"{id_}@nowhere.test",
            "received": NOW,
            "sender": {"address": address},
            "content": {"subject": "Too early", "text": "Hello"},
            "targets": [{"mailbox": "help", "address": "help@nowhere.test", "routed": routed}],
            "configuration": 1,
        }
    )
    said = Envelope(
        id=str(id_), source=source_of("ingest"), type=record.type, time=NOW, organisation=organisation
    )
    return Outgoing(INGEST_MAILS, key, said, record)


async def test_a_mail_that_came_before_its_organisation_becomes_one_ticket_when_it_is_put_back(
    mailroom: Mailroom,
) -> None:
    """Guarantees 2 and 5: once, however often; and ingest's relay knows the record for its own."""
    organisation = f"later-{uuid4().hex[:6]}"
    address = f"anna@{organisation}.test"

    async def ask(method: str, path: str, **request: Any) -> httpx.Response:
        principal = Principal("amelie", organisation, "user", OPERATORS)
        secrets = mailroom.seen.home / "secrets"
        token = local_issuer.issue(secrets, principal, now=datetime.now(UTC), lifetime=timedelta(hours=1))
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
            headers = {"Authorization": f"Bearer {token}"}
            return await http.request(method, mailroom.url("activity") + path, headers=headers, **request)

    async def dlq(*arguments: str) -> list[dict[str, Any]]:
        servers = ["--bootstrap", mailroom.stack.kafka_bootstrap, "--dsn", mailroom.database.dsn]
        command = [
            *arguments,
            "--organisation",
            organisation,
            "--json",
            *servers,
            "--prefix",
            mailroom.prefix,
        ]
        result = await asyncio.to_thread(CliRunner().invoke, app, ["dlq", *command])
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    async with mailroom.tables("ingest") as tables:
        await outbox.add(tables, [outbox.row(mail_of(organisation, address), mailroom.prefix)])

    async def dead() -> list[dict[str, Any]]:
        return await dlq("list")

    (letter,) = await eventually(dead, deadline=PATIENCE, every=0.5)
    assert letter["error"].endswith("NeverAnnounced")
    assert letter["consumer"] == "activity.mails"

    definition = without_mailboxes(mailroom.definition, organisation)
    answer = await ask("PUT", "/v1/configuration", json=definition.model_dump(mode="json"))
    assert answer.status_code == 200, answer.text
    (told,) = await dlq("replay", "--as", "amelie", "--because", "configured")
    assert told["outcome"] == "put back"
    assert await dlq("replay") == []

    async def tickets() -> list[dict[str, Any]]:
        page = (await ask("GET", f"/v1/tickets?contact={address}")).json()
        items: list[dict[str, Any]] = page["items"]
        return items

    assert len(await eventually(tickets, deadline=PATIENCE, every=0.1)) == 1
    await mailroom.kill("ingest")
    await mailroom.start("ingest")
    await mailroom.settled()
    assert len(await tickets()) == 1
    assert await dlq("list") == []
    ((handled,),) = [await dlq("list", "--all")]
    assert {name: handled["done"][name] for name in ("action", "by", "why")} == {
        "action": "replayed",
        "by": "amelie",
        "why": "configured",
    }
