"""How a Case is resolved, comes back and is closed, and how it is abandoned (C18 to C23)."""

import pytest

from services.activity.domain.action_steps import CompleteAction, GiveUp
from services.activity.domain.activity import Holders
from services.activity.domain.case_steps import Abandon, Complete, Rework
from services.activity.domain.context import ProcessRules
from services.activity.domain.events import StatusChanged
from services.activity.domain.refusals import Missing, RefusalCode, StillOpen
from services.activity.domain.states import State, Status
from services.activity.domain.steps import AddNote, MarkInformation, PickUp, Reopen, Step, Submit
from services.activity.domain.vocabulary import SYSTEM, Actor, Method, Reason
from services.activity.domain.work_steps import GiveFeedback, KeepWithMe
from shared.references import action
from tests.unit.activity.case_states import CASES
from tests.unit.activity.cases import CASE_STARTED, Family, done
from tests.unit.activity.tickets import (
    ALICE,
    BOB,
    DAY,
    ERP,
    MAIL,
    NO_WINDOW,
    NOW,
    ROBOT,
    WINDOW,
    only,
    refused,
)

COMING_BACK = [(MAIL, SYSTEM), (GiveFeedback(2), ERP), (Reopen(), ALICE)]


def last_change(family: Family) -> StatusChanged:
    history = family.history[family.case.id]
    return [each for each in history if isinstance(each, StatusChanged)][-1]


# It is resolved


def test_a_case_is_completed_with_the_last_of_its_actions() -> None:
    """C18: it rests in its feedback window with whoever has it."""
    family = CASES["RESOLVED"](WINDOW)
    changed = last_change(family)
    assert (changed.stamp.rule, changed.stamp.by) == ("C18", SYSTEM)
    assert (changed.reason, changed.method) == (Reason.ALL_ACTIONS_COMPLETED, Method.COMPLETE)
    assert family.case.holders == Holders(owner="alice")
    assert family.case.feedback_until == NOW + 3 * DAY


def test_without_a_feedback_window_it_is_closed() -> None:
    """C19."""
    family = CASES["IN_PROGRESS"](NO_WINDOW)
    family.complete("papers", "call", "contract", "desk")
    changed = last_change(family)
    assert (changed.stamp.rule, changed.reason) == ("C19", Reason.ALL_ACTIONS_COMPLETED)
    assert (family.case.state, family.case.holders) == (State.CLOSED, Holders())


@pytest.mark.parametrize("state", ["TO_DO", "IN_PROGRESS"])
def test_nobody_resolves_a_case_whose_actions_run(state: str) -> None:
    """AMB-46: they are listed."""
    family = CASES[state](WINDOW)
    done(family.launch("visit"))
    refusal = refused(family.do(Complete()))
    assert refusal.code is RefusalCode.INCOMPLETE
    assert refusal.missing == tuple(StillOpen(action(10040, 1, number)) for number in (1, 2, 3))
    for number in (1, 2, 3):
        assert f"the end of 10040-C-A1.{number}" in refusal.sentence


def test_people_resolve_what_nothing_runs_in() -> None:
    """C18: what failed need not be done."""
    family = CASES["ATTENTION"](WINDOW)
    changed = only(StatusChanged, family.do(Complete()))
    assert (changed.stamp.rule, changed.reason, changed.method) == ("C18", Reason.COMPLETED, Method.COMPLETE)
    assert family.case.resolution is not None
    assert family.case.resolution.by == ALICE


@pytest.mark.parametrize(("process", "state"), [(WINDOW, State.RESOLVED), (NO_WINDOW, State.CLOSED)])
def test_a_draft_can_be_resolved_at_once(process: ProcessRules, state: State) -> None:
    """C20: and nothing is launched for it."""
    family = Family(process)
    done(family.do(CASE_STARTED))
    done(family.do(Complete()))
    assert (family.case.state, family.actions) == (state, [])


# It comes back


@pytest.mark.parametrize(("step", "actor"), COMING_BACK, ids=lambda it: getattr(it, "name", ""))
def test_a_resolved_case_comes_back_for_people_to_say_what_is_to_be_done(step: Step, actor: Actor) -> None:
    """C21, ST-15: what made it resolved before does not do so again, whatever else happens."""
    family = CASES["RESOLVED"](WINDOW)
    done(family.do(step, actor))
    done(family.do(AddNote()))
    done(family.do(MarkInformation(new=False)))
    assert (family.case.state, family.running) == (State.TO_DO, [])
    assert family.case.reopening is not None
    assert family.case.reopening.by == actor
    assert family.case.first_resolution is not None
    assert family.case.first_resolution.by == SYSTEM


@pytest.mark.parametrize("what", ["rework", "launch", "resolve"])
def test_what_came_back_is_resolved_again(what: str) -> None:
    """C21, C17, CA-6, C18: by itself once something was done and its mail is read, else by somebody."""
    family = CASES["RESOLVED"](WINDOW)
    family.now += DAY
    done(family.do(MAIL, SYSTEM))
    if what == "rework":
        done(family.do(Rework(3)))
        family.complete("desk")
        assert family.case.state is State.IN_PROGRESS
        done(family.do(MarkInformation(new=False)))
    elif what == "launch":
        done(family.launch("visit"))
        assert family.case.state is State.TO_DO
        done(family.do(MarkInformation(new=False)))
        family.complete("visit")
    else:
        done(family.do(Complete()))
    assert family.case.state is State.RESOLVED
    assert family.case.resolution is not None
    assert family.case.resolution.at == NOW + DAY


def test_a_draft_that_was_resolved_begins_when_it_comes_back() -> None:
    """C20, C21: it is in To Do, and none of its steps was taken."""
    family = CASES["DRAFT"](WINDOW)
    done(family.do(Complete()))
    done(family.do(Reopen()))
    assert (family.case.state, family.names()) == (State.TO_DO, ["papers", "call"])


def test_who_reopens_a_case_has_it_only_if_he_says_so() -> None:
    """C21, AMB-5."""
    family = CASES["RESOLVED"](WINDOW)
    done(family.do(Reopen(), BOB))
    assert family.case.holders == Holders(owner="alice")
    family = CASES["RESOLVED"](WINDOW)
    done(family.do(Reopen(keep_with_me=True), BOB))
    assert family.case.holders == Holders(owner="bob")


def test_after_its_feedback_window_a_case_is_closed() -> None:
    """C22, C25: for good."""
    family = CASES["RESOLVED"](WINDOW)
    assert only(StatusChanged, family.ring(family.case)).reason is Reason.FEEDBACK_WINDOW_PASSED
    assert family.case.state is State.CLOSED
    assert refused(family.do(Reopen())).code is RefusalCode.CLOSED


# It is abandoned


def test_a_case_is_abandoned_with_everything_that_runs() -> None:
    """C23, A13: what had ended before keeps its own end."""
    family = CASES["IN_PROGRESS"](WINDOW)
    family.complete("call")
    done(family.launch("visit", copies=2))
    changed = only(StatusChanged, family.do(Abandon()))
    assert (changed.status, changed.reason, changed.method) == (
        Status.CLOSED,
        Reason.CANCELLED,
        Method.CANCELLED,
    )
    assert family.running == []
    assert family.course.running == ()
    ends = {str(each.reference): family.history[each.id][-1] for each in family.actions}
    assert {reference for reference, end in ends.items() if end.stamp.rule == "A13"} == {
        f"10040-C-A1.{number}" for number in (1, 3, 4)
    }
    cancelled = ends["10040-C-A1.1"]
    assert isinstance(cancelled, StatusChanged)
    assert (cancelled.reason, cancelled.holders) == (Reason.CANCELLED, Holders())
    assert ends["10040-C-A1.2"].stamp.rule == "A10"


@pytest.mark.parametrize(
    "state", ["DRAFT", "TO_DO", "ATTENTION", "IN_PROGRESS", "MORE_INFO", "UNTIL", "PAUSE", "RESOLVED"]
)
def test_it_can_be_abandoned_in_every_state(state: str) -> None:
    """C23: no timer is left, nor attention asked for."""
    family = CASES[state](WINDOW)
    done(family.do(Abandon()))
    assert (family.case.state, family.case.timer, family.running) == (State.CLOSED, None, [])
    assert not family.course.attention


def test_nothing_follows_from_what_is_over() -> None:
    """C23, A14."""
    family = CASES["IN_PROGRESS"](WINDOW)
    done(family.do(Abandon()))
    for step in (CompleteAction(), GiveUp(reason=True), PickUp()):
        assert refused(family.on("papers", step)).code is RefusalCode.CLOSED
    assert refused(family.do(Rework(1))).code is RefusalCode.CLOSED


# Robots


def test_no_robot_ever_has_a_case() -> None:
    """ST-24: it may start one and hand it in, for people."""
    family = Family()
    done(family.do(CASE_STARTED, ROBOT))
    assert family.case.holders == Holders()
    assert refused(family.do(Submit(keep_with_me=True), ROBOT)).missing == (Missing.PERSON,)
    done(family.do(Submit(), ROBOT))
    assert (family.case.state, family.case.holders) == (State.TO_DO, Holders())
    for step in (PickUp(), Rework(1), KeepWithMe()):
        refused(family.do(step, ROBOT))
    assert family.case.holders == Holders()
    assert family.names() == ["papers", "call"]
