"""Due dates as HTTP shows them: how they stand, and what is left while the clock stands (SL-2, SL-3)."""

from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from pydantic import BaseModel

from services.activity.domain.due_dates import Due
from services.activity.domain.states import ENDED, Status
from services.activity.due_records import restored
from services.activity.due_rules import due_rule
from services.activity.labels import paused_sentence
from shared.organisation import Organisation, Unknown

DueState = Literal["on_target", "due_today", "overdue", "not_set"]


class DueView(BaseModel):
    """By when it is to be done (LK-7, AMB-34).

    `at` is null where nothing is set and while the clock stands; `left_seconds` and `sentence` are there only
    then, the seconds negative where it was overdue. What is resolved stands as it stood at its resolution.
    """

    at: datetime | None
    state: DueState
    by_hand: bool
    paused: datetime | None
    left_seconds: int | None
    sentence: str | None


def due_header(whole: DueView) -> DueView:
    """What of it is header data: when it is due, and how that stands (AMB-34)."""
    return DueView(
        at=whole.at, state=whole.state, by_hand=False, paused=None, left_seconds=None, sentence=None
    )


def due_view(row: Any, organisation: Organisation, language: str | None, now: datetime) -> DueView:
    """The due date of a row of `activities`. "Today" is a day of its rule's calendar, or else UTC's."""
    due = restored(row)
    left = None if due.left is None else int(due.left.total_seconds())
    resolution = row["resolution"]
    ended = row["status"] in ENDED and resolution
    at = datetime.fromisoformat(resolution["at"]) if ended else now
    return DueView(
        at=None if due.paused else due.at,
        state="not_set" if row["status"] == Status.DRAFT else _state(due, at, _zone(row, organisation)),
        by_hand=due.by_hand is not None,
        paused=due.paused,
        left_seconds=left,
        sentence=None if left is None else paused_sentence(left, language),
    )


def _state(due: Due, at: datetime, zone: tzinfo) -> DueState:
    if due.at is None or due.paused:
        return "not_set"
    if due.at < at:
        return "overdue"
    return "due_today" if due.at.astimezone(zone).date() == at.astimezone(zone).date() else "on_target"


def _zone(row: Any, organisation: Organisation) -> tzinfo:
    try:
        rule = due_rule(organisation, row["process"], row["category"])
    except Unknown:
        return UTC
    return rule.calendar.zone if rule and rule.calendar else UTC
