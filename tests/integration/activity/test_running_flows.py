"""Cases end on the steps that they began with, whatever the configuration says meanwhile (design §10)."""

import pytest

from services.activity import configuration
from services.activity.configuration import StillInUse
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import ActionUse, Definition, StepDefinition
from shared.unit_of_work import Batch
from tests.support.hiring import HIRING, WITH_CASES
from tests.support.office import Office, user

CASE = "100001-C"


@pytest.fixture
async def hiring(office: Office) -> Office:
    """An office that hires, with one Case under way."""
    await apply(office, WITH_CASES)
    await begin(office)
    return office


async def begin(office: Office) -> None:
    erp = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
    await office.ask(asked.ActivityOpen(type="case.open", actor=erp, process="hiring", title="Nora"))


async def apply(office: Office, definition: Definition) -> configuration.Applied:
    async def applying(batch: Batch[object]) -> configuration.Applied:
        return await configuration.apply(batch, definition, "operator", office.work)

    return await office.unit.run(applying)


def with_hiring(**changes: object) -> Definition:
    changed = HIRING.model_copy(update=changes)
    return WITH_CASES.model_copy(update={"processes": (*WITH_CASES.processes[:-1], changed)})


async def test_a_case_ends_on_the_steps_that_it_began_with(hiring: Office) -> None:
    """What begins later has the new ones; whoever applies them learns how many go on."""
    short = (StepDefinition(name="only", title="Only", actions=(ActionUse(action="account"),)),)
    actions = tuple(each for each in HIRING.actions if each.name in ("account", "extra"))
    applied = await apply(hiring, with_hiring(steps=short, actions=actions))
    assert applied.going_on == {"hiring": 1}
    await hiring.step(asked.ActionComplete, f"{CASE}-A1.1")
    assert (await hiring.ticket(f"{CASE}-A3.1"))["title"] == "Welcome call"
    await begin(hiring)
    await hiring.step(asked.ActionComplete, "100002-C-A1.1")
    assert (await hiring.ticket("100002-C"))["status"] == "resolved"


async def test_what_leaves_the_steps_alone_says_nothing_of_cases(hiring: Office) -> None:
    assert (await apply(hiring, with_hiring(title="Hiring people"))).going_on == {}


async def test_a_queue_that_a_running_case_needs_stays(hiring: Office) -> None:
    """An Action would be launched into a queue that is not there, where nobody sees it."""
    actions = tuple(each.model_copy(update={"queue": None}) for each in HIRING.actions)
    without = with_hiring(actions=actions).model_copy(update={"queues": WITH_CASES.queues[:-1]})
    with pytest.raises(StillInUse) as refused:
        await apply(hiring, without)
    assert [(each.kind, each.use.name, each.use.examples) for each in refused.value.uses] == [
        ("queues", "store", (CASE,))
    ]
    await hiring.ask(asked.CaseAbandon(actor=user("amelie"), reference=CASE))
    assert (await apply(hiring, without)).changed


async def test_whichever_flow_names_it_the_cases_that_run_through_it_are_told(hiring: Office) -> None:
    """Flows of Cases are looked through one by one, each for all Cases that have it."""
    plain = tuple(each.model_copy(update={"queue": None}) for each in HIRING.actions)
    for step, actions in (("Welcome", plain), ("Hello", HIRING.actions), ("Hello", plain)):
        first = HIRING.steps[-1].model_copy(update={"title": step})
        await apply(hiring, with_hiring(actions=actions, steps=(*HIRING.steps[:-1], first)))
        for _ in range(2):
            await begin(hiring)
    without = with_hiring(actions=plain).model_copy(update={"queues": WITH_CASES.queues[:-1]})
    with pytest.raises(StillInUse) as refused:
        await apply(hiring, without)
    (use,) = (each.use for each in refused.value.uses)
    assert (use.name, use.count, use.examples) == ("store", 3, ("100005-C", "100004-C", CASE))


async def test_whom_a_running_case_may_ask_for_an_approval_stays(hiring: Office) -> None:
    """A25: with the template by which it asks."""
    actions = tuple(each for each in HIRING.actions if each.name != "consent")
    users = tuple(each for each in WITH_CASES.users if each.name != "clara")
    without = with_hiring(actions=actions).model_copy(
        update={"users": users, "templates": WITH_CASES.templates[:-1]}
    )
    with pytest.raises(StillInUse) as refused:
        await apply(hiring, without)
    assert [(each.kind, each.use.name, each.use.examples) for each in refused.value.uses] == [
        ("templates", "please", (CASE,)),
        ("users", "clara", (CASE,)),
    ]
    await hiring.ask(asked.CaseAbandon(actor=user("amelie"), reference=CASE))
    assert (await apply(hiring, without)).changed
