"""What tests of ingest's mailboxes begin with: two of them, and a server that does as it is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.ingest.imap import ImapServer
from tests.support.databases import Database
from tests.support.fake_imap import FakeImap
from tests.support.ingest_world import World, mailbox, world_on


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(database, tmp_path, ImapServer(host="fake.example")) as world:
        await world.configure(mailbox("help"), mailbox("billing"))
        yield world


@pytest.fixture
def imap() -> FakeImap:
    return FakeImap()
