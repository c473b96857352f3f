"""A Case that needs its owner's attention, and what he does about it (C6 to C10, AMB-14, AMB-15)."""

import pytest

from services.activity.domain.action_steps import GiveUp
from services.activity.domain.activity import Holders
from services.activity.domain.case_steps import Abandon, Complete, Pause, Rework, WaitForAnswer
from services.activity.domain.events import AttentionMarked, StatusChanged
from services.activity.domain.refusals import Missing
from services.activity.domain.states import State
from services.activity.domain.steps import AddNote, Assign, Edit, PickUp, Resume, SetToDo, Step, WaitUntil
from services.activity.domain.vocabulary import SYSTEM, Reason
from services.activity.domain.work_steps import TakeNext
from tests.unit.activity.case_states import CASES
from tests.unit.activity.cases import Family, done
from tests.unit.activity.tickets import ALICE, BOB, DAY, ERP, MAIL, NOW, ROBOT, WINDOW, refused

GIVEN_UP = GiveUp(reason=True)


def in_attention() -> Family:
    """Alice has it; its first Action could not be done, the other one was, and nothing runs."""
    family = CASES["IN_PROGRESS"](WINDOW)
    family.complete("call")
    done(family.on("papers", GIVEN_UP, BOB))
    return family


def last_change(family: Family) -> StatusChanged:
    history = family.history[family.case.id]
    return [each for each in history if isinstance(each, StatusChanged)][-1]


def test_an_action_that_cannot_be_done_asks_for_attention() -> None:
    """C6, CA-5, ST-19: in the Inbox of who has the Case, with the Action that is the reason."""
    family = in_attention()
    assert (family.case.state, family.course.attention) == (State.TO_DO, True)
    assert family.course.because == "10040-C-A1.1"
    assert last_change(family).reason is Reason.ACTIONS_NOT_COMPLETED
    assert family.case.holders == Holders(assignee="alice", queue="it")


@pytest.mark.parametrize("state", ["TO_DO", "IN_PROGRESS", "MORE_INFO", "UNTIL", "PAUSE"])
def test_it_does_so_whatever_the_case_is_doing(state: str) -> None:
    """C6, AMB-14: a wait is over, and its timer with it."""
    family = CASES[state](WINDOW)
    done(family.on("papers", GIVEN_UP))
    assert (family.case.state, family.course.attention) == (State.TO_DO, True)
    assert (family.case.wait, family.case.timer) == (None, None)
    assert family.case.holders.queue == "it"


def test_nothing_is_launched_until_somebody_has_seen_to_it() -> None:
    """C6: what runs beside it goes on, mails and notes change nothing."""
    family = CASES["TO_DO"](WINDOW)
    done(family.on("papers", GIVEN_UP))
    family.complete("call")
    done(family.do(AddNote()))
    done(family.do(MAIL, SYSTEM))
    done(family.do(Edit(title="Nobody's"), ERP))
    assert (family.running, family.course.attention) == ([], True)


def test_what_was_launched_by_hand_can_fail_too() -> None:
    """C6."""
    family = CASES["TO_DO"](WINDOW)
    done(family.launch("visit"))
    done(family.on("visit", GIVEN_UP))
    assert family.course.because == "10040-C-A1.3"


@pytest.mark.parametrize("step", [PickUp(), TakeNext(), Edit(title="Go on")], ids=lambda it: it.name)
def test_back_in_progress_it_goes_on(step: Step) -> None:
    """C9, AMB-15: its owner has it, and the next step begins."""
    family = in_attention()
    done(family.do(step))
    assert (family.case.state, family.course.attention) == (State.IN_PROGRESS, False)
    assert family.course.because is None
    assert family.case.holders == Holders(owner="alice")
    assert family.names() == ["contract"]


def test_a_rework_is_an_answer_to_it() -> None:
    """C7, AMB-15."""
    family = in_attention()
    done(family.do(Rework(1, "papers")))
    assert (family.case.state, family.course.attention) == (State.IN_PROGRESS, False)
    assert family.case.holders == Holders(owner="alice")
    assert [str(each.reference) for each in family.running] == ["10040-C-A1.3"]


@pytest.mark.parametrize("step", [Pause(), WaitForAnswer("supplier"), WaitUntil(NOW + DAY)])
def test_so_is_letting_it_wait(step: Step) -> None:
    """C8, AMB-15: it goes on when the wait ends."""
    family = in_attention()
    done(family.do(step))
    assert (family.course.attention, family.running) == (False, [])
    assert family.case.holders == Holders(owner="alice")
    done(family.do(Resume()))
    assert family.names() == ["contract"]


@pytest.mark.parametrize("step", [Complete(), Abandon()])
def test_so_is_ending_it(step: Step) -> None:
    """AMB-15."""
    family = in_attention()
    done(family.do(step))
    assert not family.course.attention
    assert family.case.resolution is not None


def test_launching_an_action_is_not() -> None:
    """C10, AMB-15: it still needs attention when that Action has ended."""
    family = in_attention()
    done(family.launch("visit"))
    assert (family.case.state, family.course.attention) == (State.TO_DO, True)
    family.complete("visit")
    assert (family.case.state, family.course.attention, family.running) == (State.TO_DO, True, [])


def test_who_is_given_it_finds_it_as_it_is() -> None:
    """ST-21, AMB-15: an assignment does not see to it."""
    family = in_attention()
    done(family.do(Assign("bob")))
    assert family.course.attention
    assert family.case.holders == Holders(assignee="bob", queue="it")


def test_a_second_failure_says_which_one_it_was() -> None:
    """CA-5."""
    family = CASES["TO_DO"](WINDOW)
    done(family.on("papers", GIVEN_UP))
    done(family.on("call", GIVEN_UP))
    assert family.course.because == "10040-C-A1.2"
    marked = [each for each in family.history[family.case.id] if isinstance(each, AttentionMarked)]
    assert [each.because for each in marked] == ["10040-C-A1.1", "10040-C-A1.2"]


@pytest.mark.parametrize(
    "step", [PickUp(), TakeNext(), Edit(title="Beep"), Rework(1), Pause(), Complete(), WaitUntil(NOW + DAY)]
)
def test_no_robot_sees_to_it(step: Step) -> None:
    """ST-24."""
    for family in (in_attention(), CASES["ATTENTION"](WINDOW)):
        assert Missing.PERSON in refused(family.do(step, ROBOT)).missing


def test_set_back_to_do_it_has_been_seen_to() -> None:
    """C5: what clears it is In Progress; To Do alone does not bring it back."""
    family = in_attention()
    done(family.do(PickUp()))
    done(family.do(SetToDo()))
    assert (family.case.state, family.course.attention) == (State.TO_DO, False)
    assert family.case.holders == Holders(owner=ALICE.id)
