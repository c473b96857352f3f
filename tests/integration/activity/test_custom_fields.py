"""Custom fields of Tickets through requests, tables, events and HTTP (BK-14, BK-16)."""

from typing import Any

import pytest

from services.activity.past_events import Texts, event_of
from services.activity.store_activities import load
from shared.contracts import activity_requests as asked
from shared.contracts.activity_activities import ActivityEdited
from shared.contracts.activity_organisation import CustomField, FieldType, FieldUse
from shared.field_values import FieldValue
from shared.postgres import transaction
from tests.support.office import ACME, DEFINITION, Office, process, user

FIELDS = (
    CustomField(name="serial", title="Serial number", type=FieldType.SHORT_TEXT),
    CustomField(name="bought", title="Bought on", type=FieldType.DATE),
    CustomField(name="kind", title="Kind", type=FieldType.LIST, options=("Laptop", "Printer")),
    CustomField(name="urgent", title="Urgent", type=FieldType.CHECK_BOX),
)
USES = (FieldUse(field="serial", mandatory=True), FieldUse(field="bought"), FieldUse(field="urgent"))
PERSON = asked.Person(address="dora@harbour.test", name="Dora Dock")
WHOLE: dict[str, Any] = {
    "process": "request",
    "title": "New laptop",
    "description": "Please",
    "category": "Hardware",
    "primary_contact": PERSON,
    "requester": PERSON,
}


@pytest.fixture
async def office(office: Office) -> Office:
    """Its requests have custom fields, its invoices none."""
    processes = (process("request", fields=USES), process("invoice"))
    await office.configure(DEFINITION.model_copy(update={"fields": FIELDS, "processes": processes}), 2)
    return office


async def draft(office: Office, **fields: Any) -> dict[str, Any]:
    return await office.ask(asked.ActivityOpen(actor=user("amelie"), **WHOLE, fields=fields))


async def test_what_is_missing_at_submission_names_the_field(office: Office) -> None:
    """BK-16, T5."""
    await draft(office, bought="2026-11-22")
    refused = await office.step(asked.ActivitySubmit, "100001-T")
    assert (refused["code"], refused["missing"]) == ("incomplete", ["fields.serial"])
    assert "Serial number" in refused["detail"]
    await office.step(asked.ActivityEdit, "100001-T", fields={"serial": "X-1"})
    assert (await office.step(asked.ActivitySubmit, "100001-T"))["status"] == "to_do"


async def test_what_others_submit_at_once_needs_them_too(office: Office) -> None:
    """BK-16, AMB-29."""
    robot = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
    refused = await office.ask(asked.ActivityOpen(actor=robot, **WHOLE))
    assert refused["missing"] == ["fields.serial"]
    done = await office.ask(asked.ActivityOpen(actor=robot, **WHOLE, fields={"serial": "X-1"}))
    assert done["status"] == "to_do"


async def test_values_are_kept_and_events_name_no_more_than_the_fields(office: Office) -> None:
    await draft(office, serial=" X-1 ", bought="2026-11-22", urgent=False)
    await office.step(
        asked.ActivityEdit, "100001-T", fields={"serial": "X-2", "urgent": False, "bought": None}
    )
    row = await office.ticket("100001-T")
    assert row["fields"] == {"serial": "X-2", "urgent": False}
    opened, edited = await office.said("activity.activities.v1")
    assert opened["custom_fields"] == ["bought", "serial", "urgent"]
    assert (edited["custom_fields"], edited["fields"]) == (["bought", "serial"], [])
    assert not any("X-" in repr(each) for each in await office.said("activity.activities.v1"))
    async with transaction(office.pool) as connection:
        loaded = await load(connection, {(ACME, row["id"])})
    assert loaded[ACME, row["id"]].fields == (FieldValue("serial", "X-2"), FieldValue("urgent", False))


async def test_an_edit_that_changes_no_value_is_no_event(office: Office) -> None:
    await draft(office, serial="X-1")
    before = (await office.ticket("100001-T"))["version"]
    await office.step(asked.ActivityEdit, "100001-T", fields={"serial": "X-1", "bought": ""})
    assert (await office.ticket("100001-T"))["version"] == before


async def test_every_wrong_value_is_told_at_once_and_nothing_is_done(office: Office) -> None:
    """BK-14, BK-15: a field of another process is none of this one's."""
    refused = await draft(office, bought="soon", kind="Laptop", serial="a" * 256)
    assert refused["code"] == "invalid_fields"
    assert refused["missing"] == ["fields.bought", "fields.kind", "fields.serial"]
    assert [(each["field"], each["field_type"]) for each in refused["fields"]] == [
        ("bought", "date"),
        ("kind", None),
        ("serial", "short_text"),
    ]
    assert await office.tickets() == []
    await draft(office)
    refused = await office.step(asked.ActivityEdit, "100002-T", title="New", fields={"bought": "soon"})
    assert refused["code"] == "invalid_fields"
    assert (await office.ticket("100002-T"))["title"] == "New laptop"


async def test_a_rebuilt_ticket_has_the_values_that_are_known_and_no_older_ones(office: Office) -> None:
    """Decision 4."""
    await draft(office, serial="X-1", bought="2026-11-22")
    await office.step(asked.ActivityEdit, "100001-T", fields={"serial": "X-2", "bought": "2026-11-23"})
    (said,) = await office.said("activity.activities.v1", "ticket.edited")
    record = ActivityEdited.model_validate({name: value for name, value in said.items() if name != "key"})
    event = event_of(ACME, record, Texts(fields=(FieldValue("serial", "X-2"),)))
    assert event.fields == (FieldValue("bought", None), FieldValue("serial", "X-2"))  # type: ignore[union-attr]
