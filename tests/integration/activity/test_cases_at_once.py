"""Two who work on one Case at once: its family has one lock, so that it goes on exactly once (design §3)."""

import asyncio

from shared.contracts import activity_requests as asked
from shared.postgres import Pool
from tests.support.hiring import WITH_CASES
from tests.support.office import Office, user

ROUNDS = 10


async def test_the_last_two_actions_of_a_step_closed_at_once_advance_the_case_once(office: Office) -> None:
    """A10: whichever is second sees what the first has done."""
    await office.configure(WITH_CASES, 2)
    other = await colleague(office)
    erp = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
    for number in range(1, ROUNDS + 1):
        case = f"{100000 + number}-C"
        await office.ask(
            asked.ActivityOpen(
                type="case.open", actor=erp, process="hiring", title="Nora", fields={"device": "laptop"}
            )
        )
        point = asked.PointAnswered(point="Encrypted", answer="yes")
        await office.step(asked.ActionAnswerChecklist, f"{case}-A1.1", answers=(point,))
        answers = await asyncio.gather(
            office.step(asked.ActionComplete, f"{case}-A1.1"),
            other.ask(
                asked.ActionComplete(actor=user("bruno"), reference=f"{case}-A1.2"), id_=f"other-{number}"
            ),
        )
        assert {each["type"] for each in answers} == {"request.accepted"}
        rows = [row for row in await office.history(case) if row["type"] == "case.step_entered"]
        assert [row["event"]["step"] for row in rows] == [1, 3]
        actions = [row["reference"] for row in await office.tickets() if row["reference"].startswith(case)]
        assert sorted(actions) == [case, f"{case}-A1.1", f"{case}-A1.2", f"{case}-A3.1"]


async def test_an_abandoned_case_and_a_completed_action_meet_without_half_a_step(office: Office) -> None:
    """C23: whichever is first, the other is refused or has been; nothing runs in a closed Case."""
    await office.configure(WITH_CASES, 2)
    other = await colleague(office)
    erp = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
    for number in range(1, ROUNDS + 1):
        case = f"{100000 + number}-C"
        await office.ask(asked.ActivityOpen(type="case.open", actor=erp, process="hiring", title="Nora"))
        await asyncio.gather(
            office.step(asked.CaseAbandon, case),
            other.ask(
                asked.ActionComplete(actor=user("bruno"), reference=f"{case}-A1.1"), id_=f"other-{number}"
            ),
        )
        found = [row["status"] for row in await office.tickets() if row["reference"].startswith(case)]
        assert set(found) == {"closed"}


async def colleague(office: Office) -> Office:
    """Another worker on the same tables."""
    pool: Pool = office.pool
    return Office(pool, clock=office.clock, numbers=office.numbers)
