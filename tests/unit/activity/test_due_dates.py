"""Due dates: what a rule says, from its start to what is written down of it (SL-1 to SL-6)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activity import event_records
from services.activity.domain.due_dates import (
    NO_DUE,
    Due,
    DueMethod,
    DueRule,
    DueUnit,
    in_wait,
    recategorised,
    set_by_hand,
    started,
)
from services.activity.domain.events import Opened, StatusChanged
from services.activity.domain.evolving import evolve
from services.activity.domain.states import WaitType
from services.activity.domain.steps import (
    Edit,
    PickUp,
    Resume,
    Submit,
    WaitForMoreInformation,
)
from services.activity.domain.vocabulary import SYSTEM
from services.activity.domain.work_steps import SetDueDate
from services.activity.due_records import due_of, record_of
from services.activity.past_events import Texts, event_of
from shared.references import ReferenceKind
from tests.unit.activity.due_office import (
    HOUR,
    OFFICE,
    PROCESS,
    TICKET,
    TWO_DAYS,
    in_paris,
    paris,
    waiting,
)
from tests.unit.activity.tickets import (
    ALICE,
    CREATED,
    DAY,
    ERP,
    MAIL_ROUTED,
    NOW,
    STARTED,
    WINDOW,
    Life,
    only,
)


@pytest.mark.parametrize(
    ("rule", "start", "due"),
    [
        ({"amount": 30}, "2026-11-27 16:00", "2026-11-28 22:00"),
        ({"amount": 1.5, "unit": DueUnit.WORKING_HOURS}, "2026-11-27 16:00", "2026-11-30 09:30"),
        ({"amount": 1, "unit": DueUnit.DAYS}, "2026-11-27 16:00", "2026-11-28 16:00"),
        ({"amount": 1, "unit": DueUnit.WORKING_DAYS}, "2026-11-27 16:00", "2026-11-30 16:00"),
        ({"amount": 8, "unit": DueUnit.WORKING_HOURS}, "2026-11-23 09:00", "2026-11-23 17:00"),
        (
            {"amount": 8, "unit": DueUnit.WORKING_HOURS, "next_morning": True},
            "2026-11-23 09:00",
            "2026-11-24 09:00",
        ),
        ({"amount": 1, "unit": DueUnit.DAYS, "end_of_day": True}, "2026-11-23 10:00", "2026-11-24 17:00"),
        ({"amount": 1, "unit": DueUnit.DAYS, "end_of_day": True}, "2026-11-27 10:00", "2026-11-30 17:00"),
        ({"amount": 0, "end_of_day": True}, "2026-11-23 20:00", "2026-11-24 17:00"),
        ({"method": DueMethod.END_OF_MONTH}, "2026-11-02 10:00", "2026-11-30 23:59"),
        ({"method": DueMethod.END_OF_MONTH, "end_of_day": True}, "2026-02-02 10:00", "2026-03-02 17:00"),
        (
            {
                "method": DueMethod.END_OF_MONTH,
                "amount": -2,
                "unit": DueUnit.WORKING_DAYS,
                "end_of_day": True,
            },
            "2026-12-31 10:00",
            "2026-12-29 17:00",
        ),
        ({"method": DueMethod.BY_HAND}, "2026-11-23 10:00", None),
    ],
)
def test_a_rule_reckons_from_the_start(rule: dict[str, Any], start: str, due: str | None) -> None:
    """SL-1: method, adjustment, calendar, and the two moves."""
    assert in_paris(DueRule(name="rule", calendar=OFFICE, **rule).due(paris(start))) == due


@pytest.mark.parametrize(
    ("kind", "wait", "stops"),
    [
        (ReferenceKind.TICKET, WaitType.MORE_INFO, True),
        (ReferenceKind.TICKET, WaitType.UNTIL, False),
        (ReferenceKind.CASE, WaitType.MORE_INFO, True),
        (ReferenceKind.CASE, WaitType.UNTIL, False),
        (ReferenceKind.ACTION, WaitType.MORE_INFO, True),
        (ReferenceKind.ACTION, WaitType.UNTIL, True),
    ],
)
def test_some_waits_stop_the_clock(kind: ReferenceKind, wait: WaitType, stops: bool) -> None:
    """SL-4, AMB-12: by kind, unless the rule says which, and only where wait time is added."""
    assert TWO_DAYS.stops_in(kind, wait) is stops
    assert not replace(TWO_DAYS, add_wait_time=False).stops_in(kind, wait)
    assert not replace(TWO_DAYS, stops=frozenset()).stops_in(kind, wait)
    assert replace(TWO_DAYS, stops=frozenset({"until"})).stops_in(kind, wait) is (wait is WaitType.UNTIL)


def test_a_draft_has_no_due_date_until_it_is_handed_in() -> None:
    """SL-2, T5."""
    life = Life(PROCESS)
    life.take(STARTED)
    assert life.it.due == NO_DUE
    life.now += HOUR
    assert only(StatusChanged, life.take(Submit())).due.at == NOW + HOUR + 2 * DAY
    assert life.it.due.since == NOW + HOUR


@pytest.mark.parametrize(("step", "actor"), [(MAIL_ROUTED, SYSTEM), (CREATED, ERP)])
def test_what_is_opened_at_once_is_due_by_the_rule_of_its_category(step: Any, actor: Any) -> None:
    """T2, T3."""
    life = Life(PROCESS)
    assert only(Opened, life.take(replace(step, category="software"), actor)).due.at == paris(
        "2026-11-23 17:00"
    )


def test_without_a_rule_nothing_is_said_of_a_due_date() -> None:
    life = Life(WINDOW)
    life.take(MAIL_ROUTED, SYSTEM)
    assert life.it.due == Due(since=NOW)
    assert only(StatusChanged, life.take(WaitForMoreInformation(2))).due is None


def test_what_is_split_off_counts_from_the_start_of_the_original() -> None:
    """SL-6."""
    life = Life(PROCESS)
    life.take(replace(CREATED, counts_since=NOW - DAY), ERP)
    assert life.it.due.at == NOW + DAY


def test_the_configuration_of_the_moment_decides() -> None:
    """A rule that is gone, or has changed, when a wait ends leaves what was decided before."""
    life = waiting()
    life.process = WINDOW
    life.now += DAY
    life.take(Resume())
    assert life.it.due.at == NOW + 3 * DAY


def test_the_history_replays_from_its_records() -> None:
    """Design §4: the records of the topic are enough."""
    life = Life(PROCESS)
    life.take(replace(STARTED, due=NOW + 9 * DAY + timedelta(microseconds=1)))
    for hours, step in enumerate(
        (Submit(), PickUp(), WaitForMoreInformation(3), SetDueDate(), Edit(category="software"), Resume())
    ):
        life.now += hours * HOUR
        refusal = life.take(step, ALICE)
        assert isinstance(refusal, tuple), refusal
    rebuilt = None
    known = None
    for event in life.history:
        known = evolve(known, event)
        record = event_records.record_of(known, event, 1)
        again = type(record).model_validate_json(record.model_dump_json())
        texts = Texts(known.title, known.description)
        rebuilt = evolve(rebuilt, event_of("acme", again, texts))
        assert rebuilt.due == known.due
    assert rebuilt == life.it


instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
rules = st.builds(
    DueRule,
    name=st.just("rule"),
    method=st.sampled_from(DueMethod),
    amount=st.integers(0, 40),
    unit=st.sampled_from(DueUnit),
    calendar=st.just(OFFICE),
    allow_override=st.booleans(),
    add_wait_time=st.just(True),
    next_morning=st.booleans(),
    end_of_day=st.booleans(),
)


@given(rules, rules, instants, st.lists(st.timedeltas(timedelta(), 20 * DAY), min_size=2, max_size=6))
def test_whatever_happens_a_due_date_keeps_its_word(
    rule: DueRule, other: DueRule, start: datetime, passes: list[timedelta]
) -> None:
    """Waits only put it off; a category and back changes nothing; and it survives being written down."""
    due = before = started(NO_DUE, rule, start)
    now, wait = start, None
    for passed in passes:
        now += passed
        wait = None if wait else WaitType.MORE_INFO
        due = in_wait(due, rule, TICKET, wait, now)
        assert (due.paused is not None) is (wait is not None)
        record = record_of(due)
        assert record
        assert due_of(record) == due
        there = recategorised(due, other, TICKET, wait, now)
        back = recategorised(there, rule, TICKET, wait, now)
        fresh = recategorised(due, rule, TICKET, wait, now)
        assert (back.by_rule, back.paused, back.left) == (fresh.by_rule, fresh.paused, fresh.left)
    assert due.at is None or before.at is None or due.at >= before.at
    running = in_wait(due, rule, TICKET, None, now)
    by_hand = set_by_hand(running, rule, now + DAY, now)
    assert set_by_hand(by_hand, rule, None, now) == running
