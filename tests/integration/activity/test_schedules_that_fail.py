"""Schedules that fail, or whose times are none any more, stop no other and are tried again."""

from collections import Counter

from shared.contracts.activity_organisation import FieldUse
from shared.metrics import SCHEDULES_FAILED
from tests.support.hiring import HIRING, WITH_CASES
from tests.support.office import Office
from tests.support.schedules import DAILY, EVERY_HOUR, all_of, apply, cases, component, scheduled

DEFINITION_WITHOUT_HIRING = tuple(each for each in WITH_CASES.processes if each.name != "hiring")


async def test_one_that_fails_by_itself_holds_up_no_other_and_is_tried_again(office: Office) -> None:
    """Its process was changed behind its back, so that its Cases lack what is mandatory."""
    failed = SCHEDULES_FAILED._value.get()
    healthy = HIRING.model_copy(update={"name": "moving", "schedules": (EVERY_HOUR,)})
    definition = scheduled(EVERY_HOUR)
    whole = definition.model_copy(update={"processes": (*definition.processes, healthy)})
    await apply(office, whole)
    broken = HIRING.model_copy(
        update={"schedules": (EVERY_HOUR,), "fields": (FieldUse(field="device", mandatory=True),)}
    )
    processes = (*DEFINITION_WITHOUT_HIRING, broken, healthy)
    await office.configure(whole.model_copy(update={"processes": processes}), 7)
    await office.advance(hours=2)
    schedules = component(office)
    assert await all_of(schedules) == 2
    assert {row["process"] for row in await cases(office)} == {"moving"}
    assert SCHEDULES_FAILED._value.get() == failed + 1
    await office.configure(whole, 8)
    assert await all_of(schedules) == 0, "it rests"
    await office.advance(minutes=10)
    assert await all_of(schedules) == 2
    assert Counter(row["process"] for row in await cases(office)) == {"moving": 2, "hiring": 2}


async def test_a_planned_time_that_is_none_any_more_is_left_out_and_stops_no_other(office: Office) -> None:
    """As when a country moves its clocks by other rules than were known when it was planned."""
    await apply(office, scheduled(EVERY_HOUR, DAILY))
    await office.pool.execute(
        "UPDATE schedules SET next_at = next_at - interval '5 hours 37 minutes' WHERE name = 'daily'"
    )
    await office.advance(hours=1)
    schedules = component(office)
    assert await all_of(schedules) == 1
    assert {row["title"] for row in await cases(office)} == {"Look around"}
    await office.advance(hours=5)
    assert await all_of(schedules) == 6
    assert Counter(row["title"] for row in await cases(office)) == {"Look around": 6, "Close the day": 1}


async def test_a_time_zone_that_is_none_any_more_stops_its_schedule_alone(office: Office) -> None:
    failed = SCHEDULES_FAILED._value.get()
    await apply(office, scheduled(EVERY_HOUR, DAILY))
    await office.pool.execute("UPDATE schedules SET time_zone = 'Nowhere/Gone' WHERE name = 'daily'")
    await office.advance(hours=6)
    assert await all_of(component(office)) == 6
    assert SCHEDULES_FAILED._value.get() == failed + 1
