"""Contacts after a restored backup: what `activity.contacts.v1` says of them (design §2)."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from services.activity import (
    bringing_back,
    bringing_back_halves,
    bringing_back_mails,
    bringing_back_states,
    store_erasing,
)
from services.activity.known_past import Lost, Past
from services.activity.past_workspace import PastWorkspace
from shared.contracts import activity_requests as asked
from shared.contracts.activity_activities import ActivityEvent
from shared.contracts.activity_contacts import ContactChanged
from shared.contracts.envelope import Envelope
from shared.decoding import Incoming
from shared.organisation import load
from shared.outbox import unpack_headers
from shared.postgres import make_pool, opened, transaction
from tests.integration.activity.test_contacts import TOPIC, create, edit
from tests.integration.activity.test_erasing import erase, left
from tests.integration.activity.test_merging import id_of, led
from tests.support.databases import Database
from tests.support.office import ACME, CARLA, NOON, Office, incoming, received

__all__ = ["led"]
HOUR = timedelta(hours=1)


async def test_contacts_stand_as_was_last_said_of_them(office: Office) -> None:
    anna = await create(office, "anna@harbour.test", extra_tag="cc")
    await edit(office, anna["contact"], last_name="Quay", language="fr")
    dora = await create(office, "dora@harbour.test")
    await edit(office, anna["contact"], address="a.quay@harbour.test")
    before = await office.pool.fetch("SELECT * FROM contacts ORDER BY address")
    said = [
        incoming(ContactChanged.model_validate(each), f"{number}")
        for number, each in enumerate(await office.said(TOPIC))
    ]
    # Back to a moment when Anna was just made, and Dora unknown.
    await office.pool.execute("DELETE FROM contacts WHERE id::text = $1", dora["contact"])
    await office.pool.execute(
        "UPDATE contacts SET version = 1, last_name = '', language = NULL, address = 'anna@harbour.test'"
    )
    past = Past(contacts=said)
    async with transaction(office.pool) as connection:
        known = await load(connection, ACME)
        assert known is not None
        workspace = PastWorkspace(NOON, {ACME: known})
        await workspace.load(connection, bringing_back.needs_of(past))
        bringing_back.contacts(workspace, past)
        await workspace.save(connection)
    assert await office.pool.fetch("SELECT * FROM contacts ORDER BY address") == before
    assert len(said) == 4


WRITABLE = ("contacts", "activities", "activity_contacts", "correspondents", "mails", "notes")
ALL = (
    *("answered_requests", "effects", "timers", "links", "activity_mails", *WRITABLE),
    *("history", "families", "reference_counters"),
)


async def close(office: Office, reference: str) -> None:
    await office.step(asked.ActivityPickUp, reference)
    await office.step(asked.ActivityNote, reference, text="Carla called.")
    await office.step(asked.TicketResolve, reference, method="rejected_as_spam")


async def tombstones(office: Office) -> list[Envelope]:
    rows = await office.pool.fetch("SELECT headers FROM outbox WHERE topic = $1 AND value IS NULL", TOPIC)
    return [Envelope.from_headers(unpack_headers(row["headers"])) for row in rows]


async def happened(office: Office) -> list[Any]:
    """The events as the topic has them."""
    rows = await office.pool.fetch(
        "SELECT value, headers FROM outbox WHERE topic = 'activity.activities.v1' ORDER BY id"
    )
    adapter: TypeAdapter[Any] = TypeAdapter(ActivityEvent)
    return [
        (
            Incoming(
                Envelope.from_headers(unpack_headers(row["headers"])), adapter.validate_json(row["value"])
            ),
            row["value"],
        )
        for row in rows
    ]


async def catch_up(office: Office, past: Past) -> Lost:
    """What `mailroom recover` does with what it has read."""
    lost = Lost()
    async with transaction(office.pool) as connection:
        known = await load(connection, ACME)
        assert known is not None
        workspace = PastWorkspace(NOON, {ACME: known})
        await workspace.load(connection, bringing_back.needs_of(past))
        bringing_back_states.states(workspace, past, lost)
        bringing_back_mails.outcomes(workspace, past)
        bringing_back.answers(workspace, past)
        bringing_back.erased(workspace, past)
        bringing_back.contacts(workspace, past)
        bringing_back.people(workspace, past, lost)
        bringing_back_halves.finish(workspace, past, lost)
        await workspace.save(connection)
        await store_erasing.erase_again(connection, workspace.gone)
    return lost


async def rows(office: Office) -> list[Any]:
    """All that is there but contacts."""
    every = [f"SELECT * FROM {table} ORDER BY 1, 2, 3" for table in WRITABLE[1:]]
    return [await office.pool.fetch(each) for each in every]


async def test_a_backup_of_before_does_not_bring_back_who_was_erased(led: Office) -> None:
    """CT-21: what the tombstone names is erased again, and who has the address since stays."""
    await led.take_in(received("Carla's leg", message_id="1@harbour.test"))
    await close(led, "100001-T")
    carla = await id_of(led, CARLA.lower())
    for table in WRITABLE:
        await led.pool.execute(f"CREATE TABLE saved_{table} AS SELECT * FROM {table}")
    await erase(led, carla)
    erased = await rows(led)
    await led.advance(hours=1)
    since = await create(led, CARLA)
    for table in WRITABLE:
        await led.pool.execute(f"DELETE FROM {table}")
        await led.pool.execute(f"INSERT INTO {table} SELECT * FROM saved_{table}")
    assert "notes" in await left(led, "carla")
    said = [ContactChanged.model_validate(each) for each in await led.said(TOPIC, "contact.changed")]
    past = Past(
        contacts=[incoming(each, f"{number}") for number, each in enumerate(said)],
        erased=await tombstones(led),
    )
    assert [each.subject for each in past.erased] == [carla]
    await catch_up(led, past)
    assert await rows(led) == erased
    assert await left(led, "carla") == ["contacts"]
    assert await id_of(led, CARLA.lower()) == since["contact"]
    gone = await led.pool.fetchrow("SELECT * FROM contacts WHERE id::text = $1", carla)
    assert (gone["address"], gone["erased_at"]) == (carla, NOON)


@pytest.mark.parametrize("closed", [True, False])
async def test_somebody_who_came_and_was_erased_since_the_backup_stays_away(
    led: Office, database: Database, closed: bool
) -> None:
    """CT-21: of the topics only the tombstone, the mail and the Ticket's events tell of them any more."""
    mail = received("Carla's leg", message_id="1@harbour.test")
    await led.take_in(mail)
    if closed:
        await close(led, "100001-T")
    carla, history = await id_of(led, CARLA.lower()), await led.history("100001-T")
    await erase(led, carla, open_tickets=True)
    history = await led.history("100001-T")
    later = received("Her other leg", message_id="2@harbour.test", conversation="0" * 16, at=NOON + HOUR)
    await led.advance(hours=1)
    await led.take_in(later)
    past = Past(happened=await happened(led), mails=[mail, later], erased=await tombstones(led))
    since = await id_of(led, CARLA.lower())
    async with opened(make_pool(database.dsn, schema="activity", application="tests")) as owner:
        for table in ALL:
            await owner.execute(f"DELETE FROM {table}")
    await catch_up(led, past)
    assert await led.history("100001-T") == history
    first, second = await led.tickets()
    assert (first["title"], first["description"], second["title"]) == ("", "", "Her other leg")
    gone = await led.pool.fetchrow("SELECT * FROM mails WHERE message_id = '1@harbour.test'")
    assert "leg" not in str(dict(gone))
    assert await id_of(led, CARLA.lower()) == since != carla
    places = await led.pool.fetch("SELECT activity FROM correspondents WHERE address = $1", CARLA.lower())
    assert [row["activity"] for row in places] == [second["id"]]
