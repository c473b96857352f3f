"""How a Ticket waits, and what ends its wait (T11 to T17b)."""

from dataclasses import replace

import pytest

from services.activity.domain.activity import Holders, Wait
from services.activity.domain.events import MailRequested, StatusChanged
from services.activity.domain.refusals import Missing
from services.activity.domain.states import State, Status, WaitType
from services.activity.domain.steps import (
    AddNote,
    Assign,
    Edit,
    MarkInformation,
    Resume,
    ResumeTo,
    SendMail,
    Step,
    TimerDue,
    WaitForMoreInformation,
    WaitUntil,
)
from services.activity.domain.vocabulary import (
    SYSTEM,
    Method,
    Purpose,
    Reason,
)
from tests.unit.activity.tickets import (
    CUSTOMER,
    DAY,
    MAIL,
    NOW,
    WINDOW,
    life_in,
    only,
    refused,
)


def test_waiting_for_more_information_counts_days_of_24_hours() -> None:
    """T11, ST-9, ST-10, AMB-7: from the Inbox to Owned Work, with a timer."""
    life = life_in(State.TO_DO)
    life.take(MarkInformation(new=True))
    life.take(WaitForMoreInformation(3, close_if_no_response=True))
    assert life.it.wait == Wait(WaitType.MORE_INFO, NOW + 3 * DAY, 3, True)
    assert life.it.timer is not None
    assert (life.it.timer.due_at, life.it.timer.closes) == (NOW + 3 * DAY, True)
    assert life.it.holders == Holders(owner="alice")
    assert not life.it.new_information


def test_a_wait_has_an_end_in_the_future() -> None:
    """T11, T12."""
    life = life_in(State.IN_PROGRESS)
    assert refused(life.take(WaitForMoreInformation(0))).missing == (Missing.DAYS,)
    assert refused(life.take(WaitUntil(NOW))).missing == (Missing.FUTURE_TIME,)


def test_a_mail_ends_a_wait_for_information() -> None:
    """T13, ST-10, ST-25: To Do, back in its owner's Inbox, flagged, the timer gone."""
    life = life_in(State.WAIT_MORE_INFO)
    stale = life.it.timer
    done = life.take(MAIL, SYSTEM)
    assert life.it.state is State.TO_DO
    assert life.it.holders == Holders(assignee="alice", queue="it")
    assert life.it.new_information
    assert only(StatusChanged, done).reason is Reason.NEW_INFORMATION_RECEIVED
    assert (life.it.timer, life.it.wait) == (None, None)
    assert stale is not None
    life.now = stale.due_at
    assert life.take(TimerDue(stale.generation), SYSTEM) == ()


def test_automatic_mail_wakes_only_where_the_organisation_wants_it() -> None:
    """AMB-39, IN-16."""
    automatic = replace(MAIL, automatic=True)
    woken = life_in(State.WAIT_MORE_INFO)
    woken.take(automatic, SYSTEM)
    assert woken.it.state is State.TO_DO
    asleep = life_in(State.WAIT_MORE_INFO, replace(WINDOW, autoreply_wakes=False))
    asleep.take(automatic, SYSTEM)
    assert (asleep.it.state, asleep.it.new_information) == (State.WAIT_MORE_INFO, True)
    asleep.take(MAIL, SYSTEM)
    assert asleep.it.state is State.TO_DO


def test_no_answer_brings_a_ticket_back() -> None:
    """T14."""
    life = life_in(State.WAIT_MORE_INFO)
    done = life.ring()
    assert life.it.state is State.TO_DO
    assert only(StatusChanged, done).reason is Reason.TIMEOUT
    assert life.it.holders == Holders(assignee="alice", queue="it")


def test_no_answer_closes_a_ticket_where_that_was_wanted() -> None:
    """T15, AMB-6: closed at once whatever the window, one mail to the primary contact."""
    life = life_in(State.IN_PROGRESS)
    life.take(WaitForMoreInformation(1, close_if_no_response=True))
    done = life.ring()
    assert life.it.state is State.CLOSED
    assert life.it.resolution is not None
    assert (life.it.resolution.method, life.it.resolution.by) == (Method.NO_CUSTOMER_RESPONSE, SYSTEM)
    request = only(MailRequested, done)
    assert (request.purpose, request.to, request.cc) == (Purpose.NO_RESPONSE, (CUSTOMER,), ())


def test_the_date_brings_a_ticket_back() -> None:
    """T16."""
    life = life_in(State.WAIT_UNTIL)
    assert only(StatusChanged, life.ring()).reason is Reason.SCHEDULE_REACHED
    assert life.it.state is State.TO_DO


def test_a_mail_leaves_a_wait_until_a_date_alone() -> None:
    """T17, AMB-13: flagged, and in the Inbox while it is (ST-19); the timer stays armed."""
    life = life_in(State.WAIT_UNTIL)
    timer = life.it.timer
    life.take(MAIL, SYSTEM)
    assert (life.it.state, life.it.timer) == (State.WAIT_UNTIL, timer)
    assert life.it.holders == Holders(assignee="alice", queue="it")
    life.take(MarkInformation(new=False))
    assert life.it.holders == Holders(owner="alice")


@pytest.mark.parametrize(
    ("to", "state"), [(ResumeTo.TO_DO, State.TO_DO), (ResumeTo.IN_PROGRESS, State.IN_PROGRESS)]
)
@pytest.mark.parametrize("waiting", [State.WAIT_MORE_INFO, State.WAIT_UNTIL])
def test_a_wait_can_be_ended_by_hand(waiting: State, to: ResumeTo, state: State) -> None:
    """T17b."""
    life = life_in(waiting)
    generation = life.it.generation
    life.take(Resume(to))
    assert (life.it.state, life.it.timer) == (State(to), None)
    assert life.it.generation == generation + 1


def test_a_wait_can_be_re_dated_and_its_earlier_timer_is_stale() -> None:
    """ST-20, AMB-44."""
    life = life_in(State.WAIT_UNTIL)
    first = life.it.timer
    life.take(WaitUntil(NOW + 5 * DAY))
    assert first is not None
    life.now = first.due_at
    assert life.take(TimerDue(first.generation), SYSTEM) == ()
    life.take(WaitForMoreInformation(2))
    assert life.it.state is State.WAIT_MORE_INFO
    assert only(StatusChanged, life.ring()).status is Status.TO_DO


@pytest.mark.parametrize(
    "step", [AddNote(), SendMail(), MarkInformation(new=True), Edit(title="x"), Assign("bob")]
)
def test_what_leaves_a_wait_alone_leaves_its_timer_alone(step: Step) -> None:
    """AMB-44, design §5."""
    life = life_in(State.WAIT_MORE_INFO)
    timer, generation = life.it.timer, life.it.generation
    life.take(step)
    assert (life.it.timer, life.it.generation) == (timer, generation)


def test_a_timer_that_rings_early_is_dropped() -> None:
    life = life_in(State.WAIT_UNTIL)
    assert life.it.timer is not None
    assert life.take(TimerDue(life.it.timer.generation), SYSTEM) == ()
