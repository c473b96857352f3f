"""Mails and strikes side by side, as planned."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tests.faults.chaos.correspondence import Correspondence
from tests.faults.chaos.rest import LOOK_SECONDS, QUIET_SECONDS, effects
from tests.faults.chaos.schedule import CALM, Strike
from tests.faults.chaos.strikes import carry_out
from tests.faults.chaos.world import World
from tests.support.waiting import eventually

_AT_ONCE = 3
"""Strikes that overlap at most: what one has broken, another hits in the middle of its recovery."""
_BACKLOG = 300
"""Mails without effect so far. More are written only when they do not get fewer for a while."""
_PATIENCE_SECONDS = 3.0
_LARGEST_BATCH = 20
_STOPS_SENDING = ("smtp", "postgres", "notify", "relay", "everything")
"""Targets whose trouble can break off what is under way to the SMTP server."""

Tell = Callable[[str], None]


@dataclass
class Storm:
    """`done` counts strikes by kind and target, `repeats_allowed` the mails that one can have cut off."""

    world: World
    correspondence: Correspondence
    tell: Tell
    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    repeats_allowed: int = 0

    async def last(self, mails: int, strikes: Sequence[Strike]) -> None:
        """Until the last mail is written and the last strike is over."""
        slots = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            await self._write_until(round(mails * CALM))
            with suppress(AssertionError):  # that there is something to answer all the time
                await eventually(self._all_acknowledged, deadline=QUIET_SECONDS, every=LOOK_SECONDS)
            for number, strike in enumerate(strikes, start=1):
                await self._write_until(strike.after)
                await slots.acquire()
                written = len(self.correspondence.written)
                self.tell(f"mail {written} of {mails}, fault {number} of {len(strikes)}: {strike}")
                group.create_task(self._strike(strike, slots))
            await self._write_until(mails)

    async def _strike(self, strike: Strike, slots: asyncio.Semaphore) -> None:
        try:
            under_way = self.world.under_way
            await carry_out(self.world, strike)
            if strike.target in _STOPS_SENDING:
                self.repeats_allowed += max(under_way, self.world.under_way)
            self.done[strike.kind, strike.target] += 1
        finally:
            slots.release()

    async def _write_until(self, number: int) -> None:
        correspondence = self.correspondence
        while (missing := number - len(correspondence.written)) > 0:
            batch = correspondence.chance.randint(1, _LARGEST_BATCH)
            await correspondence.write(min(missing, batch))
            with suppress(AssertionError):
                await eventually(self._keeps_up, deadline=_PATIENCE_SECONDS, every=LOOK_SECONDS)

    async def _keeps_up(self) -> bool:
        behind = self.correspondence.owed - await effects(self.world)
        return max(behind, self._unacknowledged()) <= _BACKLOG

    def _all_acknowledged(self) -> bool:
        return self._unacknowledged() == 0

    def _unacknowledged(self) -> int:
        self.correspondence.hear()
        return self.correspondence.acknowledgements_owed - self.correspondence.acknowledged
