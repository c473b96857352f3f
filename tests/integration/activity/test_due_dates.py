"""Due dates on real tables: configured, kept, shown in events, and replayed from them (SL-1 to SL-5)."""

from datetime import timedelta
from typing import Any

from services.activity import store_activities
from services.activity.domain.evolving import evolve
from services.activity.past_events import Texts, event_of
from services.activity.timers import Timers
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import Calendar, Category, DueDateRule, DueDateUnit, Weekday
from shared.postgres import transaction
from shared.topics import ACTIVITY_ACTIVITIES
from tests.support.office import ACME, DEFINITION, NOON, Office, process, received

# NOON is a Monday, 13 o'clock in Brussels.
OFFICE = Calendar(
    name="office",
    title="Office",
    time_zone="Europe/Brussels",
    hours=dict.fromkeys(list(Weekday)[:5], ("09:00-17:00",)),
)
RULES = (
    DueDateRule(
        name="day",
        adjust=8,
        unit=DueDateUnit.WORKING_HOURS,
        calendar="office",
        allow_override=True,
        add_wait_time=True,
    ),
    DueDateRule(name="strict", adjust=48),
)
REQUEST = process(
    "request",
    due_date="day",
    categories=(Category(path="Other"), Category(path="Hardware", due_date="strict")),
)
CONFIGURED = DEFINITION.model_copy(
    update={
        "processes": (REQUEST, *DEFINITION.processes[1:]),
        "calendars": (OFFICE,),
        "due_dates": RULES,
    }
)
TUESDAY = NOON + timedelta(days=1)


async def opened(office: Office) -> str:
    await office.configure(CONFIGURED, version=2)
    await office.take_in(received(message_id="1@harbour.test"))
    return "100001-T"


async def replayed(office: Office, reference: str) -> Any:
    """The activity as its records alone make it."""
    known = None
    for row in await office.history(reference):
        record = ACTIVITY_ACTIVITIES.models[row["type"]].model_validate(row["event"])
        known = evolve(known, event_of(ACME, record, Texts("", "")))
    return known


async def test_a_wait_puts_a_due_date_off_and_everything_can_be_replayed(office: Office) -> None:
    """SL-3, SL-5, T2, T14, T37, and design §4."""
    reference = await opened(office)
    assert (await office.ticket(reference))["due_at"] == TUESDAY
    await office.advance(hours=1)
    await office.step(asked.TicketWait, reference, days=1)
    ticket = await office.ticket(reference)
    assert (ticket["due_at"], ticket["due"]["left_seconds"]) == (None, 7 * 3600)
    await office.advance(days=1)
    await Timers(office.unit, office.work, office.organisations).fire()
    assert (await office.ticket(reference))["due_at"] == TUESDAY + timedelta(days=1)
    late = NOON + timedelta(days=30)
    assert (await office.step(asked.ActivitySetDueDate, reference, due=late))["type"] == "request.accepted"
    assert (await office.ticket(reference))["due_at"] == late
    await office.step(asked.ActivityEdit, reference, category="Hardware")
    ticket = await office.ticket(reference)
    assert ticket["due_at"] == NOON + timedelta(days=2), "the other rule lets nobody set it"
    said = await office.said("activity.activities.v1", "ticket.due_changed")
    assert [each["due"]["by_hand"] for each in said] == [late.isoformat().replace("+00:00", "Z")]
    async with transaction(office.pool) as connection:
        key = (ACME, ticket["id"])
        stored = (await store_activities.load(connection, [key]))[key]
    rebuilt = await replayed(office, reference)
    assert rebuilt.due == stored.due


async def test_a_date_that_cannot_be_set_is_refused_and_nothing_is_done(office: Office) -> None:
    """SL-1: in the past, or where the rule decides alone."""
    reference = await opened(office)
    answer = await office.step(asked.ActivitySetDueDate, reference, due=NOON)
    assert (answer["code"], answer["missing"]) == ("incomplete", ["future_time"])
    await office.step(asked.ActivityEdit, reference, category="Hardware")
    answer = await office.step(asked.ActivitySetDueDate, reference, due=NOON + timedelta(days=9))
    assert (answer["code"], answer["missing"]) == ("incomplete", ["due_date_by_hand"])
    assert (await office.ticket(reference))["due_at"] == NOON + timedelta(days=2)
