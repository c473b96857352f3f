"""Fixtures of activity's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.activity.numbers import pool_of_numbers
from shared.postgres import Pool, make_pool, opened
from tests.support.approvals import let_ask
from tests.support.databases import Database
from tests.support.front_desk import Caller, connected, front_desk
from tests.support.office import Office, received


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


@pytest.fixture
async def asking(office: Office) -> Office:
    """An office that hires, and asks for an approval."""
    await let_ask(office)
    return office


@pytest.fixture
async def browser(asking: Office, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with a link at the office that asks."""
    async with connected(front_desk(asking, tmp_path)) as client:
        yield client


@pytest.fixture
async def client(office: Office, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with connected(front_desk(office, tmp_path)) as client:
        yield client


@pytest.fixture
def amelie(client: httpx.AsyncClient) -> Caller:
    """Works on both processes."""
    return Caller(client, "amelie")


@pytest.fixture
def bruno(client: httpx.AsyncClient) -> Caller:
    """Works on requests."""
    return Caller(client, "bruno")


@pytest.fixture
def clara(client: httpx.AsyncClient) -> Caller:
    """Works on invoices only."""
    return Caller(client, "clara")


@pytest.fixture
async def ticket(office: Office) -> str:
    """A Ticket of the process `request`."""
    await office.take_in(received(message_id="one@harbour.test"))
    return "100001-T"
