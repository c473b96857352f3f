"""Who can be asked for an approval, who can answer, and what becomes of it where nobody is left (A25)."""

from collections.abc import Callable
from typing import Any

import pytest

from services.activity.approval_links import ApprovalLink
from services.activity.domain.action_steps import CompleteAction
from services.activity.domain.approval_steps import Approve
from services.activity.domain.case_events import NotSent
from services.activity.domain.case_steps import WaitForAnswer
from services.activity.domain.refusals import Missing
from services.activity.domain.states import State
from services.activity.domain.steps import (
    Edit,
)
from services.activity.views_approvals import Unusable, unusable
from shared.field_values import FieldValue
from tests.unit.activity.approvals import ORGANISATION
from tests.unit.activity.asking import asked, asking, happened, link, state
from tests.unit.activity.cases import Family, done
from tests.unit.activity.tickets import ALICE, BOB, refused


def _without(*names: str, **changes: Any) -> Callable[[Family], Any]:
    """Somebody may not be asked any more."""

    def prepare(family: Family) -> None:
        users = tuple(
            each.model_copy(update=changes) if each.name in names else each for each in ORGANISATION.users
        )
        family.organisations = {"acme": type(ORGANISATION)("acme", 2, **_sections(users=users))}

    return prepare


def _sections(**changes: Any) -> dict[str, Any]:
    kinds = ("processes", "mailboxes", "users", "templates")
    return {kind: getattr(ORGANISATION, kind) for kind in kinds} | changes


def _no_template(family: Family) -> None:
    family.organisations = {"acme": type(ORGANISATION)("acme", 2, **_sections(templates=()))}


def _no_mailbox(family: Family) -> None:
    family.organisations = {"acme": type(ORGANISATION)("acme", 2, **_sections(mailboxes=()))}


def _no_links(family: Family) -> None:
    family.links = None


NOBODY = {
    "all are needed and one is retired": _without("bob", retired=True),
    "suspended": _without("alice", suspended=True),
    "no address": _without("alice", address=None),
    "no template": _no_template,
    "no mailbox": _no_mailbox,
    "no public URL": _no_links,
}


@pytest.mark.parametrize("prepare", NOBODY.values(), ids=NOBODY)
def test_where_nobody_can_be_asked_people_have_it_and_are_told(prepare: Callable[[Family], Any]) -> None:
    """And who wants to ask anew is refused, until somebody can be."""
    family = asking(prepare)
    assert (state(family), family.action("consent").new_information) == (State.TO_DO, True)
    assert (len(happened(family, NotSent)), asked(family)) == (1, [])
    assert refused(family.on("consent", WaitForAnswer())).missing == (Missing.APPROVERS,)
    done(family.on("consent", CompleteAction()))
    assert state(family) is State.CLOSED


def test_of_a_level_that_needs_one_those_are_asked_who_can_be() -> None:
    family = asking()
    done(family.on("consent", Approve(), BOB))
    _without("bob", suspended=True)(family)
    done(family.on("consent", Approve(), ALICE))
    assert asked(family)[1:] == [(1, 2, ("carol",))]


@pytest.mark.parametrize("left", [{"suspended": True}, {"retired": True}, {"robot": True}], ids=str)
def test_what_is_left_to_those_who_cannot_answer_any_more_comes_to_people(left: dict[str, Any]) -> None:
    """Their silence is no approval, and whoever else is asked may still decline."""
    family = asking()
    _without("bob", **left)(family)
    assert state(family) is State.WAIT_MORE_INFO
    done(family.on("consent", Approve(), ALICE))
    assert (state(family), family.action("consent").new_information) == (State.TO_DO, True)
    assert (len(happened(family, NotSent)), asked(family)[1:]) == (1, [])


def test_who_has_lost_his_address_answers_what_he_was_asked_before() -> None:
    family = asking()
    _without("bob", address=None)(family)
    for actor in (ALICE, BOB):
        done(family.on("consent", Approve(), actor))
    assert asked(family)[1:] == [(1, 2, ("carol",))]


def test_a_level_that_nobody_can_be_asked_in_comes_to_people() -> None:
    family = asking()
    _no_template(family)
    for actor in (ALICE, BOB):
        done(family.on("consent", Approve(), actor))
    assert (state(family), len(happened(family, NotSent))) == (State.TO_DO, 1)
    assert link(family, "carol", level=2)


def test_a_condition_that_cannot_be_worked_out_comes_to_people() -> None:
    family = asking(lambda it: done(it.do(Edit(fields=(FieldValue("salary", "a lot"),)))))
    for actor in (ALICE, BOB):
        done(family.on("consent", Approve(), actor))
    assert state(family) is State.TO_DO


def test_a_link_of_somebody_who_is_suspended_leads_to_nothing_and_says_so() -> None:
    family = asking()
    action = family.action("consent")
    _without("alice", suspended=True)(family)
    asked_of = ApprovalLink("acme", action.id, 1, 1, "alice")
    found = unusable(family.organisations["acme"], action, asked_of)
    assert found == Unusable("alice cannot approve or decline anything at present.", suspended=True)
