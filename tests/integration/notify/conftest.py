"""notify on a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.databases import Database
from tests.support.dispatch import Dispatch, dispatch


@pytest.fixture
async def office(database: Database, tmp_path: Path) -> AsyncIterator[Dispatch]:
    async with dispatch(database, tmp_path) as made:
        yield made
