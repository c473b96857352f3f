"""A Case is done again from an earlier step, or from one Action of it (C7, C17, A12)."""

from dataclasses import replace

import pytest

from services.activity.domain.action_steps import CompleteAction, GiveUp
from services.activity.domain.activity import Activity, Holders
from services.activity.domain.case_steps import Pause, Rework
from services.activity.domain.events import Reworked, StatusChanged
from services.activity.domain.evolving import task_of
from services.activity.domain.refusals import Missing, RefusalCode
from services.activity.domain.states import State, Status
from services.activity.domain.steps import Assign, Edit, PickUp, Step, WaitUntil
from services.activity.domain.vocabulary import Actor, ActorKind, Reason
from shared.field_values import FieldValue
from tests.unit.activity.case_states import CASES
from tests.unit.activity.cases import Family, done
from tests.unit.activity.tickets import ALICE, BOB, DAY, ERP, NOW, ROBOT, WINDOW, only, refused

CAROL = Actor(ActorKind.USER, "carol")


def in_second_step() -> Family:
    """Bob looked at the papers, Carol called, and somebody works on the contract; Alice has the Case."""
    family = CASES["IN_PROGRESS"](WINDOW)
    family.complete("papers", by=BOB)
    family.complete("call", by=CAROL)
    done(family.on("contract", PickUp(), BOB))
    return family


def shown(actions: list[Activity]) -> list[tuple[str, str | None]]:
    return [(str(each.reference).removeprefix("10040-C-"), each.holders.person) for each in actions]


def test_a_rework_from_a_step_does_it_again_by_those_who_did_it() -> None:
    """C17, A12, ST-20, GL-6: copies with new numbers, and what runs is closed."""
    family = in_second_step()
    contract = family.action("contract")
    done_again = only(Reworked, family.do(Rework(1)))
    assert [each.activity for each in done_again.ended] == [contract.id]
    assert family.case.state is State.IN_PROGRESS
    assert shown(family.running) == [("A1.3", "bob"), ("A1.4", "carol")]
    assert {each.state for each in family.running} == {State.TO_DO}
    closed = family.activities["acme", contract.id]
    assert (closed.state, closed.holders) == (State.CLOSED, Holders())
    changed = family.history[contract.id][-1]
    assert isinstance(changed, StatusChanged)
    assert (changed.stamp.rule, changed.reason, changed.method) == ("A12", Reason.REWORK, None)


def test_what_was_reworked_says_so_in_its_history() -> None:
    """C17: who, when, and from which step and Action."""
    again = only(Reworked, in_second_step().do(Rework(1, "call")))
    assert (again.stamp.by, again.stamp.at, again.step, again.action) == (ALICE, NOW, 1, "call")


def test_a_rework_from_one_action_does_only_that_one_of_its_step_again() -> None:
    """C17: and what comes behind its step, once it has ended."""
    family = in_second_step()
    done(family.do(Rework(1, "call")))
    assert shown(family.running) == [("A1.3", "carol")]
    family.complete("call", by=CAROL)
    assert family.names() == ["contract"]
    assert shown(family.running) == [("A2.2", None)]


def test_conditions_are_asked_again_from_the_start_of_a_step_only() -> None:
    """C17."""
    family = in_second_step()
    done(family.do(Edit(fields=(FieldValue("foreign", True),))))
    done(family.do(Rework(1)))
    assert family.names() == ["papers", "call", "translate"]
    done(family.do(Edit(fields=(FieldValue("foreign", False),))))
    done(family.do(Rework(1, "translate")))
    assert family.names() == ["translate"]


def test_a_reviewed_action_goes_back_to_who_did_it_not_to_who_looked_at_it() -> None:
    """C17, A24."""
    family = CASES["TO_DO"](WINDOW)
    family.complete("papers", "call", "contract")
    done(family.do(Rework(2)))
    assert shown(family.running) == [("A2.2", "bob")]
    assert task_of(family.action("contract")).done_by is None


@pytest.mark.parametrize("step", [CompleteAction(), GiveUp(reason=True)])
@pytest.mark.parametrize("assignee", [None, "bob"])
def test_who_ended_what_he_had_not_picked_up_gets_it_again(step: Step, assignee: str | None) -> None:
    """C17, A10: To Do may be resolved directly, and whose it was did nothing."""
    family = CASES["TO_DO"](WINDOW)
    done(family.on("call", Assign(assignee)))
    done(family.on("call", step, CAROL))
    done(family.do(Rework(1, "call")))
    assert ("A1.3", "carol") in shown(family.running)


def test_who_may_not_do_it_any_more_does_not_get_it_again() -> None:
    """C17, ST-20: it waits in its queue."""
    family = in_second_step()
    family.process = replace(WINDOW, workers=WINDOW.workers - {"bob"})
    done(family.do(Rework(1)))
    assert shown(family.running) == [("A1.3", None), ("A1.4", "carol")]
    assert family.action("papers").holders == Holders(queue="papers")


def test_who_reworks_can_keep_what_is_launched() -> None:
    """C17: that, and not what comes behind it."""
    family = in_second_step()
    done(family.do(Rework(1, keep_with_me=True)))
    assert shown(family.running) == [("A1.3", "alice"), ("A1.4", "alice")]
    family.complete("papers", "call", by=ALICE)
    assert shown(family.running) == [("A2.2", None)]


def test_an_integration_that_reworks_keeps_nothing() -> None:
    """C17, ST-3."""
    family = in_second_step()
    done(family.do(Rework(1, keep_with_me=True), ERP))
    assert [each.holders.person for each in family.running] == [None, None]
    assert family.case.holders == Holders(owner="alice")


def test_what_was_launched_by_hand_ends_only_if_that_is_wanted() -> None:
    """C17: it is never launched again."""
    family = in_second_step()
    done(family.launch("visit"))
    done(family.do(Rework(1)))
    assert family.names() == ["visit", "papers", "call"]
    done(family.do(Rework(1, by_hand_too=True)))
    assert family.names() == ["papers", "call"]
    assert family.action("visit").status is Status.CLOSED


def test_a_rework_begins_where_the_case_has_been() -> None:
    """C17: what it did behind that in an earlier pass has to be come to again."""
    family = in_second_step()
    for step in (0, 3, 4):
        assert refused(family.do(Rework(step))).missing == (Missing.EARLIER_STEP,)
    done(family.do(Rework(1)))
    assert refused(family.do(Rework(2))).missing == (Missing.EARLIER_STEP,)
    done(family.do(Rework(1)))


@pytest.mark.parametrize("action", ["contract", "visit", "nothing"])
def test_a_rework_begins_at_an_action_that_the_step_has(action: str) -> None:
    """C17: not at one that was launched by hand."""
    family = in_second_step()
    done(family.launch("visit"))
    assert refused(family.do(Rework(1, action))).missing == (Missing.ACTION_OF_STEP,)


@pytest.mark.parametrize("wait", [Pause(), WaitUntil(NOW + DAY)])
def test_a_rework_ends_a_wait(wait: Pause | WaitUntil) -> None:
    """C17: any Case that runs, also while it waits."""
    family = in_second_step()
    done(family.do(wait))
    done(family.do(Rework(2)))
    assert (family.case.state, family.case.timer) == (State.IN_PROGRESS, None)
    assert family.names() == ["contract"]


def test_nobody_reworks_what_somebody_else_works_on() -> None:
    """ST-23."""
    assert refused(in_second_step().do(Rework(1), BOB)).code is RefusalCode.CONFLICT
    assert Missing.PERSON in refused(in_second_step().do(Rework(1), ROBOT)).missing
