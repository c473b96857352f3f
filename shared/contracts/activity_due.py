"""By when an activity is to be done, as records of `activity.activities.v1` say it."""

from shared.contracts.record import Instant, Part


class ClockStopped(Part):
    """A time in which the clock of a due date stood."""

    since: Instant
    until: Instant


class DueDate(Part):
    """By when an activity is to be done (SL-1).

    `at` is none where nothing is set, and while the clock stands (SL-3): then `paused` is since when, and
    `left_seconds` what was left, as the rule counts it; negative where it was overdue. The date set by hand
    goes before that of the rule.
    """

    at: Instant | None = None
    since: Instant | None = None
    by_rule: Instant | None = None
    by_hand: Instant | None = None
    paused: Instant | None = None
    left_seconds: float | None = None
    waits: tuple[ClockStopped, ...] = ()
