"""What becomes of the people of a Case, and of Cases that are taken as the next work."""

from typing import Any

import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests_contacts import ContactErase, ContactMerge
from tests.support.hiring import HIRING, WITH_CASES
from tests.support.office import Office, process, received, user

CASE = "100001-C"
ACTION = f"{CASE}-A1.1"
AT_ONCE = WITH_CASES.model_copy(
    update={
        "processes": (
            process("request"),
            *WITH_CASES.processes[1:-1],
            HIRING.model_copy(update={"feedback_window_hours": 0.0}),
        )
    }
)


@pytest.fixture
async def hiring(office: Office) -> Office:
    """An office that hires, with a Ticket that was converted into a Case."""
    await office.configure(AT_ONCE, 2)
    await office.take_in(received("Nora", message_id="one@harbour.test"))
    await done(office, asked.TicketConvert, "100001-T", process="hiring")
    return office


async def done(office: Office, kind: type[asked.OnActivity], reference: str, **fields: Any) -> Any:
    answer = await office.step(kind, reference, **fields)
    assert answer["type"] == "request.accepted", answer
    return answer


async def test_a_case_that_is_taken_as_the_next_work_ends_with_all_that_is_tied_to_it(
    hiring: Office,
) -> None:
    """T31, C9: taken, it goes on and closes, and so does the Ticket that it was made of."""
    await done(hiring, asked.ActivityAssign, CASE, assignee=None)
    await done(hiring, asked.ActionComplete, ACTION)
    await done(hiring, asked.ActionGiveUp, f"{CASE}-A3.1", reason="Nobody answers")
    case = await hiring.ticket(CASE)
    assert (case["status"], case["queue"]) == ("to_do", "desk")
    answer = await hiring.ask(asked.WorkTakeNext(actor=user("amelie")))
    assert answer["reference"] == CASE
    assert [(await hiring.ticket(each))["status"] for each in (CASE, "100001-T")] == ["closed", "closed"]


async def test_two_contacts_become_one_on_a_case_and_its_actions_stay_as_they_are(hiring: Office) -> None:
    """CT-20: an Action has the contacts of its Case."""
    await hiring.take_in(received("Else", message_id="two@harbour.test", sender="nora@harbour.test"))
    rows = await hiring.pool.fetch("SELECT id, address, version FROM contacts ORDER BY address")
    one, other = rows
    request = ContactMerge(
        actor=user("amelie"), contact=one["id"], into=other["id"], expected_version=one["version"]
    )
    answer = await hiring.ask(request)
    assert answer["type"] == "contact.accepted", answer
    tagged = await hiring.pool.fetch(
        "SELECT DISTINCT contact FROM activity_contacts WHERE activity = $1",
        (await hiring.ticket(CASE))["id"],
    )
    assert [each["contact"] for each in tagged] == [other["id"]]


async def test_what_was_written_on_the_actions_of_somebodys_case_is_erased_with_them(hiring: Office) -> None:
    """CT-21: notes and instructions, open or closed; what an Action is called is its process's."""
    await done(hiring, asked.ActivityNote, CASE, text="About Nora")
    await done(hiring, asked.ActivityNote, ACTION, text="Nora rang")
    await done(hiring, asked.CaseLaunch, CASE, action="extra", instructions="For Nora")
    extra = f"{CASE}-A1.2"
    await done(hiring, asked.ActivityNote, extra, text="Nora again")
    await done(hiring, asked.ActionComplete, extra)
    contact = await hiring.pool.fetchrow("SELECT id, version FROM contacts")
    assert contact is not None
    leader = AT_ONCE.users[0].model_copy(update={"leads": ("request", "invoice", "hiring")})
    await hiring.configure(AT_ONCE.model_copy(update={"users": (leader, *AT_ONCE.users[1:])}), 3)
    answer = await hiring.ask(
        ContactErase(
            actor=user("amelie"),
            contact=contact["id"],
            expected_version=contact["version"],
            open_tickets=True,
            reason="asked_for",
        )
    )
    assert answer["type"] == "contact.accepted", answer
    assert await hiring.pool.fetchval("SELECT count(*) FROM notes") == 0
    written = [(row["title"], row["description"]) for row in await hiring.tickets()]
    assert {title for title, _ in written} == {"", "Create the account", "Extra equipment"}
    assert {description for _, description in written} == {""}
