"""How a Case runs through its steps, and what people launch beside them (A1, C2, C3, CA-6)."""

from dataclasses import replace

import pytest
from msgspec import structs

from services.activity.domain.activity import Holders
from services.activity.domain.events import ActionLaunched, StepEntered
from services.activity.domain.evolving import task_of
from services.activity.domain.refusals import Missing
from services.activity.domain.states import State
from services.activity.domain.steps import Edit, Opening, PickUp, Submit
from services.activity.domain.vocabulary import SYSTEM, Actor, StartedBy
from shared.field_values import FieldValue
from tests.unit.activity.case_states import CASE_STATES, CASES
from tests.unit.activity.cases import (
    CASE_CREATED,
    CASE_ROUTED,
    CASE_STARTED,
    DIPLOMA,
    FLOW,
    PASSPORT,
    Family,
    done,
)
from tests.unit.activity.tickets import BOB, DAY, ERP, NOW, WINDOW, refused


def created(*fields: FieldValue) -> Family:
    """A Case that began with these values."""
    family = Family()
    done(family.do(replace(CASE_CREATED, fields=fields), ERP))
    return family


# The first step


def test_a_draft_launches_nothing_until_it_is_submitted() -> None:
    """C1, C3."""
    family = Family()
    done(family.do(CASE_STARTED))
    assert (family.case.state, family.actions) == (State.DRAFT, [])
    done(family.do(Submit()))
    assert family.case.state is State.TO_DO
    assert family.names() == ["papers", "call"]


@pytest.mark.parametrize(("opening", "actor"), [(CASE_ROUTED, SYSTEM), (CASE_CREATED, ERP)])
def test_what_opens_in_to_do_launches_its_first_step_at_once(opening: Opening, actor: Actor) -> None:
    """C2."""
    family = Family()
    done(family.do(opening, actor))
    assert family.case.state is State.TO_DO
    assert family.names() == ["papers", "call"]


@pytest.mark.parametrize("opening", [CASE_STARTED, CASE_ROUTED, CASE_CREATED], ids=lambda it: it.name)
def test_a_case_without_steps_is_not_opened(opening: Opening) -> None:
    """C1, C2."""
    for flow in (None, structs.replace(FLOW, steps=())):
        assert refused(Family().do(replace(opening, flow=flow))).missing == (Missing.STEPS,)


def test_a_short_description_is_all_that_a_draft_has_to_have() -> None:
    """C3, CA-2: neither a description nor a category."""
    family = Family()
    done(family.do(replace(CASE_STARTED, title=" ", description="", category=None, contacts=())))
    missing = (Missing.TITLE, Missing.PRIMARY_CONTACT, Missing.REQUESTER)
    assert refused(family.do(Submit())).missing == missing
    done(family.do(Edit(title="A new colleague", tag=CASE_STARTED.tags)))
    done(family.do(Submit()))
    assert family.case.state is State.TO_DO


def test_an_action_says_what_it_is() -> None:
    """A1, GL-6: its number and its Case, title and instructions of its type, its own queue."""
    papers, call = CASES["TO_DO"](WINDOW).running
    assert [str(papers.reference), str(call.reference)] == ["10040-C-A1.1", "10040-C-A1.2"]
    assert (papers.title, call.title) == ("Look at the papers", "Call the new colleague")
    assert (papers.description, call.description) == ("", "Say when to come.")
    assert (papers.holders, call.holders) == (Holders(queue="papers"), Holders(queue="it"))
    assert task_of(papers).checklist == (PASSPORT, DIPLOMA)
    assert {each.parent for each in (papers, call)} == {CASE_CREATED.activity}
    assert {each.started_by for each in (papers, call)} == {StartedBy.WORKFLOW}
    assert {each.state for each in (papers, call)} == {State.TO_DO}


# From step to step


def test_the_next_step_begins_once_all_parallel_actions_have_ended() -> None:
    """A1, A10: exactly once, whichever ends last."""
    for order in (("papers", "call"), ("call", "papers")):
        family = CASES["TO_DO"](WINDOW)
        family.complete(order[0])
        assert family.names() == [order[1]]
        family.complete(order[1])
        assert family.names() == ["contract"]
        history = family.history[family.case.id]
        assert [each.step for each in history if isinstance(each, StepEntered)] == [1, 2]
        assert len([each for each in history if isinstance(each, ActionLaunched)]) == 3


def test_an_action_is_launched_only_where_its_condition_holds() -> None:
    assert created().names() == ["papers", "call"]
    assert created(FieldValue("foreign", False)).names() == ["papers", "call"]
    assert created(FieldValue("foreign", True)).names() == ["papers", "call", "translate"]


def test_a_step_whose_condition_does_not_hold_is_passed_over() -> None:
    family = created(FieldValue("salary", 0))
    family.complete("papers", "call")
    assert (family.names(), family.course.step) == (["desk"], 3)


def test_a_condition_is_asked_when_its_step_comes_up() -> None:
    """What the fields say then counts, not what they said when the Case began."""
    family = created()
    family.complete("papers")
    done(family.do(Edit(fields=(FieldValue("salary", 100),)), ERP))
    family.complete("call")
    assert family.names() == ["contract"]


def test_a_condition_that_cannot_be_worked_out_stops_the_case() -> None:
    """C6, CA-5: it needs attention, and the reason says why; once it can be, the Case goes on."""
    family = created(FieldValue("salary", "a lot"))
    family.complete("papers", "call")
    assert (family.case.state, family.course.attention, family.running) == (State.TO_DO, True, [])
    assert family.course.because == "What stands in 'salary' is not of its type, whole_number."
    done(family.do(PickUp()))
    assert (family.case.state, family.course.attention) == (State.TO_DO, True)
    done(family.do(Edit(fields=(FieldValue("salary", 100),))))
    assert (family.case.state, family.course.attention) == (State.IN_PROGRESS, False)
    assert family.names() == ["contract"]


def test_a_case_of_which_nothing_is_to_be_done_is_completed_at_once() -> None:
    """C18."""
    never = tuple(structs.replace(step, when="foreign ?? false") for step in FLOW.steps)
    family = Family()
    done(family.do(replace(CASE_CREATED, flow=structs.replace(FLOW, steps=never)), ERP))
    assert (family.case.state, family.actions) == (State.RESOLVED, [])


# Launched by hand


def test_people_launch_actions_beside_those_of_the_step() -> None:
    """CA-6, GL-6, ST-22: several at once, with a due date; whoever works on the Case."""
    family = CASES["IN_PROGRESS"](WINDOW)
    done(family.launch("visit", BOB, copies=2, due=NOW + DAY))
    *_, first, second = family.running
    assert [str(first.reference), str(second.reference)] == ["10040-C-A1.3", "10040-C-A1.4"]
    assert {each.started_by for each in (first, second)} == {StartedBy.MANUAL}
    assert {each.due.at for each in (first, second)} == {NOW + DAY}
    assert task_of(first).by_hand
    assert family.case.holders == Holders(owner="alice")


def test_only_types_that_people_may_launch_are_launched() -> None:
    """CA-6."""
    assert refused(CASES["TO_DO"](WINDOW).launch("call")).missing == (Missing.ACTION_BY_HAND,)


@pytest.mark.parametrize("state", ["DRAFT", "PAUSE", "UNTIL", "MORE_INFO", "RESOLVED", "CLOSED"])
def test_nobody_launches_where_the_case_does_not_run(state: str) -> None:
    """CA-3."""
    assert refused(CASES[state](WINDOW).launch("visit")).state is CASE_STATES[state]


def test_what_was_launched_by_hand_holds_up_the_end_and_no_step() -> None:
    """C18."""
    family = CASES["TO_DO"](WINDOW)
    done(family.launch("visit"))
    family.complete("papers", "call", "contract", "desk")
    assert (family.case.state, family.names()) == (State.TO_DO, ["visit"])
    family.complete("visit")
    assert family.case.state is State.RESOLVED


def test_no_two_actions_of_a_case_have_the_same_number() -> None:
    """GL-6."""
    family = CASES["TO_DO"](WINDOW)
    done(family.launch("visit"))
    family.complete("papers", "call")
    done(family.launch("visit"))
    family.complete("contract")
    done(family.launch("visit"))
    references = [str(each.reference).removeprefix("10040-C-A") for each in family.actions]
    assert references == ["1.1", "1.2", "1.3", "2.1", "2.2", "3.1", "3.2"]
