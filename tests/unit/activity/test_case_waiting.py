"""How a Case waits, and what ends its wait: nothing is launched meanwhile (CA-3, C11 to C16b)."""

from dataclasses import replace

import pytest

from services.activity.domain.activity import Holders, Wait
from services.activity.domain.case_steps import Pause, WaitForAnswer
from services.activity.domain.events import StatusChanged
from services.activity.domain.refusals import Missing
from services.activity.domain.states import State, WaitType
from services.activity.domain.steps import MarkInformation, Resume, ResumeTo, Step, WaitUntil
from services.activity.domain.vocabulary import SYSTEM, Reason
from tests.unit.activity.case_states import CASES
from tests.unit.activity.cases import done
from tests.unit.activity.tickets import DAY, MAIL, NOW, WINDOW, only, refused

WAITS = [WaitForAnswer("supplier"), WaitUntil(NOW + DAY), Pause()]


@pytest.mark.parametrize("wait", WAITS, ids=lambda it: it.name)
@pytest.mark.parametrize("to", ResumeTo)
def test_nothing_is_launched_while_a_case_waits_and_it_goes_on_after(wait: Step, to: ResumeTo) -> None:
    """CA-3, C16: what runs can be finished meanwhile."""
    family = CASES["IN_PROGRESS"](WINDOW)
    done(family.do(wait))
    family.complete("papers", "call")
    assert refused(family.launch("visit")).state is family.case.state
    assert (family.running, family.course.step) == ([], 1)
    done(family.do(Resume(to)))
    assert family.case.state.value == to.value
    assert family.names() == ["contract"]


def test_a_case_goes_on_when_its_time_has_come() -> None:
    """C12, C15, ST-10."""
    family = CASES["UNTIL"](WINDOW)
    family.complete("papers", "call")
    changed = only(StatusChanged, family.ring(family.case))
    assert (changed.status.value, changed.reason) == ("to_do", Reason.SCHEDULE_REACHED)
    assert family.case.returned
    assert family.names() == ["contract"]


def test_a_case_goes_on_with_the_mail_that_it_waits_for() -> None:
    """C14, ST-25: in the Inbox of who has it."""
    family = CASES["MORE_INFO"](WINDOW)
    family.complete("papers", "call")
    assert only(StatusChanged, family.do(MAIL, SYSTEM)).reason is Reason.NEW_INFORMATION_RECEIVED
    assert (family.case.state, family.names()) == (State.TO_DO, ["contract"])
    assert family.case.holders == Holders(assignee="alice", queue="it")


def test_a_case_that_ends_while_it_waits_is_completed_after() -> None:
    """CA-3, C18."""
    family = CASES["IN_PROGRESS"](WINDOW)
    family.complete("papers", "call", "contract")
    done(family.do(Pause()))
    family.complete("desk")
    assert (family.case.state, family.running) == (State.WAIT_PAUSE, [])
    done(family.do(Resume()))
    assert family.case.state is State.RESOLVED


def test_a_case_waits_for_information_for_one_of_its_process_s_reasons() -> None:
    """C11, AMB-47: and with no end of its own; a pause has none either (C13)."""
    family = CASES["IN_PROGRESS"](WINDOW)
    assert refused(family.do(WaitForAnswer())).missing == (Missing.WAIT_REASON,)
    assert refused(family.do(WaitForAnswer("weather"))).missing == (Missing.KNOWN_WAIT_REASON,)
    done(family.do(WaitForAnswer("supplier")))
    assert (family.case.wait, family.case.timer) == (Wait(WaitType.MORE_INFO, reason="supplier"), None)
    assert family.case.holders == Holders(owner="alice")
    done(family.do(Pause()))
    assert (family.case.state, family.case.timer) == (State.WAIT_PAUSE, None)


@pytest.mark.parametrize("state", ["UNTIL", "PAUSE"])
def test_a_mail_leaves_other_waits_alone(state: str) -> None:
    """C16b."""
    family = CASES[state](WINDOW)
    before = family.case.state
    done(family.do(MAIL, SYSTEM))
    assert (family.case.state, family.case.new_information) == (before, True)
    done(family.do(MarkInformation(new=False)))
    assert family.case.holders == Holders(owner="alice")


def test_an_answer_to_an_action_ends_the_wait_of_its_case_too() -> None:
    """A6, C14b: both waited for information."""
    family = CASES["MORE_INFO"](WINDOW)
    done(family.on("call", WaitForAnswer()))
    done(family.on("call", MAIL, SYSTEM))
    assert (family.action("call").state, family.case.state) == (State.TO_DO, State.IN_PROGRESS)
    changed = family.history[family.case.id][-1]
    assert isinstance(changed, StatusChanged)
    assert (changed.stamp.rule, changed.reason) == ("C14b", Reason.NEW_INFORMATION_RECEIVED)


@pytest.mark.parametrize("state", ["TO_DO", "IN_PROGRESS", "UNTIL", "PAUSE"])
def test_an_answer_to_an_action_is_nothing_to_a_case_that_waits_for_none(state: str) -> None:
    """A6."""
    family = CASES[state](WINDOW)
    done(family.on("call", WaitForAnswer()))
    before = family.case
    done(family.on("call", MAIL, SYSTEM))
    assert (family.action("call").state, family.case) == (State.TO_DO, before)


def test_automatic_mail_wakes_neither_where_the_organisation_wants_that() -> None:
    """AMB-39."""
    family = CASES["MORE_INFO"](WINDOW)
    done(family.on("call", WaitForAnswer()))
    family.process = replace(WINDOW, autoreply_wakes=False)
    automatic = replace(MAIL, automatic=True)
    done(family.on("call", automatic, SYSTEM))
    done(family.do(automatic, SYSTEM))
    assert {family.case.state, family.action("call").state} == {State.WAIT_MORE_INFO}
