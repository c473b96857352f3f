"""When schedules come: the times that a cron expression means in a time zone (CA-1).

An expression has five fields: minute, hour, day of the month, month, day of the week. A time that the clocks
leave out in spring comes when they have jumped, and one that they show twice in autumn comes the first time.
An expression for every hour follows what has passed instead: it comes as often as there are hours.
"""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

FIELDS = 5
LONGEST = 200
"""Characters of an expression, at most."""
_HOUR = 1
_EVERY_HOUR = frozenset(range(24))
_ANY = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_SPAN = timedelta(hours=1)
_WIDER = 8


@lru_cache(maxsize=1024)
def wrong_with(expression: str) -> str | None:
    """Why an expression cannot be one of a schedule, or None where it can: it is none, or never comes."""
    if len(expression) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if len(expression.split()) != FIELDS:
        return f"it has to have {FIELDS} fields: minute, hour, day of the month, month, day of the week"
    try:
        comes = next(CronSim(expression, _ANY), None)
    except CronSimError as error:
        return str(error).lower()
    return "it never comes" if comes is None else None


def times_after(expression: str, time_zone: str, moment: datetime) -> Iterator[datetime]:
    """The times after a moment, in order and in UTC; each is later than the one before.

    The expression is one that nothing is wrong with.
    """
    zone = ZoneInfo(time_zone)
    last = moment
    for found in _found(expression, zone, moment):
        at = found.astimezone(UTC)
        if at > last:
            yield at
            last = at


def first_after(expression: str, time_zone: str, moment: datetime) -> datetime:
    """The first time after a moment."""
    return next(times_after(expression, time_zone, moment))


def newest(
    expression: str, time_zone: str, since: datetime, until: datetime, most: int
) -> tuple[datetime, ...]:
    """The newest times from `since` to `until`, both included, and at most so many, the oldest first."""
    span = _FIRST_SPAN
    while True:
        begin = max(since, until - span)
        found: deque[datetime] = deque(maxlen=most)
        for at in times_after(expression, time_zone, begin - timedelta(microseconds=1)):
            if at > until:
                break
            found.append(at)
        if begin == since or len(found) == most:
            return tuple(found)
        span *= _WIDER


def _found(expression: str, zone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
    """The times after a moment by the clock on the wall: none is missing, some come twice or were before."""
    local = moment.astimezone(zone)
    fields = expression.split()
    if CronSim(expression, _ANY).hours >= _EVERY_HOUR:
        yield from CronSim(" ".join([*fields[:_HOUR], "*", *fields[_HOUR + 1 :]]), local)
        return
    for naive in CronSim(expression, local.replace(tzinfo=None)):
        yield _that_exists(naive.replace(tzinfo=zone))


def _that_exists(local: datetime) -> datetime:
    """This time by the clock, or where clocks jump over it, the moment when they have jumped."""
    if _round_trip(local) == local.replace(tzinfo=None):
        return local
    # Before the jump the offset is `fold=0`'s: the jump lies between the two readings of this time.
    low, high = (local.replace(fold=fold).astimezone(UTC) for fold in (1, 0))
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        before = middle.astimezone(local.tzinfo).replace(tzinfo=None) < local.replace(tzinfo=None)
        low, high = (middle, high) if before else (low, middle)
    return high.replace(microsecond=0)


def _round_trip(local: datetime) -> datetime:
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None)
