"""Ids of effects follow from their cause (design §2)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identity import derive

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 1, 1), timezones=st.just(UTC))


def test_an_id_is_the_same_for_ever() -> None:
    """A replay after an upgrade has to make the same ids: this one is never to change."""
    assert str(derive(NOON, "mailroom/ingest", "mail-1", 0)) == "019ca945-0a00-7442-8cdf-012a3e1dd49c"


@given(TIMES, st.text(), st.text(), st.integers() | st.text())
def test_an_id_has_the_layout_of_version_7_and_its_causes_time(
    time: datetime, source: str, cause: str, ordinal: int | str
) -> None:
    found = derive(time, source, cause, ordinal)
    assert found.version == 7
    assert found.variant == "specified in RFC 4122"
    assert found.int >> 80 == (time - EPOCH) // timedelta(milliseconds=1)
    assert found == derive(time.astimezone(timezone(timedelta(hours=5))), source, cause, ordinal)


@given(st.lists(st.tuples(st.text(), st.text(), st.integers() | st.text()), unique_by=repr, max_size=20))
def test_different_causes_have_different_effects(causes: list[tuple[str, str, int | str]]) -> None:
    """Also those whose parts run together: ("a", "bc") and ("ab", "c"), 1 and "1"."""
    assert len({derive(NOON, *cause) for cause in causes}) == len(causes)


def test_effects_of_later_causes_sort_later() -> None:
    assert derive(NOON, "s", "1", 0) < derive(NOON + timedelta(milliseconds=1), "s", "1", 0)


@pytest.mark.parametrize("time", [NOON.replace(tzinfo=None), datetime(1969, 1, 1, tzinfo=UTC)])
def test_a_time_that_has_no_place_is_refused(time: datetime) -> None:
    with pytest.raises(ValueError, match=r"time zone|48 bits"):
        derive(time, "s", "1", 0)
