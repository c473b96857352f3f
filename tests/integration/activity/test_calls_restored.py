"""A database is lost in the middle of a call to an external system: what was said is said to its end."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.local.endpoints import Endpoints
from shared.contracts import activity_requests as asked
from shared.unit_of_work import Incoming
from tests.integration.activity.test_calls import CASE, ORDER, ORDERING, SHOP, reply
from tests.support.hiring import WITH_CASES
from tests.support.office import NOON, incoming
from tests.support.second_life import Diary, another_office, catch_up

ORGANISATION = WITH_CASES.model_copy(update={"processes": (*WITH_CASES.processes[:-1], ORDERING)})
BEGUN = incoming(
    asked.ActivityOpen(
        type="case.open", actor=SHOP, process="hiring", title="Nora", fields={"device": "laptop"}
    ),
    "begun",
    at=NOON,
)


@pytest.fixture
async def lost(stack: Endpoints, database_template: str) -> AsyncIterator[Diary]:
    """The office whose database will be lost."""
    async with another_office(stack, database_template) as office:
        await office.configure(ORGANISATION, 2)
        yield office


@pytest.fixture
async def restored(stack: Endpoints, database_template: str) -> AsyncIterator[Diary]:
    """The office that goes on from a backup."""
    async with another_office(stack, database_template) as office:
        await office.configure(ORGANISATION, 2)
        yield office


async def stands(office: Diary) -> list[tuple[str, str, Any]]:
    """Of the Case and its Actions the reference, the status, and the custom fields or the latest call."""
    rows = await office.pool.fetch("SELECT * FROM activities ORDER BY reference")
    calls = [(each["task"] or {}).get("call") for each in rows]
    return [
        (each["reference"], each["status"], (call["name"], call["attempt"]) if call else each["fields"])
        for each, call in zip(rows, calls, strict=True)
    ]


async def calls(office: Diary) -> list[dict[str, Any]]:
    made = await office.said("activity.calls.v1")
    return [{name: value for name, value in each.items() if name != "headers"} for each in made]


async def ends_alike(lost: Diary, restored: Diary, *life: Incoming[Any], after: str, until: str = "") -> None:
    """Wherever its relay died between these events of the last record, the office comes to the same."""
    for record in life[:-1]:
        await lost.take_in(record)
    before = len(await lost.published())
    await lost.take_in(life[-1])
    said, whole = await lost.published(), await stands(lost)
    cut_off = 0
    for end in range(before + 1, len(said) + 1):
        told = {each.message.type for each in said[before:end] if each.message}
        if after in told and until not in told:
            await restored.forget()
            await catch_up(restored, said[:end], lost.read)
            assert await stands(restored) == whole, end
            cut_off += 1
    assert cut_off > 1


async def test_an_answer_that_was_said_by_half_stands_on_its_case(lost: Diary, restored: Diary) -> None:
    """LK-1: what it brought, and the step that this led to."""
    answer = incoming(reply(1, "succeeded", fields={"device": "ship"}), "answer", at=NOON)
    await ends_alike(lost, restored, BEGUN, answer, after="action.status_changed")
    assert (CASE, "to_do", {"device": "ship"}) in await stands(restored)


async def test_a_call_that_no_connector_has_heard_of_is_told(lost: Diary, restored: Diary) -> None:
    """Once: the Action waits for its answer."""
    await lost.take_in(BEGUN)
    said, made = await lost.published(), await calls(lost)
    (heard,) = (at for at, each in enumerate(said) if each.message and each.message.type == "call.made")
    await catch_up(restored, [*said[:heard], *said[heard + 1 :]], lost.read)
    assert await calls(restored) == made
    await restored.forget()
    await catch_up(restored, said, lost.read)
    assert await calls(restored) == []


async def test_an_action_that_was_launched_and_had_not_called_calls(lost: Diary, restored: Diary) -> None:
    await ends_alike(lost, restored, BEGUN, after="case.action_launched", until="action.called")
    assert {reference for reference, _, _ in await stands(restored)} == {CASE, ORDER}
