"""How old the oldest record is that a consumer has not worked on: true to the time between two looks."""

from bisect import bisect_right

from hypothesis import given
from hypothesis import strategies as st

from shared.lag import Lag
from shared.offsets import Place
from tests.support.notes import NOTES, Raw, made

PLACE = Place(NOTES.name, 0)
BEGAN = 1_772_366_400.0


def at(seconds: float, offset: int) -> Raw:
    note = made(offset, "a")
    return Raw(offset, note.value, note.headers, timestamp=int((BEGAN + seconds) * 1000))


def test_who_has_worked_on_everything_has_no_lag() -> None:
    lag = Lag()
    assert lag.age(PLACE, 7, 7, BEGAN) == 0
    assert lag.age(PLACE, 9, 9, BEGAN + 5) == 0


def test_a_record_that_was_not_fetched_came_after_the_last_look_without_it() -> None:
    """An hour without records does not count."""
    lag = Lag()
    lag.age(PLACE, 7, 7, BEGAN)
    lag.age(PLACE, 7, 7, BEGAN + 3600)
    assert lag.age(PLACE, 7, 8, BEGAN + 3605) == 5
    assert lag.age(PLACE, 7, 12, BEGAN + 3610) == 10
    assert lag.age(PLACE, 9, 12, BEGAN + 3615) == 10  # the one at 9 came after the look that saw 8
    assert lag.age(PLACE, 12, 12, BEGAN + 3620) == 0


def test_a_record_in_hand_bears_its_own_time_however_late_we_began_to_look() -> None:
    lag = Lag()
    lag.take([at(0, 7), at(30, 8)])
    assert lag.age(PLACE, 7, 9, BEGAN + 100) == 100
    lag.put_down()
    assert lag.age(PLACE, 9, 9, BEGAN + 101) == 0


def test_what_was_there_at_the_first_look_is_as_old_as_that_at_least() -> None:
    lag = Lag()
    assert lag.age(PLACE, 3, 9, BEGAN) == 0
    assert lag.age(PLACE, 3, 9, BEGAN + 60) == 60


def test_a_partition_that_went_away_and_came_back_begins_anew() -> None:
    lag = Lag()
    lag.age(PLACE, 7, 8, BEGAN)
    lag.keep([])
    assert lag.age(PLACE, 7, 8, BEGAN + 60) == 0


@given(
    arrivals=st.lists(st.integers(0, 300), max_size=30),
    worked=st.lists(st.integers(0, 5), min_size=1, max_size=40),
)
def test_the_age_is_at_most_one_look_too_old_and_never_too_young(
    arrivals: list[int], worked: list[int]
) -> None:
    """Looks come every ten seconds, the first before all records."""
    lag, arrivals, position = Lag(), sorted(arrivals), 0
    for look, step in enumerate(worked):
        now = 10 * look - 1
        end = bisect_right(arrivals, now)
        told = lag.age(PLACE, position, end, BEGAN + now)
        true = now - arrivals[position] if position < end else 0
        assert true <= told <= true + 10
        position = min(end, position + step)
