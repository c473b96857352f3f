"""Actions that call an external system, on a real database: what connectors are told, and answer (A23)."""

from typing import Any

import pytest

from services.activity.timers import Timers
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import ActionDefinition, ActionType, ActionUse, StepDefinition
from tests.support.hiring import HIRING, WITH_CASES
from tests.support.office import Office, user

CASE = "100001-C"
ORDER = f"{CASE}-A1.1"
SHOP = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="shop")
NO_ROBOT_OF_OURS = asked.Actor(kind=asked.ActorKind.ROBOT, id="r9")
ORDERING = HIRING.model_copy(
    update={
        "actions": (
            ActionDefinition(
                name="order",
                title="Order a laptop",
                type=ActionType.EXTERNAL_CALL,
                call="order-laptop",
                answer_within_minutes=60,
                retry_after_minutes=(1, 5),
            ),
            ActionDefinition(name="ship", title="Ship it"),
            ActionDefinition(name="call", title="Call"),
        ),
        "steps": (
            StepDefinition(name="order", title="Order", actions=(ActionUse(action="order"),)),
            StepDefinition(
                name="ship", title="Ship", actions=(ActionUse(action="ship", when="device == 'ship'"),)
            ),
            StepDefinition(name="call", title="Call", actions=(ActionUse(action="call"),)),
        ),
    }
)


@pytest.fixture
async def ordering(office: Office) -> Office:
    """An office whose Cases order laptops by themselves: one has begun."""
    processes = (*WITH_CASES.processes[:-1], ORDERING)
    await office.configure(WITH_CASES.model_copy(update={"processes": processes}), 2)
    opened = asked.ActivityOpen(
        type="case.open", actor=SHOP, process="hiring", title="Nora starts", fields={"device": "laptop"}
    )
    assert (await office.ask(opened))["status"] == "to_do"
    return office


def reply(attempt: int, outcome: str, by: asked.Actor = SHOP, **more: Any) -> asked.ActionAnswerCall:
    return asked.ActionAnswerCall(actor=by, reference=ORDER, attempt=attempt, outcome=outcome, **more)


async def answered(office: Office, attempt: int, outcome: str, **more: Any) -> None:
    answer = await office.ask(reply(attempt, outcome, **more))
    assert answer["type"] == "request.accepted", answer


async def ring(office: Office, **by: float) -> None:
    """Time passes, and the one timer fires."""
    timers = Timers(office.unit, office.work, office.organisations)
    await office.advance(**by, seconds=-1)
    assert await timers.fire() == 0
    await office.advance(seconds=1)
    assert await timers.fire() == 1


async def references(office: Office) -> set[str]:
    return {row["reference"] for row in await office.tickets()}


async def test_a_connector_is_told_all_that_it_needs(ordering: Office) -> None:
    """What stands in custom fields is no part of the event, which is kept for ever."""
    (made,) = await ordering.said("activity.calls.v1")
    action, case = await ordering.ticket(ORDER), await ordering.ticket(CASE)
    assert made["key"] == f"acme/{action['id']}"
    assert made["headers"]["ce_type"] == "call.made"
    told = {name: value for name, value in made.items() if name not in ("key", "headers")}
    assert told == {
        "type": "call.made",
        "call": "order-laptop",
        "activity": str(action["id"]),
        "reference": ORDER,
        "case": {"activity": str(case["id"]), "reference": CASE},
        "process": "hiring",
        "title": "Nora starts",
        "fields": {"device": "laptop"},
        "attempt": 1,
        "at": "2026-03-02T12:00:00Z",
        "answer_by": "2026-03-02T13:00:00Z",
    }
    (called,) = await ordering.said("activity.activities.v1", "action.called")
    assert (called["call"], called["attempt"], called["answer_by"]) == (
        "order-laptop",
        1,
        "2026-03-02T13:00:00Z",
    )
    assert "fields" not in called
    assert (action["status"], action["wait"]) == ("wait", "more_information")


async def test_what_the_answer_brings_decides_what_comes_next(ordering: Office) -> None:
    """LK-1: it stands on the Case in the same transaction, before the next step is looked for."""
    await answered(ordering, 1, "succeeded", detail="Order 4711", fields={"device": "ship"})
    assert (await ordering.ticket(ORDER))["status"] == "closed"
    assert (await ordering.ticket(CASE))["fields"] == {"device": "ship"}
    assert f"{CASE}-A2.1" in await references(ordering)
    notes = await ordering.pool.fetch("SELECT text FROM notes")
    assert [row["text"] for row in notes] == ["Order 4711"]
    assert ("edited", "A23") in await ordering.rules(CASE)


async def test_what_fails_stands_in_the_queue_and_is_done_by_hand(ordering: Office) -> None:
    await answered(ordering, 1, "failed", detail="There are none left.")
    action = await ordering.ticket(ORDER)
    assert (action["status"], action["queue"], action["new_information"]) == ("to_do", "desk", True)
    assert (await ordering.step(asked.ActionComplete, ORDER))["status"] == "closed"
    assert f"{CASE}-A3.1" in await references(ordering)


async def test_a_system_that_keeps_silent_leaves_the_work_to_people(ordering: Office) -> None:
    await ring(ordering, minutes=60)
    action = await ordering.ticket(ORDER)
    assert (action["status"], action["queue"]) == ("to_do", "desk")
    (*_, changed) = await ordering.said("activity.activities.v1", "action.status_changed")
    assert changed["reason"] == "timeout"
    late = await ordering.ask(reply(1, "succeeded"))
    assert (late["type"], late["code"], late["state"]) == ("request.refused", "late_answer", "to_do")
    assert (await ordering.step(asked.ActionComplete, ORDER))["status"] == "closed"


async def test_a_system_that_cannot_be_reached_is_called_again_with_what_stands_there_then(
    ordering: Office,
) -> None:
    await answered(ordering, 1, "unreachable", detail="Connection refused")
    assert (await ordering.ticket(ORDER))["status"] == "wait"
    await ordering.step(asked.ActivityEdit, CASE, fields={"device": "tablet"})
    await ring(ordering, minutes=1)
    _, again = await ordering.said("activity.calls.v1")
    assert (again["attempt"], again["fields"]) == (2, {"device": "tablet"})
    assert again["answer_by"] == "2026-03-02T13:01:00Z"
    assert (await ordering.ask(reply(1, "succeeded")))["code"] == "late_answer"
    await answered(ordering, 2, "succeeded")
    assert (await ordering.ticket(ORDER))["status"] == "closed"


async def test_a_system_that_is_never_reached_lets_the_case_need_attention(ordering: Office) -> None:
    """C6: its owner sees to it."""
    for attempt, pause in ((1, 1), (2, 5)):
        await answered(ordering, attempt, "unreachable")
        await ring(ordering, minutes=pause)
    await answered(ordering, 3, "unreachable")
    action, case = await ordering.ticket(ORDER), await ordering.ticket(CASE)
    assert (action["status"], action["resolution"]["method"]) == ("closed", "unable_to_complete")
    assert (case["course"]["attention"], case["course"]["because"]) == (True, ORDER)
    reasons = [
        (each["status"], each["reason"])
        for each in await ordering.said("activity.activities.v1", "action.status_changed")
    ]
    unable = "action_unable_to_complete"
    assert reasons[-2:] == [("resolved", unable), ("closed", unable)]


async def test_somebody_who_sets_it_to_wait_again_calls_anew(ordering: Office) -> None:
    await answered(ordering, 1, "failed")
    assert (await ordering.step(asked.CaseWait, ORDER))["status"] == "wait"
    _, again = await ordering.said("activity.calls.v1")
    assert again["attempt"] == 2
    assert (await ordering.ticket(ORDER))["owner"] == "amelie"


async def test_a_repeated_answer_gets_the_first_one_again(ordering: Office) -> None:
    first = await ordering.ask(reply(1, "unreachable"), "once")
    await ring(ordering, minutes=1)
    assert await ordering.ask(reply(1, "unreachable"), "once") == first
    assert (await ordering.ticket(ORDER))["task"]["call"]["attempt"] == 2


async def test_a_call_that_is_made_twice_is_the_same_record(ordering: Office) -> None:
    """The id follows from its cause: a connector that keeps it does nothing twice."""
    (made,) = await ordering.said("activity.calls.v1")
    (called,) = await ordering.said("activity.activities.v1", "action.called")
    assert made["headers"]["ce_causationid"] == called["headers"]["ce_causationid"]
    assert made["headers"]["ce_id"] != called["headers"]["ce_id"]


@pytest.mark.parametrize(
    ("request_", "code", "missing"),
    [
        (reply(1, "succeeded", user("amelie")), "incomplete", ["program"]),
        (reply(1, "succeeded", NO_ROBOT_OF_OURS), "forbidden", ["process:hiring"]),
        (reply(1, "succeeded", fields={"price": 7}), "invalid_fields", ["fields.price"]),
        (reply(1, "succeeded", fields={"device": 7}), "invalid_fields", ["fields.device"]),
        (reply(2, "succeeded"), "late_answer", []),
        (reply(1, "failed").model_copy(update={"reference": f"{CASE}-A9.9"}), "not_found", []),
        (reply(1, "failed").model_copy(update={"reference": CASE}), "other_kind", []),
        (reply(1, "failed", expected_version=1), "conflict", []),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_a_bad_answer_is_refused_and_changes_nothing(
    ordering: Office, request_: asked.ActionAnswerCall, code: str, missing: list[str]
) -> None:
    before = await ordering.written()
    told = await ordering.ask(request_)
    assert (told["type"], told["code"], told["missing"]) == ("request.refused", code, missing)
    assert told["detail"].endswith(".")
    assert await ordering.written() == before


async def test_a_call_is_made_by_the_flow_that_its_case_began_with(ordering: Office) -> None:
    """C2: another name and other pauses are for Cases that begin later."""
    order = ORDERING.actions[0].model_copy(update={"call": "rent-laptop", "retry_after_minutes": ()})
    changed = ORDERING.model_copy(update={"actions": (order, *ORDERING.actions[1:])})
    processes = (*WITH_CASES.processes[:-1], changed)
    await ordering.configure(WITH_CASES.model_copy(update={"processes": processes}), 3)
    await ordering.step(asked.CaseRework, CASE, step=1)
    assert (await ordering.said("activity.calls.v1"))[-1]["call"] == "order-laptop"
    assert (await ordering.ticket(ORDER))["status"] == "closed"
    assert (await ordering.ask(reply(1, "succeeded")))["code"] == "late_answer"
