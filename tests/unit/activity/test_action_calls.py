"""Actions that call an external system: tries, answers, late ones, and what people make of them (A23)."""

from datetime import timedelta
from typing import Any

import pytest

from services.activity.domain.action_steps import CompleteAction, GiveUp
from services.activity.domain.activity import Activity, Holders
from services.activity.domain.call_events import CallAnswered, Called
from services.activity.domain.call_steps import AnswerCall
from services.activity.domain.calls import Call
from services.activity.domain.case_steps import Rework, WaitForAnswer
from services.activity.domain.events import Edited, NoteAdded, StatusChanged
from services.activity.domain.evolving import task_of
from services.activity.domain.refusals import Missing, RefusalCode
from services.activity.domain.states import State, Status
from services.activity.domain.steps import PickUp, Resume, ResumeTo, SetToDo, Step, WaitUntil
from services.activity.domain.vocabulary import SYSTEM, Actor, CallOutcome, Method, Reason
from shared.field_values import FieldValue
from tests.unit.activity.case_states import CASES
from tests.unit.activity.cases import Family, done
from tests.unit.activity.tickets import ALICE, DAY, ERP, MAIL, NOW, ROBOT, WINDOW, refused

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SUCCEEDED, FAILED, UNREACHABLE = CallOutcome.SUCCEEDED, CallOutcome.FAILED, CallOutcome.UNREACHABLE


@pytest.fixture
def ordering() -> Family:
    """A Case with an Action that has called the shop, and waits for its answer."""
    family = CASES["TO_DO"](WINDOW)
    done(family.launch("order"))
    return family


def order(family: Family) -> Activity:
    return family.action("order")


def call(family: Family) -> Call:
    found = task_of(order(family)).call
    assert found is not None
    return found


def last_change(family: Family) -> StatusChanged:
    return [each for each in family.history[order(family).id] if isinstance(each, StatusChanged)][-1]


def answer(family: Family, attempt: int, outcome: CallOutcome, **more: Any) -> None:
    done(family.on("order", AnswerCall(attempt, outcome, **more), ERP))


def ring(family: Family) -> None:
    done(family.ring(order(family)))


def test_it_calls_by_itself_as_soon_as_it_is_launched(ordering: Family) -> None:
    (called,) = (each for each in ordering.history[order(ordering).id] if isinstance(each, Called))
    assert (called.call, called.attempt, called.retry) == ("order-laptop", 1, 0)
    assert called.answer_by == NOW + HOUR
    assert (called.stamp.by, called.stamp.rule) == (SYSTEM, "A23")
    wait = order(ordering).wait
    assert order(ordering).state is State.WAIT_MORE_INFO
    assert wait is not None
    assert wait.until == NOW + HOUR


@pytest.mark.parametrize("actor", [ERP, ROBOT])
def test_what_succeeds_is_completed(ordering: Family, actor: Actor) -> None:
    done(ordering.on("order", AnswerCall(1, SUCCEEDED), actor))
    found = order(ordering)
    assert (found.status, last_change(ordering).reason) == (Status.CLOSED, Reason.COMPLETED)
    assert found.resolution is not None
    assert found.resolution.method is Method.COMPLETE
    assert found not in ordering.running


def test_what_fails_goes_to_people(ordering: Family) -> None:
    answer(ordering, 1, FAILED)
    found = order(ordering)
    assert (found.status, last_change(ordering).reason) == (Status.TO_DO, Reason.UPDATED_BY_INTEGRATION)
    assert (found.new_information, found.holders) == (True, Holders(queue=WINDOW.queue))
    done(ordering.on("order", PickUp()))
    done(ordering.on("order", CompleteAction()))
    assert order(ordering).status is Status.CLOSED


def test_a_robot_that_says_so_does_not_get_the_work(ordering: Family) -> None:
    """What a program could not do is for people."""
    done(ordering.on("order", AnswerCall(1, FAILED), ROBOT))
    assert order(ordering).holders == Holders(queue=WINDOW.queue)


def test_without_an_answer_in_time_it_goes_to_people(ordering: Family) -> None:
    ring(ordering)
    assert ordering.now == NOW + HOUR
    found = order(ordering)
    assert (found.status, last_change(ordering).reason) == (Status.TO_DO, Reason.TIMEOUT)
    assert found.holders == Holders(queue=WINDOW.queue)


def test_what_cannot_be_reached_is_tried_again_after_each_pause(ordering: Family) -> None:
    answer(ordering, 1, UNREACHABLE)
    assert (order(ordering).state, call(ordering).pauses) == (State.WAIT_MORE_INFO, True)
    (answered,) = (each for each in ordering.history[order(ordering).id] if isinstance(each, CallAnswered))
    assert answered.again_at == NOW + MINUTE
    ring(ordering)
    assert (call(ordering).attempt, call(ordering).pauses) == (2, False)
    assert call(ordering).until == NOW + MINUTE + HOUR
    answer(ordering, 2, UNREACHABLE)
    assert call(ordering).until == NOW + 6 * MINUTE
    ring(ordering)
    answer(ordering, 3, SUCCEEDED)
    assert order(ordering).status is Status.CLOSED


def test_a_try_after_a_pause_that_is_not_answered_goes_to_people(ordering: Family) -> None:
    """The timer of a pause and that of an answer are told apart by what the Action waits for."""
    answer(ordering, 1, UNREACHABLE)
    ring(ordering)
    ring(ordering)
    assert (order(ordering).status, last_change(ordering).reason) == (Status.TO_DO, Reason.TIMEOUT)


def test_what_is_never_reached_lets_its_case_need_attention(ordering: Family) -> None:
    """C6, AMB-3: resolved for the moment before it is closed."""
    for attempt in (1, 2):
        answer(ordering, attempt, UNREACHABLE)
        ring(ordering)
    answer(ordering, 3, UNREACHABLE, detail=True)
    found = order(ordering)
    resolved, closed = (each for each in ordering.history[found.id][-2:] if isinstance(each, StatusChanged))
    assert (resolved.status, closed.status) == (Status.RESOLVED, Status.CLOSED)
    assert {each.reason for each in (resolved, closed)} == {Reason.ACTION_UNABLE_TO_COMPLETE}
    assert found.resolution is not None
    assert found.resolution.method is Method.UNABLE_TO_COMPLETE
    assert found.resolution.written is not None
    assert (ordering.course.attention, ordering.course.because) == (True, str(found.reference))


@pytest.mark.parametrize("outcome", CallOutcome)
def test_an_answer_that_comes_late_is_refused(ordering: Family, outcome: CallOutcome) -> None:
    """Of another attempt, in a pause, and whatever it does when it has gone on."""
    late = AnswerCall(2, outcome)
    assert refused(ordering.on("order", late, ERP)).code is RefusalCode.LATE_ANSWER
    answer(ordering, 1, UNREACHABLE)
    for step in (None, Resume(ResumeTo.TO_DO), PickUp(), WaitUntil(NOW + DAY), CompleteAction()):
        if step:
            done(ordering.on("order", step))
        told = refused(ordering.on("order", AnswerCall(1, outcome), ERP))
        assert told.code is RefusalCode.LATE_ANSWER
        assert str(order(ordering).reference) in told.sentence
        assert "attempt 1" in told.sentence


def test_what_calls_nothing_waits_for_no_answer(ordering: Family) -> None:
    done(ordering.on("papers", WaitForAnswer()))
    assert refused(ordering.on("papers", AnswerCall(1, SUCCEEDED), ERP)).code is RefusalCode.NOT_ALLOWED


def test_people_speak_for_themselves(ordering: Family) -> None:
    told = refused(ordering.on("order", AnswerCall(1, SUCCEEDED), ALICE))
    assert told.missing == (Missing.PROGRAM,)
    assert "people complete it, or give it up" in told.sentence
    done(ordering.on("order", GiveUp(reason=True)))
    assert ordering.course.attention


def test_the_words_of_a_connector_are_a_note(ordering: Family) -> None:
    answer(ordering, 1, FAILED, detail=True)
    assert NoteAdded in {type(each) for each in ordering.history[order(ordering).id]}


def test_what_it_brings_stands_on_the_case(ordering: Family) -> None:
    """LK-1: custom fields are the Case's; what is said again changes nothing."""
    values = (FieldValue("salary", 100), FieldValue("foreign", True))
    answer(ordering, 1, SUCCEEDED, fields=values)
    assert set(ordering.case.fields) == set(values)
    (edited,) = (each for each in ordering.history[ordering.case.id] if isinstance(each, Edited))
    assert (edited.stamp.rule, edited.fields) == ("A23", values[1:])


def test_a_condition_sees_what_the_answer_brought() -> None:
    """LK-1: the contract is passed over, because the answer says that there is no salary."""
    family = CASES["TO_DO"](WINDOW)
    done(family.launch("order"))
    answer(family, 1, FAILED, fields=(FieldValue("salary", 0),))
    family.complete("papers", "call")
    assert "contract" not in family.names()
    assert "desk" in family.names()


@pytest.mark.parametrize(
    "steps",
    [
        (Resume(ResumeTo.TO_DO),),
        (Resume(ResumeTo.IN_PROGRESS),),
        (Resume(ResumeTo.IN_PROGRESS), SetToDo()),
        (WaitUntil(NOW + DAY),),
    ],
)
def test_set_to_wait_again_it_calls_anew(ordering: Family, steps: tuple[Step, ...]) -> None:
    """With all its pauses before it; the attempts are counted on, so that older answers are late."""
    answer(ordering, 1, UNREACHABLE)
    ring(ordering)
    for step in (*steps, WaitForAnswer("supplier")):
        done(ordering.on("order", step))
    assert (call(ordering).attempt, call(ordering).retry, call(ordering).pauses) == (3, 0, False)
    assert refused(ordering.on("order", AnswerCall(2, SUCCEEDED), ERP)).code is RefusalCode.LATE_ANSWER
    answer(ordering, 3, UNREACHABLE)
    assert call(ordering).until == ordering.now + MINUTE


def test_who_calls_anew_gets_it_back(ordering: Family) -> None:
    """ST-20: he owns it while it waits."""
    done(ordering.on("order", Resume(ResumeTo.IN_PROGRESS)))
    done(ordering.on("order", WaitForAnswer()))
    assert order(ordering).holders.owner == ALICE.id
    answer(ordering, 2, FAILED)
    assert order(ordering).holders.assignee == ALICE.id


def test_a_reason_for_the_wait_does_not_call_again(ordering: Family) -> None:
    """Nor does it move the end of the wait."""
    done(ordering.on("order", WaitForAnswer("supplier")))
    wait = order(ordering).wait
    assert wait is not None
    assert (wait.until, wait.reason, call(ordering).attempt) == (NOW + HOUR, "supplier", 1)
    ring(ordering)
    assert order(ordering).status is Status.TO_DO


def test_a_mail_does_not_end_the_wait_for_a_system(ordering: Family) -> None:
    done(ordering.on("order", MAIL, SYSTEM))
    assert (order(ordering).state, order(ordering).new_information) == (State.WAIT_MORE_INFO, True)
    answer(ordering, 1, SUCCEEDED)
    assert order(ordering).status is Status.CLOSED


def test_what_is_done_again_calls_anew(ordering: Family) -> None:
    """C17: its copy is an Action of its own."""
    first = order(ordering)
    done(ordering.do(PickUp()))
    done(ordering.do(Rework(1, by_hand_too=True)))
    assert ordering.activities["acme", first.id].status is Status.CLOSED
    told = refused(ordering.take(ordering.activities["acme", first.id], AnswerCall(1, SUCCEEDED), ERP))
    assert told.code is RefusalCode.LATE_ANSWER
    done(ordering.launch("order"))
    assert order(ordering).id != first.id
    assert call(ordering).attempt == 1
