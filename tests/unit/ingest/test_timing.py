"""A mailbox is looked at more often while mail keeps coming."""

from services.ingest.timing import BRISK_FOR_SECONDS, BRISK_SECONDS, Timing


def test_a_quiet_mailbox_is_waited_for_and_a_busy_one_looked_at_again() -> None:
    timing = Timing(poll=15.0, sweep=3600.0)
    assert timing.pause(since_mail=float("inf")) == 15.0
    assert timing.pause(since_mail=0.0) == BRISK_SECONDS
    assert timing.pause(since_mail=BRISK_FOR_SECONDS) == 15.0


def test_who_wants_more_haste_than_that_has_it() -> None:
    assert Timing(poll=0.01, sweep=1.0).pause(since_mail=0.0) == 0.01
