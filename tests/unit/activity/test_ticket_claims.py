"""Who has a Ticket when it is looked at anew (ST-20), and what robots may have (ST-8, ST-24)."""

from dataclasses import replace
from typing import Any

import pytest

from services.activity.domain.activity import Holders
from services.activity.domain.events import HandedAgain, MarkedForPerson, NoteAdded
from services.activity.domain.refusals import Missing, RefusalCode
from services.activity.domain.states import State
from services.activity.domain.steps import (
    AddNote,
    Assign,
    Edit,
    PickUp,
    Reopen,
    Resolve,
    Resume,
    ResumeTo,
    SetToDo,
    Step,
    Submit,
    WaitForMoreInformation,
    WaitUntil,
)
from services.activity.domain.vocabulary import SYSTEM, Actor, ActorKind, Method
from services.activity.domain.work_steps import KeepWithMe, RejectWork, TakeNext
from tests.unit.activity.tickets import (
    ALICE,
    BOB,
    DAY,
    ERP,
    MAIL,
    NOW,
    ROBOT,
    WINDOW,
    Life,
    life_in,
    only,
    refused,
)

CAROL = Actor(ActorKind.USER, "carol")


def without(*names: str) -> Any:
    """The process after these users were retired, suspended, or lost their permission."""
    return replace(WINDOW, workers=WINDOW.workers - set(names))


def had_by_alice_then_bob() -> Life:
    """Alice took it and gave it to Bob, who is working on it."""
    life = life_in(State.IN_PROGRESS)
    life.take(Assign("bob"))
    life.take(PickUp(), BOB)
    return life


def test_who_has_it_keeps_it_while_it_waits_and_comes_back() -> None:
    """ST-20: an existing value is kept."""
    life = had_by_alice_then_bob()
    life.take(WaitForMoreInformation(3), BOB)
    life.take(MAIL, SYSTEM)
    assert life.it.holders == Holders(assignee="bob", queue="it")


def test_who_may_not_have_it_any_more_is_passed_over() -> None:
    """ST-20: the last updater, then those who had it before, newest first."""
    life = had_by_alice_then_bob()
    life.take(WaitForMoreInformation(3), BOB)
    life.process = without("bob")
    life.take(MAIL, SYSTEM)
    assert life.it.holders == Holders(assignee="alice", queue="it")
    life.process = without("alice", "bob")
    life.take(WaitUntil(life.now + DAY), ERP)
    assert life.it.holders == Holders()
    life.take(MAIL, SYSTEM)
    assert life.it.holders == Holders(queue="it")


def test_previous_assignees_come_newest_first() -> None:
    """ST-20: carol had it last before bob, who has left; she is asked before alice."""
    life = life_in(State.IN_PROGRESS)
    for name, actor in (("carol", CAROL), ("bob", BOB)):
        life.take(Assign(name), ERP)
        life.take(PickUp(), actor)
    assert (life.it.last_updater, life.it.previous) == ("bob", ("carol", "alice"))
    life.process = without("bob")
    life.take(WaitUntil(life.now + DAY), ERP)
    assert life.it.holders == Holders(owner="carol")


def test_another_category_looks_for_somebody_anew() -> None:
    """ST-20, T37: who keeps it with him comes first, then its owner."""
    life = had_by_alice_then_bob()
    life.take(Assign("carol"), BOB)
    life.take(Edit(category="software"), ERP)
    assert life.it.holders.assignee == "bob", "he was the last to change it"
    life.take(WaitForMoreInformation(2), CAROL)
    life.take(Edit(category="hardware"), CAROL)
    assert life.it.holders == Holders(owner="bob"), "its owner comes before who changed it"


def test_the_category_that_a_wait_or_resolution_changes_makes_its_user_responsible() -> None:
    """ST-20: the editing user, where category and wait or resolution change together."""
    for step in (
        WaitForMoreInformation(2, category="software"),
        WaitUntil(NOW + DAY, category="software"),
        Resolve(Method.REJECTED, "software"),
    ):
        life = life_in(State.TO_DO)
        life.take(Assign("bob"), CAROL)
        assert not refused_or_none(life.take(step, ALICE))
        assert (life.it.category, life.it.holders) == ("software", Holders(owner="alice"))
    life = life_in(State.TO_DO)
    life.take(Assign("bob"), CAROL)
    life.take(WaitForMoreInformation(2), ALICE)
    assert life.it.holders == Holders(owner="bob"), "without another category he keeps it"


def refused_or_none(done: Any) -> bool:
    return done is None or hasattr(done, "sentence")


def test_keeping_it_comes_before_everything_else() -> None:
    """ST-20: until it is somebody else's, or he takes it back."""
    life = life_in(State.IN_PROGRESS)
    life.take(KeepWithMe())
    life.take(Edit(category="software"), ERP)
    assert life.it.holders.assignee == "alice"
    assert life.take(KeepWithMe()) == ()
    life.take(KeepWithMe(keep=False))
    assert life.it.keep_with_me is None
    life.take(KeepWithMe())
    life.take(Assign("bob"))
    assert (life.it.keep_with_me, life.it.holders.assignee) == (None, "bob")


def test_only_who_has_it_says_that_it_stays_with_him() -> None:
    life = life_in(State.IN_PROGRESS)
    done = refused(life.take(KeepWithMe(), BOB))
    assert (done.code, done.holder) == (RefusalCode.CONFLICT, "alice")


@pytest.mark.parametrize("state", [State.DRAFT, State.RESOLVED])
def test_what_is_kept_stays_when_it_is_submitted_or_reopened(state: State) -> None:
    """T5, AMB-5: said before, or with the step."""
    step: Step = Submit() if state is State.DRAFT else Reopen()
    life = life_in(state)
    life.take(KeepWithMe())
    life.take(step)
    assert life.it.holders == Holders(assignee="alice", queue="it")
    with_step = life_in(state)
    with_step.take(replace(step, keep_with_me=True))  # type: ignore[type-var]
    assert (with_step.it.holders.assignee, with_step.it.keep_with_me) == ("alice", "alice")


def test_what_went_back_to_its_queue_is_for_anybody() -> None:
    """ST-6, ST-21: nobody who had it before gets it back by a mail or the end of a wait."""
    life = had_by_alice_then_bob()
    life.take(Assign(None), BOB)
    life.take(MAIL, SYSTEM)
    assert life.it.holders == Holders(queue="it")
    life.take(WaitForMoreInformation(1), ERP)
    life.ring()
    assert life.it.holders == Holders(queue="it")


def test_what_only_adds_to_it_moves_it_to_nobody() -> None:
    """ST-22."""
    life = life_in(State.TO_DO)
    life.take(AddNote(), BOB)
    assert (life.it.holders, life.it.last_updater) == (Holders(queue="it"), None)


def test_who_ends_a_wait_of_what_nobody_has_gets_it() -> None:
    """ST-20, T17b: he is the last who changed it."""
    life = life_in(State.WAIT_UNTIL)
    life.take(Assign(None))
    life.take(Resume(ResumeTo.TO_DO), BOB)
    assert life.it.holders == Holders(assignee="bob", queue="it")


def test_a_new_assignee_can_be_told_why() -> None:
    """T8: a note beside it."""
    life = life_in(State.IN_PROGRESS)
    assert only(NoteAdded, life.take(Assign("bob", note=True), effect=7)).note.int == 7
    assert life.it.holders.assignee == "bob"


# Robots


def held_by_a_robot() -> Life:
    life = life_in(State.TO_DO)
    life.take(TakeNext(), ROBOT)
    assert (life.it.state, life.it.holders.assignee) == (State.IN_PROGRESS, "r2")
    return life


def test_a_robot_rejects_work_for_a_person() -> None:
    """T10, ST-8: its reason is kept; no robot gets it until a person had it."""
    life = held_by_a_robot()
    done = life.take(RejectWork(), ROBOT, effect=9)
    assert only(NoteAdded, done).note == only(MarkedForPerson, done).note
    assert (life.it.state, life.it.holders) == (State.TO_DO, Holders(queue="it"))
    for step in (PickUp(), TakeNext(), Edit(title="Mine"), WaitForMoreInformation(1)):
        assert Missing.PERSON in refused(life.take(step, ROBOT)).missing
    assert refused(life.take(Assign("r2"))).missing == (Missing.PERSON,)
    life.take(PickUp(), ALICE)
    life.take(Assign(None))
    assert not life.it.for_person
    life.take(PickUp(), ROBOT)
    assert life.it.holders.assignee == "r2"


def test_only_a_robot_rejects_and_only_its_own_work() -> None:
    """T10: a person gives it back instead (T8)."""
    life = life_in(State.IN_PROGRESS)
    assert refused(life.take(RejectWork(), ALICE)).missing == (Missing.ROBOT,)
    assert refused(life.take(RejectWork(), ROBOT)).missing == (Missing.WORK_OF_HIS,)
    assert refused(life.take(TakeNext(), ALICE)).missing == (Missing.ROBOT,)


def test_a_robot_gets_the_same_work_three_times_more_and_then_loses_it() -> None:
    """ST-24."""
    life = held_by_a_robot()
    for times in (1, 2, 3):
        only(HandedAgain, life.take(TakeNext(), ROBOT))
        assert (life.it.state, life.it.handed_again) == (State.IN_PROGRESS, times)
    only(MarkedForPerson, life.take(TakeNext(), ROBOT))
    assert (life.it.state, life.it.holders) == (State.TO_DO, Holders(queue="it"))
    assert (life.it.for_person, life.it.handed_again) == (True, 0)


def test_what_somebody_has_is_nobodys_next_work() -> None:
    life = life_in(State.TO_DO)
    life.take(Assign("bob"))
    assert refused(life.take(TakeNext(), ROBOT)).code is RefusalCode.CONFLICT
    life.take(TakeNext(), BOB)
    assert life.it.state is State.IN_PROGRESS


def test_a_pick_up_that_is_undone_keeps_who_had_it() -> None:
    """T9, ST-7."""
    life = life_in(State.IN_PROGRESS)
    life.take(SetToDo())
    assert life.it.holders == Holders(assignee="alice", queue="it")
