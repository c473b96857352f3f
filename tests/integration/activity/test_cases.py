"""Cases and their Actions on a real database: launched, done, failed, done again, ended."""

from typing import Any

import pytest

from services.activity.domain.states import Status
from shared.contracts import activity_requests as asked
from tests.support.hiring import WITH_CASES
from tests.support.office import Office, user

CASE = "100001-C"
LAPTOP, ACCOUNT, CALL = f"{CASE}-A1.1", f"{CASE}-A1.2", f"{CASE}-A3.1"


@pytest.fixture
async def hiring(office: Office) -> Office:
    """An office that hires, with one Case under way."""
    await office.configure(WITH_CASES, 2)
    answer = await office.ask(
        asked.ActivityOpen(
            type="case.open",
            actor=user("amelie"),
            process="hiring",
            title="Nora starts in March",
            fields={"device": "laptop"},
        )
    )
    assert (answer["reference"], answer["status"]) == (CASE, "draft")
    await done(office, asked.ActivitySubmit, CASE)
    return office


async def done(office: Office, kind: type[asked.OnActivity], reference: str, **fields: Any) -> Any:
    answer = await office.step(kind, reference, **fields)
    assert answer["type"] == "request.accepted", answer
    return answer


async def statuses(office: Office) -> dict[str, str]:
    return {row["reference"]: row["status"] for row in await office.tickets()}


async def complete(office: Office, reference: str, by: str = "amelie") -> Any:
    return await done(office, asked.ActionComplete, reference, by=by)


async def check(office: Office, reference: str) -> None:
    point = asked.PointAnswered(point="Encrypted", answer="yes")
    await done(office, asked.ActionAnswerChecklist, reference, answers=(point,))


async def test_a_case_launches_the_actions_of_its_first_step(hiring: Office) -> None:
    """C3, A1: those whose conditions hold, in their own queues."""
    assert await statuses(hiring) == {CASE: "to_do", LAPTOP: "to_do", ACCOUNT: "to_do"}
    laptop = await hiring.ticket(LAPTOP)
    assert (laptop["title"], laptop["queue"], laptop["kind"]) == ("Prepare the laptop", "store", "action")
    assert (await hiring.ticket(ACCOUNT))["queue"] == "desk"
    assert (await hiring.ticket(CASE))["queue"] is None


async def test_it_goes_from_step_to_step_and_is_resolved_when_all_is_done(hiring: Office) -> None:
    """GL-1, A10, C18: a step whose condition does not hold is passed over; what is to be reviewed is."""
    await check(hiring, LAPTOP)
    await complete(hiring, LAPTOP)
    assert CALL not in await statuses(hiring)
    await complete(hiring, ACCOUNT)
    assert (await statuses(hiring))[CALL] == "to_do"
    await complete(hiring, CALL)
    assert (await statuses(hiring))[CALL] == "to_do"
    refused = await hiring.step(asked.ActionComplete, CALL)
    assert refused["missing"] == ["another_person"]
    await complete(hiring, CALL, by="bruno")
    assert await statuses(hiring) == {
        CASE: "resolved",
        **dict.fromkeys((LAPTOP, ACCOUNT, CALL), Status.CLOSED.value),
    }


async def test_an_action_that_cannot_be_done_lets_its_case_need_attention(hiring: Office) -> None:
    """A11, C6, C9."""
    await done(hiring, asked.ActionGiveUp, ACCOUNT, reason="There is no licence left.")
    case = await hiring.ticket(CASE)
    assert (case["status"], case["queue"], case["course"]["because"]) == ("to_do", "desk", ACCOUNT)
    await done(hiring, asked.ActivityPickUp, CASE)
    case = await hiring.ticket(CASE)
    assert (case["status"], case["owner"], case["course"]["attention"]) == ("in_progress", "amelie", False)


async def test_a_rework_ends_what_runs_and_begins_again(hiring: Office) -> None:
    """C17: copies get numbers of their own, and go to who did them before."""
    await check(hiring, LAPTOP)
    await complete(hiring, LAPTOP)
    await done(hiring, asked.ActivityPickUp, ACCOUNT, by="bruno")
    await complete(hiring, ACCOUNT, by="bruno")
    await done(hiring, asked.CaseRework, CASE, step=1, action="account")
    found = await statuses(hiring)
    assert found == {
        CASE: "in_progress",
        LAPTOP: "closed",
        ACCOUNT: "closed",
        CALL: "closed",
        f"{CASE}-A1.3": "to_do",
    }
    assert (await hiring.ticket(f"{CASE}-A1.3"))["assignee"] == "bruno"
    await complete(hiring, f"{CASE}-A1.3", by="bruno")
    assert (await statuses(hiring))[f"{CASE}-A3.2"] == "to_do"


async def test_an_abandoned_case_ends_with_all_that_runs(hiring: Office) -> None:
    """C23, A13."""
    await done(hiring, asked.CaseAbandon, CASE)
    assert set((await statuses(hiring)).values()) == {"closed"}
    assert (await hiring.ticket(ACCOUNT))["resolution"] is None


async def test_people_launch_actions_by_hand_as_often_as_they_want(hiring: Office) -> None:
    """CA-6: each is done before the Case is; only what the process lets be launched."""
    answer = await done(
        hiring, asked.CaseLaunch, CASE, by="bruno", action="extra", copies=2, instructions="A screen."
    )
    extra = [f"{CASE}-A1.3", f"{CASE}-A1.4"]
    assert [each["reference"] for each in answer["others"]] == extra
    assert (await hiring.ticket(extra[0]))["description"] == "A screen."
    refused = await hiring.step(asked.CaseLaunch, CASE, action="account")
    assert refused["missing"] == ["action_by_hand"]


async def test_nothing_is_launched_while_a_case_waits(hiring: Office) -> None:
    """CA-3, C13, C16."""
    await done(hiring, asked.CasePause, CASE)
    await check(hiring, LAPTOP)
    await complete(hiring, LAPTOP)
    await complete(hiring, ACCOUNT)
    assert CALL not in await statuses(hiring)
    await done(hiring, asked.ActivityResume, CASE, to="to_do")
    assert (await statuses(hiring))[CALL] == "to_do"


async def test_a_case_waits_for_a_reason_and_an_action_does_without(hiring: Office) -> None:
    """C11, A4, AMB-47."""
    refused = await hiring.step(asked.CaseWait, CASE)
    assert refused["missing"] == ["wait_reason"]
    await done(hiring, asked.CaseWait, CASE, reason="papers")
    await done(hiring, asked.CaseWait, ACCOUNT)
    assert (await hiring.ticket(ACCOUNT))["wait"] == "more_information"


async def test_a_case_is_not_resolved_over_its_actions(hiring: Office) -> None:
    """AMB-46: the refusal says which."""
    refused = await hiring.step(asked.CaseResolve, CASE)
    assert refused["missing"] == [f"actions.{LAPTOP}", f"actions.{ACCOUNT}"]


async def test_an_action_is_completed_with_its_checklist_answered(hiring: Office) -> None:
    """A10."""
    refused = await hiring.step(asked.ActionComplete, LAPTOP)
    assert refused["missing"] == ["checklist.Encrypted"]


async def test_a_step_of_another_kind_says_what_to_ask_for(hiring: Office) -> None:
    refused = await hiring.ask(asked.ActivityNote(actor=user("amelie"), reference=CASE, text="Hello"))
    assert (refused["code"], refused["detail"]) == (
        "other_kind",
        f"{CASE} is no Ticket, but a Case: ask for case.note.",
    )


async def test_a_robot_does_actions_and_no_cases(hiring: Office) -> None:
    """ST-24, ST-8."""
    robot = asked.Actor(kind=asked.ActorKind.ROBOT, id="r2")
    answer = await hiring.ask(asked.WorkTakeNext(actor=robot))
    assert answer["reference"] in (LAPTOP, ACCOUNT)
    refused = await hiring.ask(asked.ActivityPickUp(type="case.pick_up", actor=robot, reference=CASE))
    assert refused["missing"] == ["person"]
