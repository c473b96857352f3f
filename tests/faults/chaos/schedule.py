"""Which fault comes when: a table of faults, and a plan that follows from a seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.instance import SERVICES

KILL = "kill"
LINES = ("kafka", "postgres", "imap", "smtp")
SERVERS = ("kafka", "postgres")
RELAY, PARSER = "relay", "parser"


@dataclass(frozen=True)
class Kind:
    """A kind of fault. `brief` and `full` say for how many seconds one lasts, at least and at most."""

    name: str
    targets: Sequence[str]
    brief: tuple[float, float]
    full: tuple[float, float]


# Consumers lose their group after ten seconds, mailboxes and claims go after three and five, a relay's
# session ends after sixty: what is to outlast them has to be longer.
KINDS: Sequence[Kind] = (
    Kind(KILL, (*SERVICES, RELAY, PARSER), (0, 0.5), (0, 3)),
    Kind("unreachable", LINES, (0.5, 1.5), (1, 20)),
    Kind("slow", LINES, (0.5, 1.5), (3, 10)),
    Kind("torn", LINES, (0.2, 0.5), (1, 5)),
    Kind("half-open", LINES, (1, 2), (5, 40)),
    Kind("stopped", SERVERS, (0, 1), (1, 20)),
    Kind("doubled", SERVICES, (0, 2), (1, 30)),
    Kind("frozen", SERVICES, (5.5, 6), (11, 75)),
    Kind("clock jumps", SERVICES, (1.5, 2), (2, 20)),
    Kind("disk full", ("blobs",), (1, 2), (3, 20)),
    Kind("outage of an hour", ("everything",), (2, 3), (10, 30)),
)
_OTHERS = 8
"""For so many kills of each process, every other fault comes to each of its targets once."""
CALM = 0.1
"""The part of the mails before the first strike, and behind the last: something has to be under way."""


@dataclass(frozen=True)
class Strike:
    """One fault: once so many mails are written, for so many seconds. `seed` is for all else in it."""

    after: int
    kind: str
    target: str
    seconds: float
    seed: int

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"


def plan(seed: int, mails: int, kills: int, *, full: bool = True) -> list[Strike]:
    """The strikes of a run, in their order: `kills` of each process, and of the others a part of that.

    The same arguments give the same plan. Targets take turns, so that none is left out.
    """
    chance = random.Random(seed)
    strikes = []
    for kind in KINDS:
        number = (
            kills * len(kind.targets) if kind.name == KILL else max(1, kills * len(kind.targets) // _OTHERS)
        )
        turns = chance.sample(kind.targets, len(kind.targets))
        for turn in range(number):
            after = round(mails * chance.uniform(CALM, 1 - CALM))
            seconds = chance.uniform(*(kind.full if full else kind.brief))
            target = turns[turn % len(turns)]
            strikes.append(Strike(after, kind.name, target, round(seconds, 2), chance.getrandbits(32)))
    return sorted(strikes, key=lambda strike: strike.after)
