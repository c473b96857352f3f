"""How HTTP shows due dates (SL-2, SL-3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.activity.domain.due_dates import Due
from services.activity.due_records import record_of
from services.activity.views_due import due_view
from shared.contracts.activity_organisation import Calendar, DueDateRule, Weekday
from shared.organisation import Organisation
from tests.support.office import ACME, process

NOW = datetime(2026, 11, 23, 22, tzinfo=UTC)  # an hour before midnight in Brussels
HOUR = timedelta(hours=1)
OFFICE = Calendar(
    name="office", title="Office", time_zone="Europe/Brussels", hours={Weekday.MONDAY: ("09:00-17:00",)}
)
RULE = DueDateRule(name="rule", adjust=1, calendar="office", allow_override=True)
ORGANISATION = Organisation(
    ACME,
    1,
    processes=(process("request", due_date="rule"), process("invoice")),
    calendars=(OFFICE,),
    due_dates=(RULE,),
)


def row(due: Due, **changes: Any) -> dict[str, Any]:
    record = record_of(due)
    assert record
    fields = {"process": "request", "category": None, "status": "in_progress", "resolution": None}
    return fields | {"created_at": NOW, "due": record.model_dump(mode="json")} | changes


@pytest.mark.parametrize(
    ("due", "process", "state"),
    [
        (NOW - HOUR, "request", "overdue"),
        (NOW + HOUR / 2, "request", "due_today"),
        (NOW + HOUR * 1.5, "request", "on_target"),
        (NOW + HOUR * 1.5, "invoice", "due_today"),
        (None, "request", "not_set"),
    ],
)
def test_today_ends_where_the_calendar_s_people_go_to_bed(
    due: datetime | None, process: str, state: str
) -> None:
    """SL-2; without a calendar the day is UTC's."""
    view = due_view(row(Due(since=NOW, by_rule=due), process=process), ORGANISATION, None, NOW)
    assert (view.at, view.state) == (due, state)


def test_a_draft_has_no_state_whatever_was_set() -> None:
    """SL-2."""
    view = due_view(row(Due(by_hand=NOW + HOUR), status="draft"), ORGANISATION, None, NOW)
    assert (view.state, view.by_hand) == ("not_set", True)


@pytest.mark.parametrize(
    ("left", "language", "sentence"),
    [
        (HOUR * 27.5, None, "Due: Paused 27 h 30 m before due"),
        (-HOUR, "en-GB", "Due: Paused 1 h 0 m after overdue"),
        (HOUR * 1.25, "fr-FR,en;q=0.5", "Attendue : Pause 1 h 15 m avant l'échéance"),
        (-HOUR * 2, "fr", "Attendue : Pause 2 h 0 m après le retard"),
    ],
)
def test_while_the_clock_stands_a_sentence_stands_for_the_date(
    left: timedelta, language: str | None, sentence: str
) -> None:
    """SL-3."""
    due = Due(since=NOW, by_rule=NOW + left, paused=NOW, left=left)
    view = due_view(row(due, status="wait"), ORGANISATION, language, NOW + HOUR)
    assert (view.at, view.state, view.left_seconds) == (None, "not_set", left.total_seconds())
    assert (view.paused, view.sentence) == (NOW, sentence)


def test_what_is_resolved_stands_as_it_stood_then() -> None:
    resolved = {"status": "closed", "resolution": {"at": (NOW - 2 * HOUR).isoformat()}}
    view = due_view(row(Due(since=NOW, by_rule=NOW - HOUR), **resolved), ORGANISATION, None, NOW)
    assert view.state == "due_today"
