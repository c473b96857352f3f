"""Whatever is sent to ingest's HTTP, its answer is one that its OpenAPI describes (schemathesis)."""

from pathlib import Path
from uuid import UUID

import pytest

from services.ingest.app import api_of
from services.ingest.imap import ImapServer
from services.ingest.parsing.pool import ParserPool
from services.ingest.permissions import ENDPOINTS
from services.ingest.reading import ReadLimits
from shared.auth import OPERATOR
from tests.support.databases import Database
from tests.support.doorman import Doorman
from tests.support.fake_imap import FakeImap
from tests.support.ingest_world import DOMAIN, World, mailbox, raw_mail, world_on
from tests.support.probing import probe
from tests.support.waiting import eventually

SHOWN, BYTES = "GET /v1/mails/{id}", "GET /v1/mails/{id}/raw"
RETRIED = "POST /v1/unhandled-mails/{id}/retry"
OF_MAILS = {
    "unhandled, and in the blob store": {SHOWN: 200, BYTES: 200, RETRIED: 200},
    "taken": {SHOWN: 200, BYTES: 200, RETRIED: 200},
    "too large": {SHOWN: 200, BYTES: 200, RETRIED: 409},
    "erased": {SHOWN: 200, BYTES: 404, RETRIED: 200},
}
"""What is answered about a mail with this subject; one that is handled stays so when it is tried again."""
LIMITS = ReadLimits(mail_bytes=500_000)
LINE = "It does not work.\n"


async def mails(world: World) -> dict[str, str]:
    """One mail of each kind: their ids by subject."""
    imap = FakeImap()
    here, elsewhere = f"help@{DOMAIN}", "nobody@customer.example"
    imap.deliver(
        here,
        raw_mail(to=elsewhere, subject="unhandled, and in the blob store", text=LINE * 20_000),
        raw_mail(to=here, subject="taken"),
        raw_mail(to=here, subject="too large", text=LINE * 40_000),
        raw_mail(to=here, subject="erased"),
    )

    async def found() -> dict[str, UUID]:
        rows = await world.pool.fetch("SELECT id, headers->>'subject' AS subject FROM mails")
        assert len(rows) == len(OF_MAILS)
        return {row["subject"]: row["id"] for row in rows}

    async with world.reading(imap.connect, LIMITS):
        made = await eventually(found)
    await world.forget(made["erased"], erase=True)
    return {subject: str(mail) for subject, mail in made.items()}


@pytest.mark.timeout(300)  # some hundred requests, on a machine that may be busy
@pytest.mark.parametrize("subject", OF_MAILS)
async def test_no_request_gets_an_answer_that_openapi_does_not_describe(
    database: Database, tmp_path: Path, subject: str
) -> None:
    server = ImapServer(host="unused", port=1)
    async with world_on(database, tmp_path, server) as world, ParserPool() as parser:
        await world.configure(mailbox("help"))
        there = {"id": (await mails(world))[subject]}
        api = api_of(world.intake(parser))
        api.state.authenticator = Doorman()
        statuses = await probe(api, f"olga/{OPERATOR}", ENDPOINTS, there, examples=10)
    for operation, seen in statuses.items():
        assert OF_MAILS[subject].get(operation, 200) in seen, operation
