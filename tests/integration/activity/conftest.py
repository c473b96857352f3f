"""Fixtures of activity's tests."""

from collections.abc import AsyncIterator

import pytest

from services.activity.numbers import pool_of_numbers
from shared.postgres import Pool, make_pool, opened
from tests.support.databases import Database
from tests.support.office import Office


@pytest.fixture
async def activity_pool(database: Database) -> AsyncIterator[Pool]:
    """A pool on activity's schema of this test's database."""
    made = make_pool(database.dsn_of("activity"), schema="activity", application="tests")
    async with opened(made) as pool:
        yield pool


@pytest.fixture
async def office(activity_pool: Pool, database: Database) -> AsyncIterator[Office]:
    """An organisation at work, configured."""
    async with opened(pool_of_numbers(database.dsn_of("activity"), schema="activity")) as numbers:
        office = Office(activity_pool, numbers=numbers)
        await office.configure()
        yield office
