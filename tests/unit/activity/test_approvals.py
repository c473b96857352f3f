"""How an Action asks for an approval, level by level, and what voids what was asked (A25)."""

import pytest
from msgspec import structs

from services.activity.approval_links import ApprovalLink
from services.activity.domain.action_steps import CompleteAction, GiveUp
from services.activity.domain.activity import Holders
from services.activity.domain.approval_events import ApprovalGiven
from services.activity.domain.approval_steps import Approve, Decline, Question
from services.activity.domain.case_steps import Rework, WaitForAnswer
from services.activity.domain.events import MailRequested, NoteAdded, StatusChanged
from services.activity.domain.evolving import task_of
from services.activity.domain.refusals import Missing, RefusalCode
from services.activity.domain.states import State
from services.activity.domain.steps import (
    Edit,
    MailReported,
    PickUp,
    Resume,
    ResumeTo,
    Step,
    WaitUntil,
)
from services.activity.domain.vocabulary import SYSTEM, Actor, ActorKind, Method, Outcome, Reason
from services.activity.views_approvals import unusable
from shared.field_values import FieldValue
from tests.unit.activity.approvals import ORGANISATION
from tests.unit.activity.asking import CAROL, asked, asking, happened, link, state
from tests.unit.activity.case_states import CASES
from tests.unit.activity.cases import done
from tests.unit.activity.tickets import ALICE, BOB, DAY, ERP, MAIL, NOW, ROBOT, WINDOW, refused


def test_as_soon_as_it_is_launched_everybody_of_the_first_level_gets_a_mail() -> None:
    family = asking()
    action = family.action("consent")
    assert (state(family), action.holders) == (State.WAIT_MORE_INFO, Holders())
    assert asked(family) == [(1, 1, ("alice", "bob"))]
    mails = [each.mail for each in happened(family, MailRequested)]
    assert len({*mails}) == 2
    assert task_of(action).round is not None
    assert link(family, "alice") is None
    assert link(family, "carol")


def test_the_next_level_is_asked_when_this_one_has_what_it_needs() -> None:
    """All of the first, one of the second; the third is passed over, as its condition does not hold."""
    family = asking()
    done(family.on("consent", Approve(), ALICE))
    assert asked(family) == [(1, 1, ("alice", "bob"))]
    done(family.on("consent", Approve(comment=True), BOB))
    assert asked(family)[1:] == [(1, 2, ("carol", "bob"))]
    assert (link(family, "carol", level=2), state(family)) == (None, State.WAIT_MORE_INFO)
    done(family.on("consent", Approve(), CAROL))
    action = family.action("consent")
    assert action.state is State.CLOSED
    assert action.resolution is not None
    assert action.resolution.method is Method.COMPLETE
    assert [(each.stamp.by.id, each.level) for each in happened(family, ApprovalGiven)] == [
        ("alice", 1),
        ("bob", 1),
        ("carol", 2),
    ]
    assert len(happened(family, NoteAdded)) == 1
    assert "consent" not in family.names()
    assert link(family, "bob", level=2)


def test_a_level_whose_condition_does_not_hold_is_passed_over() -> None:
    family = asking()
    done(family.do(Edit(fields=(FieldValue("salary", 10), FieldValue("foreign", True)))))
    for actor in (ALICE, BOB):
        done(family.on("consent", Approve(), actor))
    assert asked(family)[1:] == [(1, 3, ("carol",))]
    done(family.on("consent", Approve(), CAROL))
    assert state(family) is State.CLOSED


@pytest.mark.parametrize("actor", [CAROL, ROBOT, ERP, SYSTEM])
def test_who_is_not_asked_is_refused(actor: Actor) -> None:
    family = asking()
    for step in (Approve(), Decline(comment=True)):
        refusal = refused(family.on("consent", step, actor))
        assert (refusal.code, refusal.missing) == (RefusalCode.NOT_ASKED, (Missing.BEING_ASKED,))
    for kind in (ActorKind.ROBOT, ActorKind.INTEGRATION):
        assert refused(family.on("consent", Approve(), Actor(kind, "alice"))).code is RefusalCode.NOT_ASKED


def test_nobody_answers_twice() -> None:
    family = asking()
    done(family.on("consent", Approve(), ALICE))
    assert refused(family.on("consent", Decline(comment=True), ALICE)).code is RefusalCode.NOT_ASKED
    assert "approved it already" in (link(family, "alice") or "")


def test_an_answer_to_one_level_is_none_to_the_next() -> None:
    """Bob is in both: who clicks twice approves once."""
    family = asking()
    twice = Approve(question=Question(1, 1))
    done(family.on("consent", Approve(), ALICE))
    done(family.on("consent", twice, BOB))
    assert asked(family)[1:] == [(1, 2, ("carol", "bob"))]
    for question in (Question(1, 1), Question(level=1), Question(2, 2), Question(round=2)):
        for step in (Approve(question=question), Decline(comment=True, question=question)):
            refusal = refused(family.on("consent", step, BOB))
            assert (refusal.code, refusal.missing) == (RefusalCode.NOT_ASKED, (Missing.BEING_ASKED,))
    done(family.on("consent", Approve(question=Question(1, 2)), BOB))
    assert state(family) is State.CLOSED


def test_who_declines_says_why_and_people_have_it() -> None:
    family = asking()
    assert refused(family.on("consent", Decline(), BOB)).missing == (Missing.COMMENT,)
    done(family.on("consent", Decline(comment=True), BOB))
    action = family.action("consent")
    assert (action.state, action.new_information) == (State.TO_DO, True)
    assert action.holders == Holders(queue="it")
    assert happened(family, StatusChanged)[-1].reason is Reason.NEW_INFORMATION_RECEIVED
    assert "declined it already" in (link(family, "bob") or "")
    assert link(family, "alice")
    assert refused(family.on("consent", Approve(), ALICE)).code is RefusalCode.NOT_ALLOWED


def test_who_lets_it_wait_has_it_back_when_somebody_declines() -> None:
    family = asking()
    done(family.on("consent", Decline(comment=True), BOB))
    done(family.on("consent", PickUp(), CAROL))
    done(family.on("consent", WaitForAnswer(), CAROL))
    assert family.action("consent").holders == Holders(owner="carol")
    done(family.on("consent", Decline(comment=True), ALICE))
    assert family.action("consent").holders == Holders(assignee="carol", queue="it")


@pytest.mark.parametrize("leaving", [None, Resume(ResumeTo.TO_DO), Resume(ResumeTo.IN_PROGRESS)])
def test_setting_it_to_wait_begins_a_new_round_and_voids_older_links(leaving: Step | None) -> None:
    family = asking()
    done(family.on("consent", Approve(), ALICE))
    if leaving:
        done(family.on("consent", leaving, BOB))
        assert link(family, "bob")
    done(family.on("consent", WaitForAnswer("supplier"), BOB))
    assert asked(family)[1:] == [(2, 1, ("alice", "bob"))]
    assert state(family) is State.WAIT_MORE_INFO
    for name in ("alice", "bob"):
        assert "asked anew" in (link(family, name) or "")
        assert link(family, name, number=2) is None
    mails = [each.mail for each in happened(family, MailRequested)]
    assert len({*mails}) == 4


@pytest.mark.parametrize("step", [WaitUntil(NOW + DAY), Resume(ResumeTo.TO_DO), CompleteAction(), MAIL])
def test_once_it_does_not_wait_for_them_their_links_are_void(step: Step) -> None:
    """A6 among them: a mail that comes in brings it to people."""
    family = asking()
    done(family.on("consent", step, SYSTEM if step is MAIL else ALICE))
    assert state(family) is not State.WAIT_MORE_INFO
    assert link(family, "alice")
    assert refused(family.on("consent", Approve(), ALICE)).code in (
        RefusalCode.NOT_ALLOWED,
        RefusalCode.CLOSED,
    )


def test_who_gives_it_up_ends_it_as_any_action() -> None:
    """A11, C6."""
    family = asking()
    done(family.on("consent", GiveUp(reason=True), ALICE))
    assert (state(family), family.course.attention) == (State.CLOSED, True)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.REFUSED])
def test_a_mail_that_is_lost_brings_it_to_people(outcome: Outcome) -> None:
    family = asking()
    first, second = (each.mail for each in happened(family, MailRequested))
    done(family.on("consent", Approve(), ALICE))
    done(family.on("consent", MailReported(first, outcome), SYSTEM))
    assert state(family) is State.WAIT_MORE_INFO, "she has answered nevertheless"
    done(family.on("consent", MailReported(second, Outcome.SENT), SYSTEM))
    assert state(family) is State.WAIT_MORE_INFO
    done(family.on("consent", MailReported(second, outcome), SYSTEM))
    assert (state(family), family.action("consent").new_information) == (State.TO_DO, True)
    assert link(family, "bob")


def test_a_rework_asks_again_by_another_action() -> None:
    """C17: links of the one that ended are void."""
    family = asking()
    first = family.action("consent")
    done(family.do(Rework(1, by_hand_too=True)))
    ended = family.activities["acme", first.id]
    assert ended.state is State.CLOSED
    assert unusable(ORGANISATION, ended, ApprovalLink("acme", first.id, 1, 1, "alice")) is not None


def test_what_is_no_approval_has_no_links() -> None:
    family = CASES["TO_DO"](WINDOW)
    papers = family.action("papers")
    assert unusable(ORGANISATION, papers, ApprovalLink("acme", papers.id, 1, 1, "alice")) is not None
    bare = structs.replace(papers, task=None)
    assert unusable(ORGANISATION, bare, ApprovalLink("acme", papers.id, 1, 1, "alice")) is not None
