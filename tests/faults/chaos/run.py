"""One run: mails and strikes, then calm, then the account."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass

from tests.faults.chaos.checker import Damage, Verdict, judge
from tests.faults.chaos.correspondence import Correspondence
from tests.faults.chaos.evidence import gather
from tests.faults.chaos.facts import opened
from tests.faults.chaos.hands import at_work
from tests.faults.chaos.matters import ERRAND
from tests.faults.chaos.rest import until_at_rest
from tests.faults.chaos.schedule import KILL, plan
from tests.faults.chaos.storm import Storm, Tell
from tests.faults.chaos.world import World

_FINDINGS_KEPT = 200


@dataclass(frozen=True)
class Options:
    """How large a run is. The same seed plans the same strikes. `full` lets each last as long as in life."""

    mails: int
    seed: int
    kills: int
    full: bool = True


@dataclass(frozen=True)
class Outcome:
    """What a run came to: how many mails there were, Cases, Cases under these, calls, approvers asked.

    `ended` are processes that ended by themselves, with their last words.
    """

    options: Options
    strikes: Counter[tuple[str, str]]
    verdict: Verdict
    mails: int
    cases: int
    sub_cases: int
    calls: int
    approvals: int
    repeats_allowed: int
    ended: list[str]
    seconds: float

    @property
    def kills(self) -> int:
        """How often a process, or a relay's session, was killed."""
        return sum(number for (kind, _), number in self.strikes.items() if kind == KILL)


async def run(world: World, options: Options, tell: Tell) -> Outcome:
    """Write, strike, wait until all has come to rest, and judge."""
    began = time.monotonic()
    chance = random.Random(f"letters of {options.seed}")
    async with (
        Correspondence(world.mailroom, world.dovecot, world.sink, chance) as correspondence,
        asyncio.TaskGroup() as group,
    ):
        keeper = group.create_task(world.keep_up())
        storm = Storm(world, correspondence, tell)
        strikes = plan(options.seed, options.mails, options.kills, full=options.full)
        async with at_work(world, options.seed) as hands:
            await storm.last(options.mails, strikes)
            tell("all is written, and nothing is broken any more")
            await world.calm()
            await until_at_rest(world, correspondence, tell)
        keeper.cancel()
    tell("reading mailboxes, tables, topics and the SMTP server's journal")
    evidence = await gather(world, correspondence, hands, storm.repeats_allowed)
    verdict = judge(evidence)
    return Outcome(
        options=options,
        strikes=storm.done,
        verdict=verdict,
        mails=len(correspondence.written),
        cases=len(evidence.cases),
        sub_cases=sum(each.what == opened(ERRAND) for each in evidence.facts_in_tables),
        calls=len(evidence.facts_in_calls),
        approvals=len(evidence.facts_in_mails),
        repeats_allowed=storm.repeats_allowed,
        ended=world.ended,
        seconds=time.monotonic() - began,
    )


def figures(outcome: Outcome) -> dict[str, object]:
    """What is kept of a run."""
    verdict = outcome.verdict
    kinds: Counter[str] = Counter()
    for (kind, _), number in outcome.strikes.items():
        kinds[kind] += number
    return {
        "seed": outcome.options.seed,
        "mails": outcome.mails,
        "cases": outcome.cases,
        "sub_cases": outcome.sub_cases,
        "calls": outcome.calls,
        "approvals": outcome.approvals,
        "kills": outcome.kills,
        **{damage.value: verdict.count(damage) for damage in Damage},
        "smtp_repeats": verdict.smtp_repeats,
        "smtp_repeats_allowed": outcome.repeats_allowed,
        "ended_by_themselves": len(outcome.ended),
        "seconds": round(outcome.seconds),
        "faults": dict(sorted(kinds.items())),
        "faults_by_target": {f"{kind} {target}": n for (kind, target), n in sorted(outcome.strikes.items())},
        "findings": [f"{each.damage}: {each.sentence}" for each in verdict.findings[:_FINDINGS_KEPT]],
    }
