"""How a Ticket is worked on (T7 to T9)."""

from uuid import UUID

import pytest

from services.activity.domain.activity import Holders
from services.activity.domain.contacts import all_four
from services.activity.domain.events import MailRequested
from services.activity.domain.refusals import Missing, Refusal, RefusalCode
from services.activity.domain.states import State
from services.activity.domain.steps import (
    AddNote,
    Assign,
    Edit,
    MailReported,
    PickUp,
    RejectAsSpam,
    SendMail,
    SetToDo,
    Step,
    WaitForMoreInformation,
)
from services.activity.domain.vocabulary import (
    SYSTEM,
    Actor,
    Outcome,
    Purpose,
)
from tests.unit.activity.tickets import (
    ALICE,
    BOB,
    CUSTOMER,
    ERP,
    ROBOT,
    life_in,
    only,
    refused,
)


@pytest.mark.parametrize("actor", [ALICE, ROBOT])
@pytest.mark.parametrize("step", [PickUp(), Edit(title="Printer is out")])
def test_the_first_update_picks_a_ticket_up(step: Step, actor: Actor) -> None:
    """T7, ST-4, ST-5."""
    life = life_in(State.TO_DO)
    life.take(step, actor)
    assert life.it.state is State.IN_PROGRESS
    assert life.it.holders == Holders(assignee=actor.id, queue="it")


@pytest.mark.parametrize("step", [AddNote(), SendMail()])
def test_what_only_adds_picks_nothing_up(step: Step) -> None:
    """ST-22, NT-17: no assignment is needed, and none follows."""
    life = life_in(State.TO_DO)
    life.take(step)
    assert life.it.state is State.TO_DO
    assert life.it.holders.assignee is None
    others = life_in(State.IN_PROGRESS)
    assert not isinstance(others.take(step, BOB), Refusal)


def test_an_integration_edits_without_taking() -> None:
    """T37: its category is the process's own."""
    life = life_in(State.TO_DO)
    life.take(Edit(category="software"), ERP)
    assert (life.it.state, life.it.category, life.it.holders.assignee) == (State.TO_DO, "software", None)
    assert refused(life.take(Edit(category="plumbing"), ERP)).missing == (Missing.KNOWN_CATEGORY,)
    assert refused(life.take(PickUp(), ERP)).missing == (Missing.RESOURCE,)


def test_saying_the_same_again_changes_nothing() -> None:
    life = life_in(State.IN_PROGRESS)
    version = life.it.version
    assert life.take(Edit(title=life.it.title, tag=all_four(CUSTOMER))) == ()
    assert life.take(PickUp()) == ()
    assert life.it.version == version


def test_work_of_somebody_else_is_not_touched_without_confirmation() -> None:
    """ST-22, ST-23: the second one is warned, and may confirm."""
    life = life_in(State.IN_PROGRESS)
    for step in (PickUp(), Edit(title="Mine"), SetToDo(), WaitForMoreInformation(1), RejectAsSpam()):
        done = refused(life.take(step, BOB))
        assert (done.code, done.holder) == (RefusalCode.CONFLICT, "alice")
    life.take(PickUp(take_over=True), BOB)
    assert (life.it.state, life.it.holders.assignee) == (State.IN_PROGRESS, "bob")


def test_who_has_seen_an_older_version_is_refused() -> None:
    """ST-23: the refusal tells the version and who has it."""
    life = life_in(State.TO_DO)
    seen = life.it.version
    life.take(PickUp(), BOB, version=seen)
    done = refused(life.take(PickUp(), ALICE, version=seen))
    assert (done.code, done.version, done.holder) == (RefusalCode.CONFLICT, life.it.version, "bob")


@pytest.mark.parametrize("state", [State.TO_DO, State.RESOLVED])
def test_word_of_a_delivery_makes_nobody_late(state: State) -> None:
    """ST-23: nobody was faster; whoever saw the Ticket before the report saw how it stands."""
    life = life_in(state)
    before = life.it.version
    for outcome in (Outcome.DEFERRED, Outcome.SENT):
        life.take(MailReported(UUID(int=0xE), outcome), SYSTEM)
    assert (life.it.version, life.it.changed) == (before + 2, before)
    for seen in (before - 1, before + 3):
        done = refused(life.take(AddNote(), BOB, version=seen))
        assert (done.code, done.version) == (RefusalCode.CONFLICT, before + 2)
    life.take(AddNote(), BOB, version=before)
    assert life.it.changed == life.it.version == before + 3


@pytest.mark.parametrize("assignee", ["bob", None])
def test_giving_work_away_sets_to_do(assignee: str | None) -> None:
    """T8, ST-6, AMB-18: however long it was held."""
    life = life_in(State.IN_PROGRESS)
    life.take(Assign(assignee))
    assert life.it.state is State.TO_DO
    assert life.it.holders == Holders(assignee=assignee, queue="it")


def test_a_pick_up_can_be_undone() -> None:
    """T9, ST-7."""
    life = life_in(State.IN_PROGRESS)
    life.take(SetToDo())
    assert life.it.state is State.TO_DO


@pytest.mark.parametrize("state", [State.DRAFT, State.TO_DO, State.WAIT_UNTIL, State.RESOLVED])
def test_unassigning_keeps_the_status_of_what_nobody_works_on(state: State) -> None:
    """ST-21, AMB-18."""
    life = life_in(state)
    life.take(Assign("bob"))
    assert (life.it.state, life.it.holders.person) == (state, "bob")
    life.take(Assign(None))
    assert (life.it.state, life.it.holders.person) == (state, None)


def test_a_reply_is_asked_for_under_the_id_of_its_cause() -> None:
    """NT-10, NT-17: its recipients are the request's to say."""
    life = life_in(State.WAIT_MORE_INFO)
    request = only(MailRequested, life.take(SendMail(), BOB, effect=0x99))
    assert (request.mail, request.purpose, request.to, request.cc) == (UUID(int=0x99), Purpose.REPLY, (), ())
    assert life.it.state is State.WAIT_MORE_INFO
