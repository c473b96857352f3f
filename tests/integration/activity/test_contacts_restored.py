"""Contacts after a restored backup: what `activity.contacts.v1` says of them (design §2)."""

from services.activity import bringing_back
from services.activity.known_past import Past
from services.activity.past_workspace import PastWorkspace
from shared.contracts.activity_contacts import ContactChanged
from shared.organisation import load
from shared.postgres import transaction
from tests.integration.activity.test_contacts import TOPIC, create, edit
from tests.support.office import ACME, NOON, Office, incoming


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
