"""The plan of a long run follows from its seed, and leaves nothing out."""

from collections import Counter

import pytest

from tests.faults.chaos.schedule import KILL, KINDS, plan
from tests.faults.chaos.strikes import DO

MAILS = 1000


def test_the_same_seed_plans_the_same_strikes() -> None:
    assert plan(7, MAILS, 25) == plan(7, MAILS, 25)
    assert plan(7, MAILS, 25) != plan(8, MAILS, 25)


@pytest.mark.parametrize("seed", range(5))
def test_everything_is_killed_as_often_as_was_asked_for(seed: int) -> None:
    killed = Counter(strike.target for strike in plan(seed, MAILS, 25) if strike.kind == KILL)
    assert killed == dict.fromkeys(("ingest", "activity", "notify", "relay", "parser"), 25)


@pytest.mark.parametrize("seed", range(5))
def test_every_other_fault_comes_to_each_of_its_targets(seed: int) -> None:
    struck = {(strike.kind, strike.target) for strike in plan(seed, MAILS, 25)}
    assert struck == {(kind.name, target) for kind in KINDS for target in kind.targets}


@pytest.mark.parametrize("seed", range(5))
def test_the_shortest_run_has_every_kind_of_fault(seed: int) -> None:
    assert {strike.kind for strike in plan(seed, 10, 1, full=False)} == {kind.name for kind in KINDS}


@pytest.mark.parametrize("full", [False, True])
def test_strikes_come_in_their_order_while_mails_are_written(full: bool) -> None:
    planned = [strike.after for strike in plan(1, MAILS, 25, full=full)]
    assert planned == sorted(planned)
    assert 0 < planned[0] < planned[-1] < MAILS


def test_every_kind_of_fault_can_be_done() -> None:
    assert DO.keys() == {kind.name for kind in KINDS}
