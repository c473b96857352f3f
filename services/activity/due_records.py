"""A due date as records and rows have it, and back: nothing is lost on either way."""

from datetime import timedelta
from typing import Any

from services.activity.domain.activity import Activity
from services.activity.domain.due_dates import Due, Waited, first_due
from services.activity.domain.states import Status
from shared.contracts.activity_due import ClockStopped, DueDate


def record_of(due: Due | None) -> DueDate | None:
    """As the contract says it; None where nothing is, or was, to be said."""
    if due is None:
        return None
    return DueDate(
        at=None if due.paused else due.at,
        since=due.since,
        by_rule=due.by_rule,
        by_hand=due.by_hand,
        paused=due.paused,
        left_seconds=None if due.left is None else due.left.total_seconds(),
        waits=tuple(ClockStopped(since=each.since, until=each.until) for each in due.waits),
    )


def due_of(record: DueDate) -> Due:
    """What happened, from what was said of it."""
    return Due(
        since=record.since,
        by_rule=record.by_rule,
        by_hand=record.by_hand,
        paused=record.paused,
        left=None if record.left_seconds is None else timedelta(seconds=record.left_seconds),
        waits=tuple(Waited(each.since, each.until) for each in record.waits),
    )


def stored(activity: Activity) -> DueDate | None:
    """What stands in the column `due`: nothing for most, whose only date is that of their opening."""
    if activity.due == first_due(activity.status, activity.created_at):
        return None
    return record_of(activity.due)


def restored(row: Any) -> Due:
    """The due date of a row of `activities`."""
    if row["due"] is None:
        return first_due(Status(row["status"]), row["created_at"])
    return due_of(DueDate.model_validate(row["due"]))
