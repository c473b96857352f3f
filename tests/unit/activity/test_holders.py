"""Assignee, owner and queue by situation (ST-19)."""

import pytest

from services.activity.domain.activity import Holders
from services.activity.domain.holders import Standing, settle
from services.activity.domain.states import State
from shared.references import ReferenceKind

INBOX = Holders(assignee="alice", queue="it")
OWNED = Holders(owner="alice")


@pytest.mark.parametrize(
    ("state", "new_information", "holders"),
    [
        (State.DRAFT, False, Holders(assignee="alice")),
        (State.DRAFT, True, Holders(assignee="alice")),
        (State.TO_DO, False, INBOX),
        (State.IN_PROGRESS, False, INBOX),
        (State.WAIT_MORE_INFO, False, OWNED),
        (State.WAIT_UNTIL, False, OWNED),
        (State.WAIT_UNTIL, True, INBOX),
        (State.RESOLVED, False, OWNED),
        (State.RESOLVED, True, INBOX),
        (State.CLOSED, False, Holders()),
        (State.CLOSED, True, Holders()),
    ],
)
def test_the_situation_says_who_holds_it(state: State, new_information: bool, holders: Holders) -> None:
    """ST-19, GL-2: what has new information stands in the Inbox again."""
    assert settle(Standing(state, new_information), "alice", "it") == holders


@pytest.mark.parametrize(
    ("state", "new_information", "attention", "holders"),
    [
        (State.TO_DO, False, False, OWNED),
        (State.IN_PROGRESS, False, False, OWNED),
        (State.TO_DO, True, False, INBOX),
        (State.TO_DO, False, True, INBOX),
        (State.WAIT_PAUSE, False, False, OWNED),
        (State.CLOSED, False, True, Holders()),
    ],
)
def test_a_case_has_an_owner_until_it_needs_him(
    state: State, new_information: bool, attention: bool, holders: Holders
) -> None:
    """ST-19: its Actions stand in queues, it does so only with new information or a problem."""
    standing = Standing(state, new_information, ReferenceKind.CASE, attention)
    assert settle(standing, "alice", "it") == holders
