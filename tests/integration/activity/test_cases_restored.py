"""A database is lost in the middle of Sub-Cases and approvals: what was said is said to its end."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.local.endpoints import Endpoints
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionType,
    ActionUse,
    CustomField,
    FieldType,
    FieldUse,
    Process,
    StepDefinition,
)
from shared.contracts.activity_requests_approvals import ActionApprove
from shared.contracts.notify_requests import MailCompose
from shared.recovery import Said
from shared.unit_of_work import Incoming
from tests.support.hiring import EQUIPPING, HIRING, WITH_CASES
from tests.support.office import NOON, incoming, type_for, user
from tests.support.second_life import Diary, another_office, catch_up, tables

CASE, SUB_CASE = "100001-C", "100002-C"
CONSENT, EQUIPPED, ORDER = f"{CASE}-A1.3", f"{CASE}-A1.3", f"{SUB_CASE}-A1.1"
ERP = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
BEGUN = incoming(
    asked.ActivityOpen(
        type="case.open", actor=ERP, process="hiring", title="Nora", fields={"device": "laptop"}
    ),
    "begun",
    at=NOON,
)
# One of which nothing is to be done: it ends as it begins.
NOTHING_TO_DO = EQUIPPING.model_copy(update={"steps": EQUIPPING.steps[1:]})
# One that calls a shop, and has a field that the Case above does not know.
SHOPPING = EQUIPPING.model_copy(
    update={
        "fields": (FieldUse(field="device"), FieldUse(field="desk")),
        "actions": (
            ActionDefinition(
                name="order",
                title="Order",
                type=ActionType.EXTERNAL_CALL,
                call="order",
                answer_within_minutes=60,
            ),
            ActionDefinition(name="pack", title="Pack it"),
        ),
        "steps": (
            StepDefinition(name="order", title="Order", actions=(ActionUse(action="order"),)),
            StepDefinition(name="pack", title="Pack", actions=(ActionUse(action="pack"),)),
        ),
    }
)
# One that writes to the customer.
WRITING = EQUIPPING.model_copy(
    update={
        "actions": (
            ActionDefinition(name="tell", title="Tell", type=ActionType.SEND_EMAIL, template="please"),
        ),
        "steps": (StepDefinition(name="tell", title="Tell", actions=(ActionUse(action="tell"),)),),
    }
)


@pytest.fixture
async def lost(stack: Endpoints, database_template: str) -> AsyncIterator[Diary]:
    """The office whose database will be lost."""
    async with another_office(stack, database_template) as office:
        yield office


@pytest.fixture
async def restored(stack: Endpoints, database_template: str) -> AsyncIterator[Diary]:
    """The office that goes on from a backup."""
    async with another_office(stack, database_template) as office:
        yield office


async def configured(equipping: Process, *offices: Diary) -> None:
    processes = (*WITH_CASES.processes[:-2], equipping, HIRING)
    desk = CustomField(name="desk", title="Desk", type=FieldType.SHORT_TEXT)
    for office in offices:
        update = {"processes": processes, "fields": (*WITH_CASES.fields, desk)}
        await office.configure(WITH_CASES.model_copy(update=update), 2)


def step(kind: type[asked.OnActivity], reference: str, by: str = "amelie", **fields: Any) -> Incoming[Any]:
    request = kind(type=type_for(kind, reference), actor=user(by), reference=reference, **fields)
    return incoming(request, f"{kind.__name__}/{request.model_dump_json()}", at=NOON)


def launched(action: str) -> Incoming[Any]:
    return step(asked.CaseLaunch, CASE, action=action)


async def stands(office: Diary) -> list[tuple[str, str, str, Any]]:
    rows = await office.pool.fetch("SELECT * FROM activities ORDER BY reference")
    return [(each["reference"], each["status"], each["description"], each["fields"]) for each in rows]


async def lived(lost: Diary, *life: Incoming[Any]) -> tuple[int, list[Said]]:
    """All that was said in a life, and how much of it before its last record."""
    for record in life[:-1]:
        await lost.take_in(record)
    before = len(await lost.published())
    await lost.take_in(life[-1])
    return before, await lost.published()


async def ends_alike(lost: Diary, restored: Diary, *life: Incoming[Any], after: str) -> None:
    """Wherever its relay died behind this event of the last record, the office comes to the same."""
    before, said = await lived(lost, *life)
    whole = await stands(lost)
    cut_off = 0
    for end in range(before + 1, len(said) + 1):
        told = {each.message.type for each in said[before:end] if each.message}
        if after in told:
            await restored.forget()
            await catch_up(restored, said[:end], lost.read)
            assert await stands(restored) == whole, end
            cut_off += 1
    assert cut_off > 1


async def test_a_sub_case_that_an_action_started_is_there_as_before(lost: Diary, restored: Diary) -> None:
    """C2, CA-7: also where the topic tells of it before it tells of the Case above."""
    await configured(EQUIPPING, lost, restored)
    await lived(lost, BEGUN, launched("equip"))
    said = await lost.published()
    (one,) = (at for at, each in enumerate(said) if _is(each, "case.opened", SUB_CASE))
    await catch_up(restored, [said[one], *said[:one], *said[one + 1 :]], lost.read)
    assert await tables(restored, "answered_requests.digest") == await tables(
        lost, "answered_requests.digest"
    )


def _is(said: Said, type_: str, reference: str) -> bool:
    return (
        said.message is not None
        and said.message.type == type_
        and getattr(said.message, "reference", "") == reference
    )


@pytest.mark.parametrize(
    "again",
    [
        (),
        (step(asked.CaseRework, CASE, step=1),),
        (step(asked.CaseRework, CASE, step=1, action="account"),),
    ],
    ids=["first", "reworked", "reworked in part"],
)
async def test_a_step_that_was_entered_by_half_has_all_its_actions(
    lost: Diary, restored: Diary, again: tuple[Incoming[Any], ...]
) -> None:
    """A1, C17: one that lacks some is not over."""
    await configured(EQUIPPING, lost, restored)
    await ends_alike(lost, restored, BEGUN, *again, after="case.step_entered")


async def test_a_sub_case_that_was_started_by_half_is_started_once(lost: Diary, restored: Diary) -> None:
    """C2: by the Action, and the Case above waits for it."""
    await configured(EQUIPPING, lost, restored)
    begun = BEGUN, launched("equip")
    await ends_alike(lost, restored, *begun, after="case.action_launched")


async def test_a_sub_case_that_ended_as_it_began_is_not_started_again(lost: Diary, restored: Diary) -> None:
    """C2, CA-4: the Action that started it is done, whatever became of it."""
    await configured(NOTHING_TO_DO, lost, restored)
    await ends_alike(lost, restored, BEGUN, launched("equip"), after="case.action_launched")
    assert (SUB_CASE, "closed") in [each[:2] for each in await stands(restored)]


async def test_the_end_of_a_sub_case_that_was_said_by_half_is_heard_above(
    lost: Diary, restored: Diary
) -> None:
    """CA-4, A22: the Case above has one less to wait for, and what waited for it is done."""
    await configured(EQUIPPING, lost, restored)
    await ends_alike(
        lost,
        restored,
        BEGUN,
        step(asked.CaseStartSubCase, CASE, process="equipping"),
        launched("equipped"),
        step(asked.ActionComplete, ORDER),
        after="action.status_changed",
    )
    ends = [each[:2] for each in await stands(restored)]
    assert (SUB_CASE, "closed") in ends
    assert (EQUIPPED, "closed") in ends


async def test_what_an_answer_brought_is_what_the_sub_case_knows(lost: Diary, restored: Diary) -> None:
    """A23, CA-7: on the Case at the top, whose own process has no such field."""
    await configured(SHOPPING, lost, restored)
    reply = asked.ActionAnswerCall(
        actor=ERP, reference=ORDER, attempt=1, outcome="succeeded", fields={"desk": "at the window"}
    )
    answer = incoming(reply, "answer", at=NOON)
    started = step(asked.CaseStartSubCase, CASE, process="equipping")
    await ends_alike(lost, restored, BEGUN, started, answer, after="action.status_changed")
    assert (await restored.ticket(CASE))["fields"] == {"device": "laptop", "desk": "at the window"}


# Approvals


LIVES = {
    "first level": (BEGUN, launched("consent")),
    "second level": (
        BEGUN,
        launched("consent"),
        step(ActionApprove, CONSENT),
        step(ActionApprove, CONSENT, by="bruno"),
    ),
    "new round": (BEGUN, launched("consent"), step(asked.CaseWait, CONSENT)),
}


@pytest.mark.parametrize("name", LIVES)
async def test_an_approval_waits_only_for_those_who_were_written_to(
    lost: Diary, restored: Diary, name: str
) -> None:
    """A25: wherever the relay died; what nobody can answer comes to people, who are told."""
    await configured(EQUIPPING, lost, restored)
    before, said = await lived(lost, *LIVES[name])
    told = 0
    for end in range(before + 1, len(said) + 1):
        if not {each.message.type for each in said[before:end] if each.message} & BEGINS:
            continue  # nobody has heard of it, and it can be asked for again
        await restored.forget()
        await catch_up(restored, said[:end], lost.read)
        told += await to_people_or_asked(restored, said[:end])
    assert told > 1


BEGINS = {"case.action_launched", "action.approval_given", "action.approval_asked"}


@pytest.mark.parametrize("name", LIVES)
async def test_an_approval_whose_mail_never_reached_notify_comes_to_people(
    lost: Diary, restored: Diary, name: str
) -> None:
    """A25: also where all that the Action says of itself is known."""
    await configured(EQUIPPING, lost, restored)
    before, said = await lived(lost, *LIVES[name])
    (*_, mail) = (at for at, each in enumerate(said) if isinstance(each.message, MailCompose))
    assert mail >= before
    left = [*said[:mail], *said[mail + 1 :]]
    await catch_up(restored, left, lost.read)
    assert await to_people_or_asked(restored, left)


async def to_people_or_asked(office: Diary, said: list[Said]) -> bool:
    """Whether the Action came to people; if it did not, everybody who is asked was written to."""
    action = await office.ticket(CONSENT)
    if action["status"] == "to_do":
        assert action["new_information"]
        return True
    assert action["status"] == "wait"
    composed = {str(each.message.mail) for each in said if isinstance(each.message, MailCompose)}
    round_ = action["task"]["round"]
    assert len(round_["mails"]) == len(round_["approvers"])
    assert set(round_["mails"]) <= composed
    return False


# Other mails


async def test_an_action_whose_own_mail_never_reached_notify_comes_to_people(
    lost: Diary, restored: Diary
) -> None:
    """A20: as where it cannot be sent."""
    await configured(WRITING, lost, restored)
    nora = asked.Person(address="nora@harbour.test", name="Nora North")
    begun = incoming(BEGUN.message.model_copy(update={"primary_contact": nora}), "begun", at=NOON)
    await lived(lost, begun, step(asked.CaseStartSubCase, CASE, process="equipping"))
    assert (await lost.ticket(ORDER))["status"] == "wait"
    said = [each for each in await lost.published() if not isinstance(each.message, MailCompose)]
    await catch_up(restored, said, lost.read)
    action = await restored.ticket(ORDER)
    assert (action["status"], action["new_information"]) == ("to_do", True)
