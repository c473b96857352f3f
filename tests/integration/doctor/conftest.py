"""Services as patients on the shared servers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.doctor.patient import Box, Patient
from deploy.local.endpoints import Endpoints
from services.ingest.imap import ImapServer
from services.ingest.settings import IngestSettings
from services.notify.settings import NotifySettings
from services.notify.smtp_server import SmtpServer, Tls
from shared.keyring import generate_keyring
from shared.topic_plan import bring_about
from tests.support.databases import Database
from tests.support.ingest_world import mailbox
from tests.support.servers import delete_mailboxes


@pytest.fixture
async def ingest(stack: Endpoints, database: Database, tmp_path: Path, mailbox_domain: str) -> Patient:
    """ingest as it would run on the shared servers; its topics are nobody's yet."""
    return Patient("ingest", IngestSettings(**_common(stack, database, tmp_path, "ingest"), **_imap(stack)))


@pytest.fixture
async def notify(stack: Endpoints, database: Database, tmp_path: Path) -> Patient:
    smtp = {"main": SmtpServer(host=stack.smtp.host, port=stack.smtp.port, tls=Tls.NONE)}
    return Patient(
        "notify", NotifySettings(**_common(stack, database, tmp_path, "notify"), smtp_servers=smtp)
    )


@pytest.fixture
def box(mailbox_domain: str) -> Box:
    return Box("acme", mailbox("help", mailbox_domain))


@pytest.fixture
async def topics(stack: Endpoints, database: Database, topic_prefix: str) -> str:
    """The table's topics, under a prefix of this test, with every consumer registered."""
    await bring_about(stack.kafka, database.dsn, topic_prefix)
    return topic_prefix


@pytest.fixture(autouse=True)
async def _no_mailboxes_left(stack: Endpoints, mailbox_domain: str) -> AsyncIterator[None]:
    yield
    await delete_mailboxes(stack, mailbox_domain)


def _common(stack: Endpoints, database: Database, folder: Path, service: str) -> dict[str, Any]:
    (folder / "token_keys").write_text(generate_keyring())
    (folder / "imap").write_text("any\n")
    return {
        "kafka_bootstrap": stack.kafka_bootstrap,
        "postgres_dsn": database.dsn_of(service),
        "blobs_url": (folder / "blobs").as_uri(),
        "secrets_dir": folder,
    }


def _imap(stack: Endpoints) -> dict[str, Any]:
    return {"imap_servers": {"main": ImapServer(host=stack.imap.host, port=stack.imap.port, tls=False)}}
