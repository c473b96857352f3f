"""Due dates: waits that do not count, other categories, and what a person says (SL-1 to SL-6)."""

from dataclasses import replace
from datetime import UTC, datetime

from services.activity.domain.due_dates import (
    Due,
)
from services.activity.domain.events import DueChanged, Edited
from services.activity.domain.refusals import Missing
from services.activity.domain.states import State
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
from tests.unit.activity.due_office import (
    EIGHT_HOURS,
    HOUR,
    PROCESS,
    TWO_DAYS,
    in_paris,
    paris,
    waiting,
)
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
    Life,
    only,
    refused,
)


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
