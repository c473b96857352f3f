"""When a mail is tried again, and what an attempt means (NT-14)."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.domain.delivery import OPEN, Recipient, Result, State, conclude, finish
from services.notify.domain.retry import (
    ATTEMPTS,
    LONGEST_SERVER_PAUSE,
    SPREAD,
    pause_after,
    server_pause,
    spread_of,
)
from tests.support.letters import MAIL, NOON

spreads = st.floats(-1, 1)
recipients = st.lists(
    st.builds(
        Recipient,
        st.from_regex(r"[a-z]{1,9}@x\.test", fullmatch=True),
        st.sampled_from([Result.ACCEPTED, Result.DEFERRED, Result.REFUSED]),
        st.integers(200, 599),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda each: each.address,
)


@settings(max_examples=100)
@given(st.lists(spreads, min_size=ATTEMPTS, max_size=ATTEMPTS))
def test_ten_attempts_take_days_and_each_pause_is_longer(jitter: list[float]) -> None:
    """RFC 5321 4.5.4.1 asks for four to five days."""
    pauses = [pause_after(attempt, jitter[attempt - 1]) for attempt in range(1, ATTEMPTS)]
    known = [pause for pause in pauses if pause is not None]
    assert len(known) == ATTEMPTS - 1
    assert known == sorted(known)
    assert timedelta(days=5) < sum(known, timedelta()) < timedelta(days=9)
    assert pause_after(ATTEMPTS, 0) is None


@settings(max_examples=100)
@given(st.uuids(), st.integers(1, ATTEMPTS))
def test_the_jitter_belongs_to_mail_and_attempt(mail: UUID, attempt: int) -> None:
    assert -1 <= spread_of(mail, attempt) < 1
    assert spread_of(mail, attempt) == spread_of(mail, attempt)


@settings(max_examples=100)
@given(st.integers(1, 10_000), spreads)
def test_a_server_is_left_alone_for_longer_and_longer_up_to_minutes(failures: int, spread: float) -> None:
    assert timedelta(0) < server_pause(failures, spread) <= LONGEST_SERVER_PAUSE * (1 + SPREAD)
    assert server_pause(failures, 0) <= server_pause(failures + 1, 0)


@settings(max_examples=100)
@given(recipients, st.integers(1, 30), st.integers(1, ATTEMPTS))
def test_a_mail_is_deferred_exactly_while_someone_is_open_and_tries_are_left(
    left: list[Recipient], earlier: int, tries: int
) -> None:
    verdict = conclude(MAIL, left, earlier + tries, tries, NOON)
    someone_open = any(each.result in OPEN for each in left)
    if someone_open and tries < ATTEMPTS:
        assert verdict.state is State.DEFERRED
        assert verdict.due is not None
        assert verdict.due > NOON
        assert verdict.recipients == tuple(left)
    else:
        accepted = any(each.result is Result.ACCEPTED for each in left)
        assert verdict.state is (State.SENT if accepted else State.FAILED)
        assert verdict.due is None
        assert not any(each.result in OPEN for each in verdict.recipients)


def test_the_reason_names_who_still_waits_before_who_was_refused() -> None:
    refused = Recipient("a@x.test", Result.REFUSED, 550, "no such user")
    waiting = Recipient("b@x.test", Result.DEFERRED, 451, "try later")
    assert conclude(MAIL, [refused, waiting], 1, 1, NOON).reason == "b@x.test: 451 try later"
    assert conclude(MAIL, [refused], 1, 1, NOON).reason == "a@x.test: 550 no such user"


def test_giving_up_says_so_and_keeps_the_last_answer() -> None:
    waiting = Recipient("b@x.test", Result.DEFERRED, 451, "try later")
    verdict = conclude(MAIL, [waiting], ATTEMPTS, ATTEMPTS, NOON)
    assert verdict.state is State.FAILED
    assert verdict.reason == "Given up after 10 attempts. b@x.test: 451 try later"
    assert verdict.recipients[0].answer == "try later"


def test_what_nobody_got_has_failed_and_what_one_got_is_sent() -> None:
    assert finish([Recipient("a@x.test")], "").state is State.FAILED
    assert finish([Recipient("a@x.test"), Recipient("b@x.test", Result.ACCEPTED)], "").state is State.SENT
