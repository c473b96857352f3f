"""A Case that asks Alice and Bob for their approval, and what became of that."""

from collections.abc import Callable
from typing import Any

from services.activity.approval_links import ApprovalLink
from services.activity.domain.approval_events import ApprovalAsked
from services.activity.domain.states import State
from services.activity.domain.vocabulary import Actor, ActorKind
from services.activity.views_approvals import unusable
from tests.unit.activity.approvals import ORGANISATION
from tests.unit.activity.case_states import CASES
from tests.unit.activity.cases import Family, done
from tests.unit.activity.tickets import WINDOW

CAROL = Actor(ActorKind.USER, "carol")


def asking(prepare: Callable[[Family], Any] = lambda _: None) -> Family:
    """The first level of an approval is asked: Alice and Bob."""
    family = CASES["TO_DO"](WINDOW)
    prepare(family)
    done(family.launch("consent"))
    return family


def asked(family: Family) -> list[tuple[int, int, tuple[str, ...]]]:
    """Who was asked, in which round and level."""
    history = family.history[family.action("consent").id]
    return [(each.round, each.level, each.approvers) for each in history if isinstance(each, ApprovalAsked)]


def state(family: Family) -> State:
    return family.action("consent").state


def link(family: Family, name: str, *, number: int = 1, level: int = 1) -> str | None:
    """Why a link leads to no decision; None for one that does."""
    action = family.action("consent")
    found = unusable(ORGANISATION, action, ApprovalLink("acme", action.id, number, level, name))
    return found.why if found else None


def happened(family: Family, kind: type[Any]) -> list[Any]:
    return [each for each in family.history[family.action("consent").id] if isinstance(each, kind)]
