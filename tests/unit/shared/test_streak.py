"""When many records fail in a row, it is not the records (design §3)."""

from shared.streak import Streak


def outcomes(text: str) -> list[bool]:
    return [letter == "+" for letter in text]


def test_a_batch_is_cut_where_the_limit_is_reached() -> None:
    streak = Streak(3, 0.0)
    assert streak.cut(outcomes("+-+--+--")) is None
    assert streak.cut(outcomes("+----+")) == 4
    assert streak.cut(outcomes("+---")) is None  # nothing is left to be held back


def test_failures_of_the_batch_before_count() -> None:
    streak = Streak(3, 0.0)
    for succeeded in outcomes("--"):
        streak.note(succeeded)
    assert streak.cut(outcomes("-+")) == 1
    assert streak.cut(outcomes("+--")) is None


def test_one_success_ends_the_probing() -> None:
    streak = Streak(2, 0.0)
    for succeeded in outcomes("---"):
        streak.note(succeeded)
    assert streak.probing
    streak.note(True)
    assert not streak.probing
