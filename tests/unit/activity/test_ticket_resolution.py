"""How a Ticket is resolved, comes back or is closed (T18 to T26)."""

from uuid import UUID

import pytest

from services.activity.domain.activity import Holders
from services.activity.domain.events import FeedbackGiven, MailRequested, StatusChanged
from services.activity.domain.refusals import Missing
from services.activity.domain.states import State
from services.activity.domain.steps import (
    AddNote,
    Edit,
    MailReported,
    PickUp,
    RejectAsSpam,
    Reopen,
    Resolve,
    SendMail,
    Step,
    TimerDue,
    WaitForMoreInformation,
)
from services.activity.domain.vocabulary import (
    SYSTEM,
    Actor,
    Method,
    Outcome,
    Reason,
)
from services.activity.domain.work_steps import GiveFeedback, SendAndResolve
from tests.unit.activity.tickets import (
    ALICE,
    BOB,
    DAY,
    ERP,
    GUARDED,
    MAIL,
    NO_WINDOW,
    NOW,
    life_in,
    only,
    refused,
)


@pytest.mark.parametrize(
    "method", [Method.WITH_CUSTOMER_RESPONSE, Method.NO_CUSTOMER_RESPONSE, Method.REJECTED]
)
@pytest.mark.parametrize("state", [State.TO_DO, State.IN_PROGRESS, State.WAIT_MORE_INFO, State.WAIT_UNTIL])
def test_a_resolved_ticket_rests_in_its_feedback_window(state: State, method: Method) -> None:
    """T18, ST-14, ST-16, ST-18, ST-19."""
    life = life_in(state)
    changed = only(StatusChanged, life.take(Resolve(method)))
    assert (life.it.state, life.it.feedback_until) == (State.RESOLVED, NOW + 3 * DAY)
    assert life.it.timer is not None
    assert life.it.timer.closes
    assert life.it.holders == Holders(owner="alice")
    assert (changed.method, changed.reason, changed.stamp.by) == (method, Reason.COMPLETED, ALICE)


def test_without_a_window_resolved_is_closed() -> None:
    """T19, ST-14."""
    life = life_in(State.IN_PROGRESS, NO_WINDOW)
    life.take(Resolve(Method.REJECTED))
    assert (life.it.state, life.it.timer, life.it.holders) == (State.CLOSED, None, Holders())
    assert life.it.resolution is not None
    assert life.it.resolution.method is Method.REJECTED


def test_a_user_chooses_among_the_methods_that_are_his() -> None:
    """ST-18."""
    life = life_in(State.IN_PROGRESS)
    for method in (Method.MERGED, Method.REJECTED_AS_SPAM):
        assert refused(life.take(Resolve(method))).missing == (Missing.USER_METHOD,)


@pytest.mark.parametrize("step", [AddNote(), SendMail()])
def test_the_guard_wants_a_mail_or_note_of_the_same_session(step: Step) -> None:
    """T18, AMB-43: by the one who resolves, since the last In Progress; it is marked as the resolution."""
    life = life_in(State.TO_DO, GUARDED)
    life.take(step, ALICE, effect=1)
    life.take(PickUp())
    resolve = Resolve(Method.WITH_CUSTOMER_RESPONSE)
    assert refused(life.take(resolve)).missing == (Missing.RESOLUTION,)
    life.take(step, BOB, effect=2)
    assert refused(life.take(resolve)).missing == (Missing.RESOLUTION,)
    life.take(step, ALICE, effect=3)
    life.take(WaitForMoreInformation(1))
    assert only(StatusChanged, life.take(resolve)).written == UUID(int=3)
    assert life.it.resolution is not None
    assert life.it.resolution.written == UUID(int=3)


def test_taking_over_begins_a_session() -> None:
    """AMB-43, ST-23."""
    life = life_in(State.IN_PROGRESS, GUARDED)
    life.take(AddNote(), BOB)
    life.take(PickUp(take_over=True), BOB)
    assert refused(life.take(Resolve(Method.REJECTED), BOB)).missing == (Missing.RESOLUTION,)


def test_spam_is_closed_at_once() -> None:
    """T21: no window, no guard."""
    life = life_in(State.TO_DO, GUARDED)
    life.take(RejectAsSpam())
    assert life.it.state is State.CLOSED
    assert life.it.resolution is not None
    assert life.it.resolution.method is Method.REJECTED_AS_SPAM


def test_a_mail_reopens_and_the_first_resolution_is_kept() -> None:
    """T23, ST-15: reopened by the system; a second resolution stands beside the first."""
    life = life_in(State.RESOLVED)
    first = life.it.resolution
    life.now += DAY
    life.take(MAIL, SYSTEM)
    assert life.it.state is State.TO_DO
    assert life.it.reopening is not None
    assert (life.it.reopening.by, life.it.reopening.at) == (SYSTEM, NOW + DAY)
    assert life.it.holders == Holders(assignee="alice", queue="it")
    life.take(Resolve(Method.REJECTED), BOB)
    assert life.it.first_resolution == first
    assert life.it.resolution != first


@pytest.mark.parametrize(
    ("actor", "keep", "assignee"),
    [(ALICE, False, None), (ALICE, True, "alice"), (BOB, False, "alice"), (BOB, True, "bob")],
)
def test_a_user_reopens_to_to_do(actor: Actor, keep: bool, assignee: str | None) -> None:
    """T25, AMB-5: he keeps it only if he says so; else its owner has it again."""
    life = life_in(State.RESOLVED)
    changed = only(StatusChanged, life.take(Reopen(keep_with_me=keep), actor))
    assert (life.it.state, changed.reason) == (State.TO_DO, Reason.REOPENED_BY_RESOURCE)
    assert life.it.holders == Holders(assignee=assignee, queue="it")


def test_the_window_closes_by_itself() -> None:
    """T26."""
    life = life_in(State.RESOLVED)
    assert only(StatusChanged, life.ring()).reason is Reason.FEEDBACK_WINDOW_PASSED
    assert (life.it.state, life.it.holders) == (State.CLOSED, Holders())


def test_a_second_window_has_a_timer_of_its_own() -> None:
    """AMB-44."""
    life = life_in(State.RESOLVED)
    first = life.it.timer
    life.take(Reopen(keep_with_me=True))
    life.take(Resolve(Method.REJECTED))
    assert first is not None
    life.now = first.due_at
    assert life.take(TimerDue(first.generation), SYSTEM) == ()
    assert life.it.state is State.RESOLVED


# T6: from a Draft


def test_a_draft_is_resolved_at_once() -> None:
    """T6: by the first contact, under the guards of T5 and T18."""
    life = life_in(State.DRAFT)
    life.take(Resolve(Method.WITH_CUSTOMER_RESPONSE))
    assert (life.it.state, life.it.holders) == (State.RESOLVED, Holders(owner="alice"))
    closed = life_in(State.DRAFT, NO_WINDOW)
    closed.take(Resolve(Method.NO_CUSTOMER_RESPONSE))
    assert closed.it.state is State.CLOSED


def test_a_draft_that_lacks_something_is_not_resolved() -> None:
    """T6, T18: what lacks of T5 and T18 is named together."""
    life = life_in(State.DRAFT, GUARDED)
    life.take(Edit(title="", description=""))
    done = refused(life.take(Resolve(Method.REJECTED)))
    assert done.missing == (Missing.TITLE, Missing.DESCRIPTION, Missing.RESOLUTION)


# T20: Send & Resolve


@pytest.mark.parametrize("state", [State.TO_DO, State.IN_PROGRESS, State.WAIT_MORE_INFO, State.WAIT_UNTIL])
def test_a_mail_is_sent_and_marked_as_the_resolution(state: State) -> None:
    """T20, T18: one step, also where a resolution mail is wanted."""
    life = life_in(state, GUARDED)
    done = life.take(SendAndResolve(Method.WITH_CUSTOMER_RESPONSE), effect=0x77)
    assert only(MailRequested, done).mail == UUID(int=0x77)
    assert only(StatusChanged, done).written == UUID(int=0x77)
    assert life.it.state is State.RESOLVED


def test_send_and_resolve_closes_where_there_is_no_window() -> None:
    """T20, T19."""
    life = life_in(State.IN_PROGRESS, NO_WINDOW)
    life.take(SendAndResolve(Method.REJECTED))
    assert life.it.state is State.CLOSED


def test_who_may_not_resolve_sends_nothing_either() -> None:
    """T20: neither happens."""
    life = life_in(State.IN_PROGRESS)
    version = life.it.version
    assert refused(life.take(SendAndResolve(Method.REJECTED), BOB)).missing == (Missing.ASSIGNMENT,)
    assert refused(life.take(SendAndResolve(Method.MERGED))).missing == (Missing.USER_METHOD,)
    assert life.it.version == version


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.REFUSED])
def test_a_resolution_that_nobody_got_brings_the_ticket_back(outcome: Outcome) -> None:
    """T20: to who resolved it, with new information, so that it stands in his Inbox."""
    life = life_in(State.IN_PROGRESS)
    life.take(SendAndResolve(Method.WITH_CUSTOMER_RESPONSE), effect=0x77)
    life.take(MailReported(UUID(int=0x77), Outcome.DEFERRED), SYSTEM)
    life.take(MailReported(UUID(int=0x78), outcome), SYSTEM)
    assert life.it.state is State.RESOLVED
    changed = only(StatusChanged, life.take(MailReported(UUID(int=0x77), outcome), SYSTEM))
    assert (life.it.state, changed.reason) == (State.TO_DO, Reason.FAILED)
    assert (life.it.holders, life.it.new_information) == (Holders(assignee="alice", queue="it"), True)


def test_a_closed_ticket_only_notes_that_its_resolution_was_lost() -> None:
    """T20, T38."""
    life = life_in(State.IN_PROGRESS, NO_WINDOW)
    life.take(SendAndResolve(Method.WITH_CUSTOMER_RESPONSE), effect=0x77)
    life.take(MailReported(UUID(int=0x77), Outcome.FAILED), SYSTEM)
    assert life.it.state is State.CLOSED


# T24: feedback


def test_feedback_in_the_window_reopens() -> None:
    """T24, FB-3, ST-15."""
    life = life_in(State.RESOLVED)
    done = life.take(GiveFeedback(2, comment=True), ERP, effect=5)
    given = only(FeedbackGiven, done)
    assert (given.rating, given.note) == (2, UUID(int=5))
    assert only(StatusChanged, done).reason is Reason.FEEDBACK_RECEIVED
    assert (life.it.state, life.it.holders) == (State.TO_DO, Holders(assignee="alice", queue="it"))
    assert life.it.reopening is not None
    assert life.it.reopening.by == ERP


@pytest.mark.parametrize("state", [State.TO_DO, State.WAIT_UNTIL, State.CLOSED])
def test_feedback_at_any_other_time_is_kept_and_changes_no_status(state: State) -> None:
    """FB-1, FB-2: nobody who acts on the version before it is late for that."""
    life = life_in(state)
    only(FeedbackGiven, life.take(GiveFeedback(5), ERP))
    assert life.it.state is state
    assert life.it.new_information is (state is not State.CLOSED)


@pytest.mark.parametrize("rating", [0, 6])
def test_a_rating_goes_from_one_to_five(rating: int) -> None:
    """FB-2."""
    assert refused(life_in(State.RESOLVED).take(GiveFeedback(rating), ERP)).missing == (Missing.RATING,)
