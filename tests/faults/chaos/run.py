"""One run: mails and strikes side by side, then calm, then the account."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from deploy.local.services import SERVICES
from tests.faults.chaos.checker import Damage, Verdict, judge
from tests.faults.chaos.correspondence import Correspondence
from tests.faults.chaos.evidence import gather
from tests.faults.chaos.schedule import CALM, KILL, Strike, plan
from tests.faults.chaos.strikes import carry_out
from tests.faults.chaos.world import AWAY, CONNECTIONS, World
from tests.support.waiting import eventually

_AT_ONCE = 3
"""Strikes that overlap at most: what one has broken, another hits in the middle of its recovery."""
_BACKLOG = 300
"""Mails without effect so far. More are written only when they do not get fewer for a while."""
_PATIENCE_SECONDS = 3.0
_LARGEST_BATCH = 20
_LOOK_SECONDS = 0.2
_QUIET_SECONDS = 150.0
"""Without any progress for so long, nothing more will come: every pause of ours is shorter."""
_STOPS_SENDING = ("smtp", "postgres", "notify", "relay", "everything")
"""Targets whose trouble can cut a mail off that is being sent."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """How large a run is. The same seed plans the same strikes. `full` lets each last as long as in life."""

    mails: int
    seed: int
    kills: int
    full: bool = True


@dataclass(frozen=True)
class Outcome:
    """What a run came to. `ended` are processes that ended by themselves, with their last words."""

    options: Options
    strikes: Counter[tuple[str, str]]
    verdict: Verdict
    mails: int
    repeats_allowed: int
    ended: list[str]
    seconds: float

    @property
    def kills(self) -> int:
        """Processes killed."""
        return sum(number for (kind, _), number in self.strikes.items() if kind == KILL)


async def run(world: World, options: Options, tell: Tell) -> Outcome:
    """Write, strike, wait until all has come to rest, and judge."""
    began = time.monotonic()
    strikes = plan(options.seed, options.mails, options.kills, full=options.full)
    done: Counter[tuple[str, str]] = Counter()
    chance = random.Random(f"letters of {options.seed}")
    async with (
        Correspondence(world.mailroom, world.dovecot, world.sink, chance) as correspondence,
        asyncio.TaskGroup() as group,
    ):
        keeper = group.create_task(world.keep_up())
        await _Storm(world, correspondence, options, strikes, done, tell).last()
        await world.calm()
        await _rest(world, correspondence, tell)
        keeper.cancel()
    repeats_allowed = (
        sum(number for (_, target), number in done.items() if target in _STOPS_SENDING) * CONNECTIONS * 2
    )  # of two processes
    tell("reading mailboxes, tables, topics and the SMTP server's journal")
    verdict = judge(await gather(world, correspondence, repeats_allowed))
    return Outcome(
        options=options,
        strikes=done,
        verdict=verdict,
        mails=len(correspondence.written),
        repeats_allowed=repeats_allowed,
        ended=world.ended,
        seconds=time.monotonic() - began,
    )


@dataclass(frozen=True)
class _Storm:
    """Mails and strikes, as planned."""

    world: World
    correspondence: Correspondence
    options: Options
    strikes: list[Strike]
    done: Counter[tuple[str, str]]
    tell: Tell

    async def last(self) -> None:
        """Until the last mail is written and the last strike is over."""
        slots = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            await self._write_until(round(self.options.mails * CALM))
            with suppress(AssertionError):  # that there is something to answer all the time
                await eventually(self._all_acknowledged, deadline=_QUIET_SECONDS, every=_LOOK_SECONDS)
            for strike in self.strikes:
                await self._write_until(strike.after)
                await slots.acquire()
                self.tell(f"{len(self.correspondence.written)} mails: {strike}")
                group.create_task(self._strike(strike, slots))
            await self._write_until(self.options.mails)

    async def _strike(self, strike: Strike, slots: asyncio.Semaphore) -> None:
        try:
            await carry_out(self.world, strike)
            self.done[strike.kind, strike.target] += 1
        finally:
            slots.release()

    async def _write_until(self, number: int) -> None:
        correspondence = self.correspondence
        while (missing := number - len(correspondence.written)) > 0:
            batch = correspondence.chance.randint(1, _LARGEST_BATCH)
            await correspondence.write(min(missing, batch))
            with suppress(AssertionError):
                await eventually(self._keeps_up, deadline=_PATIENCE_SECONDS, every=_LOOK_SECONDS)

    async def _keeps_up(self) -> bool:
        behind = self.correspondence.owed - await effects(self.world)
        return max(behind, self._unacknowledged()) <= _BACKLOG

    def _all_acknowledged(self) -> bool:
        return self._unacknowledged() == 0

    def _unacknowledged(self) -> int:
        self.correspondence.hear()
        return self.correspondence.acknowledgements_owed - self.correspondence.acknowledged


async def _rest(world: World, correspondence: Correspondence, tell: Tell) -> None:
    """Until all that is owed is there and nobody has anything left to do, or nothing moves any more."""
    tell("all is written; waiting until everything has come to rest")
    owed = (correspondence.owed, correspondence.acknowledgements_owed)
    last: tuple[int, ...] | None = None
    moved = time.monotonic()
    while time.monotonic() - moved < _QUIET_SECONDS:
        correspondence.hear()
        state = (
            await effects(world),
            correspondence.acknowledged,
            *await asyncio.gather(*_rests(world)),
        )
        if state != last:
            last, moved = state, time.monotonic()
            tell(
                f"{state[0]} of {owed[0]} effects, {state[1]} of {owed[1]} acknowledgements; "
                f"left to do: {state[2:]}"
            )
        if state[0] >= owed[0] and state[1] >= owed[1] and not any(state[2:]):
            return
        await asyncio.sleep(_LOOK_SECONDS)
    tell("nothing has moved for a long time, although not all is done")


async def effects(world: World) -> int:
    """How many effects there are in the tables; while these are away, none."""
    return await _number(
        world,
        "activity",
        "SELECT count(*) FROM history WHERE type = 'ticket.mail_appended' OR (type = 'ticket.opened')",
    )


def _rests(world: World) -> list[Awaitable[int]]:
    """What is left to do: mails in inboxes, records to be published, mails to be sent."""
    waiting = "SELECT count(*) FROM outbox WHERE headers NOT LIKE '%mailbox.polled%'"
    return [
        _in_inboxes(world),
        *(_number(world, service, waiting) for service in SERVICES),
        _number(world, "notify", "SELECT count(*) FROM outgoing_mails WHERE ended_at IS NULL"),
        _number(
            world,
            "activity",
            "SELECT count(*) FROM mails WHERE outcome IN ('requested', 'composed', 'deferred')",
        ),
    ]


async def _in_inboxes(world: World) -> int:
    users = [mailbox.imap.user for mailbox in world.mailroom.definition.mailboxes]
    return sum(world.dovecot.folders(user).get("INBOX", 0) for user in users)


async def _number(world: World, service: str, query: str) -> int:
    with suppress(*AWAY):
        async with world.mailroom.tables(service) as tables:
            number: int = await tables.fetchval(query)
            return number
    return 0


def figures(outcome: Outcome) -> dict[str, object]:
    """What is kept of a run."""
    verdict = outcome.verdict
    kinds: Counter[str] = Counter()
    for (kind, _), number in outcome.strikes.items():
        kinds[kind] += number
    return {
        "seed": outcome.options.seed,
        "mails": outcome.mails,
        "kills": outcome.kills,
        **{damage.value: verdict.count(damage) for damage in Damage},
        "smtp_repeats": verdict.smtp_repeats,
        "smtp_repeats_allowed": outcome.repeats_allowed,
        "ended_by_themselves": len(outcome.ended),
        "seconds": round(outcome.seconds),
        "faults": dict(sorted(kinds.items())),
        "faults_by_target": {f"{kind} {target}": n for (kind, target), n in sorted(outcome.strikes.items())},
        "findings": [f"{each.damage}: {each.sentence}" for each in verdict.findings[:200]],
    }
