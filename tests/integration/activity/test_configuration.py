"""An organisation's configuration: applied whole, versioned, told to the others, and copied (design §10)."""

from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.config.folder import read
from services.activity import api_configuration
from services.activity.numbers import Numbers
from services.activity.work import Work
from shared import organisation, organisation_copy
from shared.auth import Principal
from shared.contracts.activity_organisation import Definition, OrganisationApplied, Section
from shared.contracts.envelope import Envelope
from shared.contracts.record import Record
from shared.http import create_api
from shared.organisation import ConfigurationBehind, NoConfiguration, Organisations, Unknown
from shared.outbox import unpack_headers
from shared.postgres import Connection, Pool, make_pool, opened, transaction
from shared.topics import ACTIVITY_ORGANISATION
from shared.unit_of_work import UnitOfWork
from tests.support.databases import Database

SAMPLE = read(Path("deploy/config/sample"))


class Doorman:
    """Takes `organisation` for an operator's token, and `organisation/user` for anybody else's."""

    async def authenticate(self, token: str) -> Principal:
        name, _, user = token.partition("/")
        roles = frozenset() if user else frozenset({"operator"})
        return Principal(user or "operator", name, "user", roles)


class Operator:
    """Somebody who configures, over HTTP."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def apply(self, definition: Definition, token: str = "acme", **query: Any) -> httpx.Response:
        return await self._client.put(
            "/v1/configuration",
            json=definition.model_dump(mode="json"),
            params=query,
            headers={"Authorization": f"Bearer {token}"},
        )

    async def read(self, token: str = "acme") -> httpx.Response:
        return await self._client.get("/v1/configuration", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
async def operator(activity_pool: Pool) -> AsyncIterator[Operator]:
    unit = UnitOfWork(activity_pool, service="activity")
    work = Work(Organisations(), Numbers(activity_pool))
    api = create_api("activity", [api_configuration.routes(unit, work)])
    api.state.authenticator = Doorman()
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://activity") as client:
        yield Operator(client)


def changed(**fields: Any) -> Definition:
    return Definition.model_validate({**SAMPLE.model_dump(mode="json"), **fields})


def only(kind: str, name: str) -> list[dict[str, Any]]:
    return [each for each in SAMPLE.model_dump(mode="json")[kind] if each["name"] == name]


async def said(pool: Pool) -> list[tuple[str, Envelope, Record]]:
    """What waits in the outbox for the others: key, envelope, record."""
    async with transaction(pool) as connection:
        rows = await connection.fetch("SELECT key, value, headers FROM outbox ORDER BY id")
    found = []
    for row in rows:
        envelope = Envelope.from_headers(unpack_headers(row["headers"]))
        model = ACTIVITY_ORGANISATION.models[envelope.type]
        found.append((row["key"].decode(), envelope, model.model_validate_json(row["value"])))
    return found


async def test_what_is_applied_can_be_read_again(operator: Operator) -> None:
    assert (await operator.read()).status_code == 404
    assert (await operator.apply(SAMPLE)).json() == {
        "version": 1,
        "changed": True,
        "going_on": {},
        "to_people": [],
    }
    answer = await operator.read()
    assert Definition.model_validate(answer.json()["definition"]) == SAMPLE
    assert answer.headers["ETag"] == '"1"'


async def test_the_same_again_changes_nothing_and_another_is_the_next_version(operator: Operator) -> None:
    await operator.apply(SAMPLE)
    assert (await operator.apply(SAMPLE)).json() == {
        "version": 1,
        "changed": False,
        "going_on": {},
        "to_people": [],
    }
    assert (await operator.apply(changed(users=[]))).json() == {
        "version": 2,
        "changed": True,
        "going_on": {},
        "to_people": [],
    }
    assert (await operator.read()).json()["definition"]["users"] == []


async def test_a_dry_run_says_what_would_come_and_leaves_no_trace(
    operator: Operator, activity_pool: Pool
) -> None:
    assert (await operator.apply(SAMPLE, dry_run=True)).json() == {
        "version": 1,
        "changed": True,
        "going_on": {},
        "to_people": [],
    }
    assert (await operator.read()).status_code == 404
    assert await said(activity_pool) == []


async def test_every_section_is_said_and_then_that_the_version_is_complete(
    operator: Operator, activity_pool: Pool
) -> None:
    await operator.apply(SAMPLE)
    records = await said(activity_pool)
    assert [record.type for _, _, record in records][-1] == "organisation.applied"
    assert len({key for key, _, _ in records}) == len(organisation.SECTIONS) + 1
    assert all(key.startswith("acme/") for key, _, _ in records)
    assert all(isinstance(record, Section | OrganisationApplied) for _, _, record in records)


async def test_a_definition_that_breaks_rules_is_refused_with_all_of_them(operator: Operator) -> None:
    answer = await operator.apply(changed(queues=[], templates=[]))
    assert answer.status_code == 422
    places = [error["at"] for error in answer.json()["errors"]]
    assert {"processes.0.queue", "processes.1.queue", "processes.0.acknowledgement"} <= set(places)


async def test_only_an_operator_of_the_same_organisation_may_apply(operator: Operator) -> None:
    assert (await operator.apply(SAMPLE, token="acme/amelie")).status_code == 403
    assert (await operator.apply(SAMPLE, token="rival")).status_code == 403
    assert (await operator.read(token="acme/amelie")).status_code == 403


class Copy:
    """The copy that another service keeps, fed record by record."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.organisations = Organisations()

    async def take(self, *records: Record) -> None:
        async with transaction(self.pool) as connection:
            await organisation_copy.store(connection, [("acme", record) for record in records])

    async def version(self) -> int:
        async with transaction(self.pool) as connection:
            return (await self.organisations.current(connection, "acme")).version


@pytest.fixture
async def copy(database: Database) -> AsyncIterator[Copy]:
    made = make_pool(database.dsn_of("notify"), schema="notify", application="tests")
    async with opened(made) as pool:
        yield Copy(pool)


def version(number: int, definition: Definition = SAMPLE) -> tuple[Record, ...]:
    return organisation.sections_of(definition, number)


def applied(number: int) -> OrganisationApplied:
    return OrganisationApplied(version=number, digest="0" * 64)


async def test_a_copy_changes_over_when_the_version_is_complete(copy: Copy) -> None:
    await copy.take(*version(1))
    with pytest.raises(NoConfiguration):
        await copy.version()
    await copy.take(applied(1))
    assert await copy.version() == 1
    await copy.take(*version(2, changed(users=[])))
    async with transaction(copy.pool) as connection:
        assert (await copy.organisations.current(connection, "acme")).user("amelie").name == "amelie"
        with pytest.raises(ConfigurationBehind):
            await copy.organisations.find(connection, {("acme", 2)})
    await copy.take(applied(2))
    async with transaction(copy.pool) as connection:
        current = (await copy.organisations.find(connection, {("acme", 2)}))["acme", 2]
        with pytest.raises(Unknown):
            current.user("amelie")


class Interrupted:
    """A connection to which something happens behind its first statement."""

    def __init__(self, connection: Connection, then: Awaitable[None]) -> None:
        self.fetch = connection.fetch
        self._connection = connection
        self._then = then

    async def fetchval(self, *statement: Any) -> Any:
        found = await self._connection.fetchval(*statement)
        await self._then
        return found


async def test_a_version_that_is_replaced_while_it_is_read_is_not_read_without_its_sections(
    copy: Copy,
) -> None:
    """Mail that is decided with an empty configuration is addressed to nobody."""
    await copy.take(*version(1), applied(1))
    async with transaction(copy.pool) as connection:
        interrupted: Any = Interrupted(connection, copy.take(*version(2), applied(2)))
        current = await copy.organisations.current(interrupted, "acme")
    assert current.mailboxes
    assert current.version == 2


async def test_older_and_repeated_records_change_nothing(copy: Copy) -> None:
    await copy.take(*version(2), applied(2))
    await copy.take(*version(1, changed(users=[])), applied(1), *version(2), applied(2))
    assert await copy.version() == 2
    async with transaction(copy.pool) as connection:
        assert (await copy.organisations.current(connection, "acme")).user("amelie")


async def test_compaction_may_leave_only_the_newest_sections(copy: Copy) -> None:
    """A reader that begins late sees sections of a version whose end comes behind them."""
    await copy.take(applied(1), *version(2), applied(2))
    assert await copy.version() == 2


async def test_addresses_lead_to_mailboxes_with_and_without_a_plus_part(copy: Copy) -> None:
    """PA-7."""
    await copy.take(*version(1), applied(1))
    async with transaction(copy.pool) as connection:
        current = await copy.organisations.current(connection, "acme")
    assert current.mailbox_of("Help@Mailroom.test") == "help"
    assert current.mailbox_of("invoices+100001-T.abc@mailroom.test") == "billing"
    assert current.mailbox_of("help@elsewhere.test") is None
