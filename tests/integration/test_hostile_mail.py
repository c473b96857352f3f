"""Guarantee 5, UH-1: every kind of hostile mail through the real intake, and on to activity and notify.

It is parsed in the parser's own processes, committed to Postgres and the blob store, and looked at over
ingest's HTTP. Kafka carries the records elsewhere; here they are handed on.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.ingest.api import routes
from services.ingest.imap import ImapServer
from services.ingest.parsing.pool import ParserPool
from shared import local_issuer
from shared.auth import OPERATOR, Authenticator, Principal
from shared.contracts.activity_organisation import Definition, Fallback
from shared.contracts.ingest_mails import MailReceived
from shared.contracts.notify_requests import MailCompose
from shared.http import create_api
from shared.postgres import make_pool, opened
from tests.support import office as offices
from tests.support.browsing import inspect
from tests.support.databases import Database
from tests.support.dispatch import dispatch
from tests.support.fake_imap import FakeImap
from tests.support.hostile import KINDS, SIZES, Kind
from tests.support.hostile.kind import ADDRESS, Fate
from tests.support.ingest_world import ORGANISATION, World, mailbox, world_on
from tests.support.office import Office
from tests.support.soundness import assert_stays
from tests.support.waiting import eventually

PROCESS = "requests"
SECONDS = 200.0


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(database, tmp_path, ImapServer(host="fake.example")) as world:
        await world.configure(mailbox("help", fallback=Fallback(process=PROCESS, send_automated_emails=True)))
        yield world


@pytest.mark.timeout(2 * SECONDS)
async def test_each_kind_of_hostile_mail_is_a_ticket_or_listed_with_its_reason(
    world: World, database: Database, tmp_path: Path
) -> None:
    sent = {kind.raw(): kind for kind in KINDS}
    await taken_in(world, sent)
    async with asking(world) as ingest:
        found = [
            *[await as_listed(ingest, mail) for mail in await unhandled(ingest)],
            *[await as_published(world, ingest, mail) for mail in await world.published()],
        ]
    fates = [(sent[raw].name, fate, automatic) for raw, fate, automatic in found]
    assert sorted(fates) == sorted((kind.name, kind.fate, kind.automatic) for kind in KINDS)
    await opened_and_acknowledged(await world.published(), database, tmp_path)


@pytest.mark.timeout(2 * SECONDS)
async def test_mails_of_tens_of_megabytes_cost_only_themselves(world: World) -> None:
    """Between two that are ordinary."""
    ordinary = [Kind("the first", b"\nHello.\n"), Kind("the last", b"\nHello.\n")]
    await taken_in(world, (kind.raw() for kind in (ordinary[0], *SIZES, ordinary[1])))
    async with asking(world) as ingest:
        reasons = {mail["size"]: mail["reason"] for mail in await unhandled(ingest)}
    received = [mail.content.subject for mail in await world.published()]
    expected = {Fate.RECEIVED: [ordinary[0].name], Fate.UNREADABLE: [], Fate.NOT_ADDRESSED: []}
    for kind in (*SIZES, ordinary[1]):
        expected[kind.fate].append(kind.name)
    assert received == expected[Fate.RECEIVED]
    sizes = {len(kind.raw()): kind.fate.value for kind in SIZES if kind.fate is not Fate.RECEIVED}
    assert reasons == sizes


async def taken_in(world: World, mails: Iterable[bytes]) -> None:
    """Let them lie in the mailbox until ingest has put all of them away."""
    imap = FakeImap()
    imap.deliver(ADDRESS, *mails)
    async with world.reading(imap.connect):
        await eventually(lambda: not imap.folder(ADDRESS).mails, deadline=SECONDS, every=0.1)


@asynccontextmanager
async def asking(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Ingest's HTTP, with an operator's token."""
    settings = world.settings(
        oidc_issuer=local_issuer.ISSUER, oidc_jwks=str(local_issuer.ensure_issuer(world.folder))
    )
    async with ParserPool() as parser:
        api = create_api("Mailroom ingest", [routes(world.intake(parser))])
        api.state.authenticator = Authenticator(settings)
        operator = Principal("operator", ORGANISATION, "user", frozenset({OPERATOR}))
        token = local_issuer.issue(world.folder, operator, now=datetime.now(UTC), lifetime=timedelta(hours=1))
        yield httpx.AsyncClient(
            transport=httpx.ASGITransport(api),
            base_url="http://ingest.example",
            headers={"Authorization": f"Bearer {token}"},
        )


async def unhandled(ingest: httpx.AsyncClient) -> list[dict[str, Any]]:
    """All mails that wait for an operator."""
    answer = await ingest.get("/v1/unhandled-mails?limit=200")
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["next"] is None
    items: list[dict[str, Any]] = page["items"]
    return items


async def as_listed(ingest: httpx.AsyncClient, mail: dict[str, Any]) -> tuple[bytes, str, bool]:
    """(bytes, reason, whether it counts as automatic) of an unhandled mail."""
    assert bool(mail["detail"]) is (mail["reason"] == Fate.UNREADABLE), mail
    shown = (await ingest.get(f"/v1/mails/{mail['id']}")).json()
    return await raw_of(ingest, mail["id"]), mail["reason"], bool(shown["decision"]["automatic"])


async def as_published(
    world: World, ingest: httpx.AsyncClient, mail: MailReceived
) -> tuple[bytes, str, bool]:
    """(bytes, "received", whether it counts as automatic) of a mail that activity is told of.

    Its HTML does nothing, and its files stay in their folder, with the bytes that were announced.
    """
    content = mail.content
    if content.html is not None:
        inspect((await world.blobs.get(content.html.object)).decode())
    for attachment in content.attachments:
        assert attachment.blob.name is not None
        assert_stays(attachment.blob.name)
        assert len(await world.blobs.get(attachment.blob.object)) == attachment.blob.size
    return await raw_of(ingest, mail.mail), Fate.RECEIVED, mail.automatic is not None


async def raw_of(ingest: httpx.AsyncClient, mail: UUID | str) -> bytes:
    """The bytes that are kept of a mail."""
    answer = await ingest.get(f"/v1/mails/{mail}/raw")
    assert answer.status_code == 200, answer.text
    return answer.content


async def opened_and_acknowledged(mails: Sequence[MailReceived], database: Database, folder: Path) -> None:
    """Each of them opens a Ticket, and each acknowledgement is composed, or refused with a reason.

    Nobody who answers by himself is answered (IN-17).
    """
    definition = offices.DEFINITION.model_copy(
        update={
            "mailboxes": (offices.mailbox("help", PROCESS),),
            "processes": (offices.process(PROCESS),),
            "users": (),
        }
    )
    async with opened(make_pool(database.dsn_of("activity"), schema="activity", application="tests")) as pool:
        office = Office(pool)
        await office.configure(definition)
        culprits = await office.attempt(
            *(offices.incoming(mail, str(mail.mail), source="tests/ingest") for mail in mails)
        )
        assert [(each.incoming.envelope.id, each.error) for each in culprits] == []
        tickets = {row["opening_mail"]: row["id"] for row in await office.tickets()}
        assert tickets.keys() == {mail.mail for mail in mails}
        asked = await office.asked_of_notify()
    answered = {request["activity"] for request in asked}
    assert not answered & {str(tickets[mail.mail]) for mail in mails if mail.automatic}
    await composed(asked, definition, database, folder)


async def composed(
    asked: Sequence[dict[str, Any]], definition: Definition, database: Database, folder: Path
) -> None:
    requests = [
        offices.incoming(MailCompose.model_validate(each), each["headers"]["ce_id"], source="tests/activity")
        for each in asked
    ]
    async with dispatch(database, folder) as notify:
        await notify.configure(definition, version=2)
        assert await notify.ask(*requests) == []
        said = await notify.said()
    assert len(said) == len(requests)
