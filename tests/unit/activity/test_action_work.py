"""How an Action is worked on and ends: checklists, giving up, reviews, robots (A2 to A11, A24)."""

from uuid import UUID

import pytest

from services.activity.domain.action_steps import AnswerChecklist, CompleteAction, GiveUp
from services.activity.domain.activity import Holders, Wait
from services.activity.domain.case_steps import WaitForAnswer
from services.activity.domain.events import (
    ActionEnded,
    ChecklistAnswered,
    NoteAdded,
    ReviewAsked,
    StatusChanged,
)
from services.activity.domain.evolving import task_of
from services.activity.domain.refusals import Missing, MissingAnswer, RefusalCode
from services.activity.domain.states import State, Status, WaitType
from services.activity.domain.steps import Assign, PickUp, Resume, SetToDo, Step, WaitUntil
from services.activity.domain.task import Answer, Answered
from services.activity.domain.vocabulary import Actor, Method, Reason
from services.activity.domain.work_steps import RejectWork, TakeNext
from tests.unit.activity.case_states import CASES
from tests.unit.activity.cases import DIPLOMA, PASSPORT, Family, answering, done
from tests.unit.activity.tickets import ALICE, BOB, DAY, ERP, NOW, ROBOT, WINDOW, only, refused


def at_review(by: Actor = ALICE) -> Family:
    """The contract was written, and somebody else has to look at it."""
    family = CASES["TO_DO"](WINDOW)
    family.complete("papers", "call")
    family.take_up_and_complete("contract", by)
    return family


# It is worked on


@pytest.mark.parametrize("actor", [ALICE, ROBOT])
@pytest.mark.parametrize("step", [PickUp(), TakeNext(), answering(PASSPORT)], ids=lambda it: it.name)
def test_the_first_update_picks_an_action_up(step: Step, actor: Actor) -> None:
    """A2, ST-5."""
    family = CASES["TO_DO"](WINDOW)
    done(family.on("papers", step, actor))
    papers = family.action("papers")
    assert (papers.state, papers.holders) == (State.IN_PROGRESS, Holders(assignee=actor.id, queue="papers"))


@pytest.mark.parametrize("step", [Assign("bob"), Assign(None), SetToDo()])
def test_given_away_or_set_back_it_is_to_do(step: Step) -> None:
    """A3, AMB-18."""
    family = CASES["TO_DO"](WINDOW)
    done(family.on("papers", PickUp()))
    done(family.on("papers", step))
    papers = family.action("papers")
    person = step.assignee if isinstance(step, Assign) else "alice"
    assert (papers.state, papers.holders) == (State.TO_DO, Holders(assignee=person, queue="papers"))


def test_what_a_robot_rejects_waits_for_a_person() -> None:
    """A3, ST-8."""
    family = CASES["TO_DO"](WINDOW)
    done(family.on("papers", PickUp(), ROBOT))
    done(family.on("papers", RejectWork(), ROBOT))
    assert family.action("papers").holders == Holders(queue="papers")
    assert Missing.PERSON in refused(family.on("papers", PickUp(), ROBOT)).missing


def test_it_waits_for_information_without_a_reason_or_an_end() -> None:
    """A4, AMB-47."""
    family = CASES["TO_DO"](WINDOW)
    done(family.on("call", WaitForAnswer()))
    call = family.action("call")
    assert (call.wait, call.timer) == (Wait(WaitType.MORE_INFO), None)
    assert call.holders == Holders(owner="alice")


def test_it_is_back_when_its_time_has_come() -> None:
    """A5, A7, ST-10: and its Case has not noticed."""
    family = CASES["TO_DO"](WINDOW)
    case = family.case
    done(family.on("call", WaitUntil(NOW + DAY)))
    assert only(StatusChanged, family.ring(family.action("call"))).reason is Reason.SCHEDULE_REACHED
    call = family.action("call")
    assert (call.state, call.returned) == (State.TO_DO, True)
    assert call.holders == Holders(assignee="alice", queue="it")
    assert family.case == case


# It is completed


def test_an_action_is_complete_once_its_checklist_is_answered() -> None:
    """A10: Yes, No or not applicable."""
    family = CASES["TO_DO"](WINDOW)
    refusal = refused(family.on("papers", CompleteAction()))
    assert refusal.missing == (MissingAnswer(PASSPORT), MissingAnswer(DIPLOMA))
    assert PASSPORT in refusal.sentence
    done(family.on("papers", AnswerChecklist(((DIPLOMA, Answer.NOT_APPLICABLE),))))
    assert refused(family.on("papers", CompleteAction())).missing == (MissingAnswer(PASSPORT),)
    done(family.on("papers", AnswerChecklist(((PASSPORT, Answer.NO),))))
    assert task_of(family.action("papers")).answers == (
        Answered(PASSPORT, Answer.NO),
        Answered(DIPLOMA, Answer.NOT_APPLICABLE),
    )
    changed = only(StatusChanged, family.on("papers", CompleteAction()))
    assert (changed.status, changed.reason, changed.method) == (
        Status.CLOSED,
        Reason.COMPLETED,
        Method.COMPLETE,
    )


def test_an_answer_can_be_changed_and_said_again_changes_nothing() -> None:
    """A10."""
    family = CASES["TO_DO"](WINDOW)
    done(family.on("papers", answering(PASSPORT, DIPLOMA)))
    assert family.on("papers", answering(PASSPORT)) == ()
    step = AnswerChecklist(((PASSPORT, Answer.NO), (DIPLOMA, Answer.YES)))
    assert only(ChecklistAnswered, family.on("papers", step)).answers == (Answered(PASSPORT, Answer.NO),)


def test_only_points_of_the_checklist_are_answered() -> None:
    """A10."""
    family = CASES["TO_DO"](WINDOW)
    for step in (answering("Is it raining?"), AnswerChecklist(())):
        assert refused(family.on("papers", step)).missing == (Missing.KNOWN_POINT,)


@pytest.mark.parametrize("lead", [(), (PickUp(),), (WaitForAnswer(),), (WaitUntil(NOW + DAY),)])
def test_an_action_is_completed_from_wherever_it_stands(lead: tuple[Step, ...]) -> None:
    """A10, ST-13: closed, without anything resting in Resolved; its Case knows who did it."""
    family = CASES["TO_DO"](WINDOW)
    for step in lead:
        done(family.on("call", step))
    events = done(family.on("call", CompleteAction()))
    assert [each.status for each in events if isinstance(each, StatusChanged)] == [Status.CLOSED]
    call = family.action("call")
    assert (call.state, call.holders, call.timer) == (State.CLOSED, Holders(), None)
    ended = family.history[family.case.id][-1]
    assert isinstance(ended, ActionEnded)
    assert (ended.person, ended.action.reference) == ("alice", call.reference)


# It cannot be completed


def test_who_gives_up_says_why() -> None:
    """A11: in a note."""
    family = CASES["TO_DO"](WINDOW)
    assert refused(family.on("call", GiveUp())).missing == (Missing.REASON,)
    assert only(NoteAdded, family.on("call", GiveUp(reason=True), effect=7)).note == UUID(int=7)


@pytest.mark.parametrize("lead", [(), (PickUp(),), (WaitForAnswer(),), (WaitUntil(NOW + DAY),)])
def test_what_is_given_up_is_resolved_for_a_moment_and_closed(lead: tuple[Step, ...]) -> None:
    """A11, AMB-3, ST-19: two changes of status, each with its holders."""
    family = CASES["TO_DO"](WINDOW)
    for step in lead:
        done(family.on("call", step))
    before = family.action("call")
    events = done(family.on("call", GiveUp(reason=True), effect=7))
    first, second = (each for each in events if isinstance(each, StatusChanged))
    assert (first.was, first.status, first.method) == (
        before.status,
        Status.RESOLVED,
        Method.UNABLE_TO_COMPLETE,
    )
    assert (first.holders, first.written) == (Holders(owner=before.holders.person), UUID(int=7))
    assert (second.was, second.status, second.method) == (Status.RESOLVED, Status.CLOSED, None)
    assert {first.reason, second.reason} == {Reason.ACTION_UNABLE_TO_COMPLETE}
    call = family.action("call")
    assert (call.timer, call.wait, call.reopening) == (None, None, None)
    assert call.resolution is not None
    assert call.resolution.method is Method.UNABLE_TO_COMPLETE
    assert refused(family.on("call", PickUp())).code is RefusalCode.CLOSED


# Somebody else looks at it


def test_what_is_to_be_reviewed_goes_back_to_its_queue_when_it_is_done() -> None:
    """A24: in To Do, for another person; the Case waits for him."""
    family = at_review()
    contract = family.action("contract")
    assert (contract.state, contract.holders) == (State.TO_DO, Holders(queue="it"))
    asked = [each for each in family.history[contract.id] if isinstance(each, ReviewAsked)]
    assert [each.done_by for each in asked] == ["alice"]
    assert family.names() == ["contract"]


def test_nobody_reviews_his_own_work() -> None:
    """A24: nor is it given to him."""
    family = at_review()
    ending: tuple[Step, ...] = (CompleteAction(), GiveUp(reason=True), Assign("alice"))
    for step in (PickUp(), TakeNext(), *ending):
        assert refused(family.on("contract", step)).missing == (Missing.ANOTHER_PERSON,)
    done(family.on("contract", WaitForAnswer()))
    assert family.action("contract").holders.person is None
    for step in (Resume(), *ending):
        assert refused(family.on("contract", step)).missing == (Missing.ANOTHER_PERSON,)
    done(family.on("contract", Resume(), BOB))
    assert refused(family.on("contract", PickUp(take_over=True))).missing == (Missing.ANOTHER_PERSON,)


def test_a_reviewer_completes_it() -> None:
    """A24, A10: and its doer is known."""
    family = at_review()
    done(family.on("contract", PickUp(), BOB))
    done(family.on("contract", CompleteAction(), BOB))
    assert family.names() == ["desk"]
    assert family.course.doer(2, "contract") == "alice"


def test_a_reviewer_who_does_not_agree_escalates() -> None:
    """A24, A11, C6."""
    family = at_review()
    done(family.on("contract", GiveUp(reason=True), BOB))
    assert family.action("contract").state is State.CLOSED
    assert (family.course.attention, family.course.because) == (True, "10040-C-A2.1")
    assert family.course.doer(2, "contract") == "alice"


def test_no_robot_reviews() -> None:
    """ST-24: whatever happens to it meanwhile."""
    family = at_review()
    for steps in ((), (PickUp(), Assign(None)), (WaitForAnswer(),)):
        for step in steps:
            done(family.on("contract", step, BOB))
        for wanted in (Resume() if steps == (WaitForAnswer(),) else PickUp(), CompleteAction()):
            assert Missing.PERSON in refused(family.on("contract", wanted, ROBOT)).missing
        assert refused(family.on("contract", Assign("r2"), BOB)).missing == (Missing.PERSON,)


def test_a_robots_work_is_reviewed_by_a_person() -> None:
    """A24, ST-24."""
    family = at_review(ROBOT)
    assert task_of(family.action("contract")).done_by == "r2"
    done(family.on("contract", CompleteAction(), ALICE))
    assert family.action("contract").state is State.CLOSED


def test_what_an_integration_did_is_reviewed_once() -> None:
    """A24: whoever looks at it ends it."""
    family = CASES["TO_DO"](WINDOW)
    family.complete("papers", "call")
    done(family.on("contract", CompleteAction(), ERP))
    assert refused(family.on("contract", CompleteAction(), ERP)).missing == (Missing.ANOTHER_PERSON,)
    done(family.on("contract", CompleteAction(), ALICE))
    assert family.action("contract").state is State.CLOSED
    assert family.course.doer(2, "contract") == "erp"
