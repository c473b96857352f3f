"""Due dates: what a rule says, what a person says, and waits that do not count (SL-1 to SL-6)."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

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
from services.activity.domain.events import DueChanged, Edited, Opened, StatusChanged
from services.activity.domain.evolving import evolve
from services.activity.domain.refusals import Missing
from services.activity.domain.states import State, WaitType
from services.activity.domain.steps import (
    Edit,
    PickUp,
    Resolve,
    Resume,
    ResumeTo,
    Submit,
    WaitForMoreInformation,
    WaitUntil,
)
from services.activity.domain.vocabulary import SYSTEM, Method
from services.activity.domain.work_steps import SetDueDate
from services.activity.domain.working_time import Shift, WorkingCalendar
from services.activity.due_records import due_of, record_of
from services.activity.past_events import Texts, event_of
from shared.references import ReferenceKind
from tests.unit.activity.tickets import (
    ALICE,
    BOB,
    CREATED,
    DAY,
    ERP,
    MAIL,
    MAIL_ROUTED,
    NOW,
    STARTED,
    WINDOW,
    Life,
    only,
    refused,
)

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)
OFFICE = WorkingCalendar(PARIS, (*[(Shift(time(9), time(17)),)] * 5, (), ()))
TICKET = ReferenceKind.TICKET
# NOW is a Sunday, 10 o'clock in Paris.
EIGHT_HOURS = DueRule(
    name="eight-hours", amount=8, unit=DueUnit.WORKING_HOURS, calendar=OFFICE, add_wait_time=True
)
TWO_DAYS = DueRule(name="two-days", amount=2, unit=DueUnit.DAYS, allow_override=True, add_wait_time=True)
PROCESS = replace(WINDOW, due_date=TWO_DAYS, due_dates={"software": EIGHT_HOURS})


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def in_paris(instant: datetime | None) -> str | None:
    return instant and instant.astimezone(PARIS).strftime("%Y-%m-%d %H:%M")


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


def waiting(process: Any = PROCESS, category: str = "hardware") -> Life:
    life = Life(process)
    life.take(replace(MAIL_ROUTED, category=category), SYSTEM)
    life.take(PickUp())
    life.now += HOUR
    life.take(WaitForMoreInformation(5))
    return life


def test_while_it_waits_for_information_the_clock_stands_and_then_the_wait_is_added() -> None:
    """SL-3, SL-5."""
    life = waiting()
    assert (life.it.due.paused, life.it.due.left) == (NOW + HOUR, 2 * DAY - HOUR)
    life.now += 3 * DAY
    life.take(MAIL, SYSTEM)
    assert life.it.due.paused is None
    assert life.it.due.at == NOW + 5 * DAY


def test_time_that_nobody_works_in_is_not_added_to_a_rule_of_working_time() -> None:
    """SL-5: due on Monday at 17; from Sunday to Tuesday at 11 it waited for ten working hours."""
    life = waiting(category="software")
    life.now = paris("2026-11-24 11:00")
    life.take(Resume())
    assert in_paris(life.it.due.at) == "2026-11-25 11:00"


def test_another_wait_leaves_the_clock_running() -> None:
    """SL-4: until a date, on a Ticket; and a wait that is turned into one starts it again."""
    life = Life(PROCESS)
    life.take(MAIL_ROUTED, SYSTEM)
    life.take(WaitUntil(NOW + DAY))
    assert (life.it.due.paused, life.it.due.at) == (None, NOW + 2 * DAY)
    life = waiting()
    life.now += HOUR
    life.take(WaitForMoreInformation(9))
    assert life.it.due.paused == NOW + HOUR, "dating a wait anew changes nothing"
    life.take(WaitUntil(life.now + DAY))
    assert (life.it.due.paused, life.it.due.at) == (None, NOW + 2 * DAY + HOUR)


def test_a_rule_may_say_which_waits_stop_the_clock() -> None:
    """AMB-12."""
    rule = replace(TWO_DAYS, stops=frozenset({"until"}))
    life = Life(replace(PROCESS, due_date=rule))
    life.take(MAIL_ROUTED, SYSTEM)
    life.take(WaitUntil(NOW + DAY))
    assert life.it.due.paused == NOW
    assert waiting(replace(PROCESS, due_date=rule)).it.due.paused is None


def test_a_wait_that_ends_in_closing_is_added_as_well() -> None:
    life = waiting()
    life.now += DAY
    life.take(Resolve(Method.REJECTED))
    assert (life.it.state, life.it.due.at) == (State.RESOLVED, NOW + 3 * DAY)


def test_another_category_has_the_date_reckoned_anew_from_the_same_start() -> None:
    """T37: with the waits that there were, and without what was set by hand where that is forbidden."""
    life = waiting()
    life.now += 2 * DAY  # Tuesday, 11 in Paris: ten working hours later
    life.take(Resume())
    life.take(SetDueDate(life.now + 9 * DAY))
    edited = only(Edited, life.take(Edit(category="software")))
    assert in_paris(edited.due.at) == "2026-11-25 11:00"
    assert edited.due.by_hand is None
    assert only(Edited, life.take(Edit(category="hardware"))).due.at == NOW + 4 * DAY
    assert only(Edited, life.take(Edit(title="Other"))).due is None


def test_a_date_that_people_may_set_outlives_its_category() -> None:
    life = Life(replace(PROCESS, due_dates={"software": replace(EIGHT_HOURS, allow_override=True)}))
    life.take(MAIL_ROUTED, SYSTEM)
    life.take(SetDueDate(NOW + 9 * DAY))
    life.take(Edit(category="software"))
    assert (life.it.due.at, in_paris(life.it.due.by_rule)) == (NOW + 9 * DAY, "2026-11-23 17:00")


def test_a_category_whose_rule_stops_the_clock_stops_it() -> None:
    life = Life(replace(PROCESS, due_dates={"software": replace(TWO_DAYS, stops=frozenset({"until"}))}))
    life.take(MAIL_ROUTED, SYSTEM)
    life.take(WaitUntil(NOW + 9 * DAY))
    life.now += HOUR
    life.take(Edit(category="software"))
    assert (life.it.due.paused, life.it.due.left) == (NOW + HOUR, 2 * DAY - HOUR)
    life.now += HOUR
    life.take(Edit(category="hardware"))
    assert (life.it.due.paused, life.it.due.at) == (None, NOW + 2 * DAY + HOUR)


def test_people_set_a_date_and_leave_it_to_the_rule_again() -> None:
    """SL-1: Allow Override."""
    life = Life(PROCESS)
    life.take(MAIL_ROUTED, SYSTEM)
    changed = only(DueChanged, life.take(SetDueDate(NOW + 9 * DAY)))
    assert (changed.due.at, changed.stamp.rule) == (NOW + 9 * DAY, "SL-1")
    assert life.take(SetDueDate(NOW + 9 * DAY)) == (), "it is that already"
    assert only(DueChanged, life.take(SetDueDate())).due.at == NOW + 2 * DAY


def test_who_sets_a_date_does_not_take_the_work() -> None:
    """ST-5, ST-19, ST-20: planning leaves it where it stands, and what comes in later does not bring it."""
    life = Life(PROCESS)
    life.take(MAIL_ROUTED, SYSTEM)
    (changed,) = life.take(SetDueDate(NOW + 9 * DAY), ALICE)
    assert isinstance(changed, DueChanged)
    assert (life.it.state, life.it.holders.person) == (State.TO_DO, None)
    life.take(MAIL, SYSTEM)
    assert life.it.holders.person is None
    life.take(PickUp(), BOB)
    life.take(WaitForMoreInformation(3), BOB)
    life.take(SetDueDate(NOW + 8 * DAY), ALICE)
    assert life.it.holders.owner == BOB.id
    life.take(Resume(ResumeTo.TO_DO), BOB)
    assert life.it.holders.assignee == BOB.id


def test_a_date_in_the_past_or_against_the_rule_is_refused() -> None:
    life = Life(PROCESS)
    assert refused(life.take(replace(STARTED, due=NOW))).missing == (Missing.FUTURE_TIME,)
    too_late = replace(CREATED, due=NOW - HOUR, category="software")
    assert refused(life.take(too_late, ERP)).missing == (Missing.DUE_DATE_BY_HAND, Missing.FUTURE_TIME)
    life.take(MAIL_ROUTED, SYSTEM)
    assert refused(life.take(SetDueDate(NOW))).missing == (Missing.FUTURE_TIME,)
    farthest = datetime.max.replace(tzinfo=UTC)
    assert refused(life.take(SetDueDate(farthest))).missing == (Missing.NEARER_TIME,)
    life.take(Edit(category="software"))
    assert refused(life.take(SetDueDate(NOW + DAY))).missing == (Missing.DUE_DATE_BY_HAND,)


def test_what_was_set_before_the_rule_forbade_it_can_be_taken_away_only() -> None:
    life = Life(PROCESS)
    life.take(MAIL_ROUTED, SYSTEM)
    life.take(SetDueDate(NOW + 9 * DAY))
    life.process = replace(PROCESS, due_date=replace(TWO_DAYS, allow_override=False))
    assert refused(life.take(SetDueDate(NOW + DAY))).missing == (Missing.DUE_DATE_BY_HAND,)
    life.take(SetDueDate())
    assert life.it.due.at == NOW + 2 * DAY


def test_a_date_that_a_draft_is_opened_with_counts_once_it_is_handed_in() -> None:
    """override_due (section 8)."""
    life = Life(PROCESS)
    life.take(replace(STARTED, due=NOW + 9 * DAY))
    assert life.it.due == Due(by_hand=NOW + 9 * DAY)
    life.take(Submit())
    assert (life.it.due.at, life.it.due.by_rule) == (NOW + 9 * DAY, NOW + 2 * DAY)


def test_a_date_set_while_the_clock_stands_waits_from_then_on_only() -> None:
    life = waiting()
    life.now += DAY
    life.take(SetDueDate(NOW + 9 * DAY))
    assert (life.it.due.paused, life.it.due.left) == (NOW + HOUR + DAY, 8 * DAY - HOUR)
    life.now += DAY
    life.take(Resume())
    assert (life.it.due.at, life.it.due.by_rule) == (NOW + 10 * DAY, NOW + 4 * DAY)


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
