"""Cases under Cases on a real database: begun, shared, waited for, ended (CA-4, CA-7, A22, AMB-51)."""

from typing import Any
from uuid import UUID

import pytest

from services.activity.store_erasing import traces
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionType,
    ActionUse,
    Definition,
    StepDefinition,
)
from shared.contracts.activity_requests_contacts import ContactErase
from shared.contracts.ingest_mails import PlusReference
from tests.support.hiring import EQUIPPING, WITH_CASES
from tests.support.office import HELP, Office, addressed, received, user

CASE, SUB_CASE = "100001-C", "100002-C"
LAPTOP, ACCOUNT, ORDER = f"{CASE}-A1.1", f"{CASE}-A1.2", f"{SUB_CASE}-A1.1"


@pytest.fixture
async def hiring(office: Office) -> Office:
    """An office that hires, with one Case under way."""
    await office.configure(WITH_CASES, 2)
    await office.ask(
        asked.ActivityOpen(
            type="case.open",
            actor=asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp"),
            process="hiring",
            title="Nora starts in March",
            primary_contact=asked.Person(address="nora@harbour.test", name="Nora North"),
            fields={"device": "laptop"},
        )
    )
    return office


@pytest.fixture
async def equipping(hiring: Office) -> Office:
    """The same, with a Case under it."""
    await done(hiring, asked.CaseStartSubCase, CASE, process="equipping", title="A desk")
    return hiring


async def done(office: Office, kind: type[asked.OnActivity], reference: str, **fields: Any) -> Any:
    answer = await office.step(kind, reference, **fields)
    assert answer["type"] == "request.accepted", answer
    return answer


def with_word_of_it() -> Definition:
    """Somebody is written to once equipment was ordered."""
    word = ActionDefinition(name="tell", title="Tell", type=ActionType.SEND_EMAIL, template="ack")
    step = StepDefinition(name="tell", title="Tell", actions=(ActionUse(action="tell"),))
    changed = EQUIPPING.model_copy(
        update={
            "actions": (*EQUIPPING.actions, word),
            "steps": (EQUIPPING.steps[0], step, EQUIPPING.steps[1]),
        }
    )
    processes = (each for each in WITH_CASES.processes if each is not EQUIPPING)
    return WITH_CASES.model_copy(update={"processes": (changed, *processes)})


async def status(office: Office, reference: str) -> str:
    found: str = (await office.ticket(reference))["status"]
    return found


async def test_a_case_is_started_under_another_one(hiring: Office) -> None:
    """CA-1, CA-7, AMB-52: in the family of the one above; the answer names both."""
    answer = await done(
        hiring, asked.CaseStartSubCase, CASE, process="equipping", title="A desk", description="At the window"
    )

    assert [answer["reference"], *(each["reference"] for each in answer["others"])] == [CASE, SUB_CASE]
    above, below = await hiring.ticket(CASE), await hiring.ticket(SUB_CASE)
    assert (below["title"], below["description"]) == ("A desk", "At the window")
    assert (below["process"], below["status"], below["started_by"]) == ("equipping", "to_do", "manual")
    assert (below["parent"], below["borne_by"], below["family"]) == (
        above["id"],
        above["id"],
        above["family"],
    )
    assert await status(hiring, ORDER) == "to_do"
    (told,) = await hiring.said("activity.activities.v1", "case.sub_case_started")
    assert (told["started"]["reference"], told["process"], told["by"]) == (SUB_CASE, "equipping", None)


async def test_an_action_starts_as_many_cases_as_it_is_launched(hiring: Office) -> None:
    """C2, GL-6: each has a number of its own, though nobody said before how many there would be."""
    await done(hiring, asked.CaseLaunch, CASE, action="equip", copies=7)

    rows = [each for each in await hiring.tickets() if each["process"] == "equipping"]
    cases = [each["reference"] for each in rows if each["kind"] == "case"]
    assert cases == [f"{number}-C" for number in range(100002, 100009)]
    assert {each["title"] for each in rows if each["kind"] == "case"} == {"Nora starts in March"}
    assert (await hiring.ticket(SUB_CASE))["description"] == "Whatever the desk needs."
    assert {await status(hiring, f"{CASE}-A1.{number}") for number in range(3, 10)} == {"closed"}
    answer = await hiring.ask(
        asked.ActivityOpen(actor=user("amelie"), process="request", title="Next", draft=True)
    )
    assert answer["reference"] == "100009-T"


async def test_a_case_waits_for_its_sub_cases_and_so_does_an_action(equipping: Office) -> None:
    """CA-4, A22."""
    await done(equipping, asked.CaseLaunch, CASE, action="equipped")
    waiting = f"{CASE}-A1.3"
    assert await status(equipping, waiting) == "wait"
    refused = await equipping.step(asked.CaseResolve, CASE)
    assert set(refused["missing"]) == {
        *(f"actions.{each}" for each in (LAPTOP, ACCOUNT, waiting)),
        f"cases.{SUB_CASE}",
    }

    await done(equipping, asked.ActionComplete, ORDER)

    assert [await status(equipping, each) for each in (SUB_CASE, waiting)] == ["closed", "closed"]
    ended = [
        each["reason"]
        for each in await equipping.said("activity.activities.v1")
        if each["type"] == "action.status_changed" and each["reference"] == waiting
    ]
    assert ended[-1] == "sub_case_completed"


async def test_what_is_written_on_either_is_seen_on_both(equipping: Office) -> None:
    """CA-7: fields and contacts stand on the Case at the top, whoever changes them where."""
    answer = await done(
        equipping,
        asked.ActivityEdit,
        SUB_CASE,
        title="Two desks",
        fields={"device": "ship"},
        cc=(asked.Person(address="otto@harbour.test", name="Otto"),),
    )

    assert [each["reference"] for each in answer["others"]] == [CASE]
    above, below = await equipping.ticket(CASE), await equipping.ticket(SUB_CASE)
    assert (above["title"], above["fields"]) == ("Nora starts in March", {"device": "ship"})
    assert (below["title"], below["fields"], below["status"]) == ("Two desks", {}, "in_progress")
    tags = "SELECT tag FROM activity_contacts WHERE activity = $1 ORDER BY tag"
    assert await equipping.pool.fetch(tags, below["id"]) == []
    assert "cc" in [row["tag"] for row in await equipping.pool.fetch(tags, above["id"])]
    (made,) = [
        each
        for each in await equipping.said("activity.contacts.v1")
        if each["address"] == "otto@harbour.test"
    ]
    assert made["type"] == "contact.changed"
    # Its next step hangs on what the Case at the top has.
    await done(equipping, asked.ActionComplete, ORDER)
    assert await status(equipping, f"{SUB_CASE}-A2.1") == "to_do"


async def test_a_sub_case_goes_on_by_what_is_written_with_the_same_request(equipping: Office) -> None:
    """CA-7, C4: whoever supplies what was wanting picks the Sub-Case up by that; it sees the new value."""
    await done(equipping, asked.ActionGiveUp, ORDER, reason="Where to?")
    assert (await equipping.ticket(SUB_CASE))["course"]["attention"]

    await done(equipping, asked.ActivityEdit, SUB_CASE, fields={"device": "ship"})

    assert await status(equipping, f"{SUB_CASE}-A2.1") == "to_do"
    assert (await equipping.ticket(SUB_CASE))["status"] == "in_progress"
    versions = [row["version"] for row in await equipping.history(CASE)]
    assert versions == list(range(1, len(versions) + 1))


async def test_a_stale_version_of_the_sub_case_changes_neither(equipping: Office) -> None:
    """ST-23."""
    await done(equipping, asked.ActivityNote, SUB_CASE, text="Which desk?")
    before = await equipping.written()

    refused = await equipping.step(
        asked.ActivityEdit, SUB_CASE, expected_version=1, fields={"device": "ship"}
    )

    assert refused["code"] == "conflict"
    assert await equipping.written() == before


async def test_links_of_a_sub_case_are_those_of_the_case_at_the_top(equipping: Office) -> None:
    """CA-7, LK-1: the other side shows the Case at the top, and none is linked with itself."""
    await equipping.take_in(received("A printer", message_id="one@harbour.test"))

    await done(equipping, asked.ActivityLink, SUB_CASE, with_references=("100003-T",))

    links = await equipping.pool.fetch(
        "SELECT one.reference, other.reference AS linked FROM links "
        "JOIN activities AS one ON one.id = links.activity "
        "JOIN activities AS other ON other.id = links.linked ORDER BY 1"
    )
    assert [tuple(each) for each in links] == [(CASE, "100003-T"), ("100003-T", CASE)]
    refused = await equipping.step(asked.ActivityLink, SUB_CASE, with_references=(CASE,))
    assert refused["code"] == "linked_with_itself"


async def test_what_is_opened_from_a_sub_case_is_linked_with_the_case_at_the_top(equipping: Office) -> None:
    """CA-7, LK-5: and begins with its fields."""
    opened = await equipping.ask(
        asked.ActivityOpen(
            type="case.open",
            actor=user("amelie"),
            process="hiring",
            title="Another",
            linked_to=SUB_CASE,
            copies=("fields",),
        )
    )

    other = await equipping.ticket(opened["reference"])
    assert other["fields"] == {"device": "laptop"}
    linked = await equipping.pool.fetchval("SELECT linked FROM links WHERE activity = $1", other["id"])
    assert linked == (await equipping.ticket(CASE))["id"]


async def test_a_sub_case_that_is_taken_next_writes_to_the_people_of_the_case_at_the_top(
    hiring: Office,
) -> None:
    """CA-7, A20: what goes on by that finds them, though nobody stands on the Sub-Case itself."""
    await hiring.configure(with_word_of_it(), 3)
    await done(hiring, asked.CaseStartSubCase, CASE, process="equipping")
    await done(hiring, asked.ActionGiveUp, ORDER, reason="Where to?")
    for each in (LAPTOP, ACCOUNT):
        await done(hiring, asked.ActivityPickUp, each, by="bruno")

    answer = await hiring.ask(asked.WorkTakeNext(actor=user("amelie")))

    assert answer["reference"] == SUB_CASE
    (mail,) = [each for each in await hiring.asked_of_notify() if each["reference"].startswith(SUB_CASE)]
    assert [each["address"] for each in mail["to"]] == ["nora@harbour.test"]


async def test_a_mail_to_a_sub_case_wakes_it(equipping: Office) -> None:
    """C14: it has an address of its own."""
    await done(equipping, asked.CaseWait, SUB_CASE, reason="papers")
    plus = PlusReference(
        address=f"help+{SUB_CASE.lower()}@acme.test", mailbox="help", reference=SUB_CASE, signed=True
    )

    await equipping.take_in(
        received(
            "Re: desk", message_id="re@harbour.test", plus=(plus,), targets=[addressed(HELP, routed=False)]
        )
    )

    below = await equipping.ticket(SUB_CASE)
    assert (below["status"], below["new_information"]) == ("to_do", True)


async def test_who_abandons_a_case_abandons_all_under_it(equipping: Office) -> None:
    """AMB-51."""
    await done(equipping, asked.CaseAbandon, CASE)

    assert {each["status"] for each in await equipping.tickets()} == {"closed"}
    assert ("status_changed", "AMB-51") in await equipping.rules(SUB_CASE)
    assert (await equipping.ticket(SUB_CASE))["resolution"]["method"] == "cancelled"


@pytest.mark.parametrize(
    ("process", "code"),
    [
        ("nowhere", "unknown_name"),
        ("request", "other_kind"),
        ("hiring", "cycle_of_sub_cases"),
    ],
)
async def test_what_cannot_be_started_is_refused_with_nothing_half_done(
    hiring: Office, process: str, code: str
) -> None:
    before = await hiring.written()

    refused = await hiring.step(asked.CaseStartSubCase, CASE, process=process)

    assert (refused["code"], refused["missing"]) == (code, ["process"])
    assert process in refused["detail"]
    assert await hiring.written() == before


async def test_who_may_not_work_on_its_process_starts_no_case_of_it(hiring: Office) -> None:
    people = tuple(
        each.model_copy(update={"processes": (), "leads": ("hiring",)}) if each.name == "bruno" else each
        for each in WITH_CASES.users
    )
    await hiring.configure(WITH_CASES.model_copy(update={"users": people}), 3)

    refused = await hiring.step(asked.CaseStartSubCase, CASE, by="bruno", process="equipping")

    assert refused["code"] == "forbidden"


async def test_what_is_written_on_a_sub_case_is_erased_with_the_person_of_the_case(equipping: Office) -> None:
    """CT-21, CA-7: notes on it are about whoever the Case at the top is about."""
    await done(equipping, asked.ActivityNote, SUB_CASE, text="Nora has a bad back")
    await done(equipping, asked.ActivityNote, ORDER, text="For Nora")
    (contact,) = await equipping.pool.fetch("SELECT id, version FROM contacts")
    found = await traces(equipping.pool, ("acme", contact["id"]))
    assert set(found.theirs) >= {
        UUID(str((await equipping.ticket(each))["id"])) for each in (CASE, SUB_CASE, ORDER)
    }

    answer = await equipping.ask(
        ContactErase(
            actor=user("amelie"),
            contact=contact["id"],
            expected_version=contact["version"],
            reason="asked_for",
            open_tickets=True,
        )
    )

    assert answer["type"] == "contact.accepted", answer
    assert not [
        each for each in await equipping.pool.fetch("SELECT text FROM notes") if "Nora" in each["text"]
    ]
    assert (await equipping.ticket(SUB_CASE))["title"] == ""
