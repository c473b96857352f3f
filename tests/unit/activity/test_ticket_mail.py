"""What a mail does to a Ticket, and what its history tells (T35, T36)."""

from dataclasses import replace
from datetime import datetime

import pytest

from services.activity.domain.events import MailAppended, Opened, StatusChanged
from services.activity.domain.refusals import RefusalCode
from services.activity.domain.states import State
from services.activity.domain.steps import (
    MarkInformation,
)
from services.activity.domain.vocabulary import (
    SYSTEM,
    Reason,
    Review,
)
from tests.unit.activity.tickets import (
    ALICE,
    MAIL,
    NOW,
    life_in,
    only,
    refused,
)


@pytest.mark.parametrize("state", [State.DRAFT, State.TO_DO, State.IN_PROGRESS])
def test_a_mail_is_appended_and_flagged(state: State) -> None:
    """T36, ST-25, AMB-11: with what should be looked at."""
    life = life_in(state)
    review = frozenset({Review.OTHER_REFERENCE_THAN_ANSWERED})
    done = life.take(replace(MAIL, review=review), SYSTEM)
    assert (life.it.state, life.it.new_information) == (state, True)
    appended = only(MailAppended, done)
    assert (appended.mail, appended.review) == (MAIL.mail, review)


def test_a_closed_ticket_refuses_a_mail() -> None:
    """T35, T38: the mail opens another one, which matching decides."""
    done = refused(life_in(State.CLOSED).take(MAIL, SYSTEM))
    assert done.code is RefusalCode.CLOSED
    assert done.sentence == "101203-T is Closed and never changes again."


def test_new_information_is_marked_read_or_new_again() -> None:
    """ST-25."""
    life = life_in(State.TO_DO)
    life.take(MAIL, SYSTEM)
    life.take(MarkInformation(new=False))
    assert not life.it.new_information
    life.take(MarkInformation(new=True))
    assert life.it.new_information


def test_every_event_says_when_by_whom_and_by_which_row() -> None:
    """ST-16, ST-17."""
    life = life_in(State.WAIT_MORE_INFO)
    opened, *_, waited = life.history
    assert isinstance(opened, Opened)
    assert (opened.stamp.at, opened.stamp.by, opened.stamp.rule) == (NOW, SYSTEM, "T2")
    assert isinstance(waited, StatusChanged)
    assert isinstance(waited.stamp.at, datetime)
    assert (waited.stamp.by, waited.stamp.rule) == (ALICE, "T11")
    assert waited.wait is not None
    assert waited.reason is Reason.UPDATED_BY_RESOURCE
