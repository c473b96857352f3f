"""Many failures in a row are not the records' fault: then only one is risked now and then (design §3)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import uniform

FAILURES_IN_A_ROW = 10
PROBE_SECONDS = 1.0
LONGEST_PROBE_SECONDS = 60.0


class Streak:
    """How many records failed in a row: past the limit it is not the records, it is us.

    Then only one record is tried now and then, instead of emptying the topic into the dead letters. Each
    probe that fails costs its record and makes the next pause longer; one that succeeds ends it.
    """

    def __init__(self, limit: int, pause_seconds: float) -> None:
        self.limit = limit
        self.pause_seconds = pause_seconds
        self.failures = 0
        self._probe = asyncio.Lock()

    @property
    def probing(self) -> bool:
        return self.failures >= self.limit

    def note(self, succeeded: bool) -> None:
        self.failures = 0 if succeeded else self.failures + 1

    def cut(self, outcomes: Sequence[bool]) -> int | None:
        """After how many of `outcomes` the limit is reached with some still to come, if it is."""
        failures = self.failures
        for done, succeeded in enumerate(outcomes[:-1], start=1):
            failures = 0 if succeeded else failures + 1
            if failures == self.limit:
                return done
        return None

    @asynccontextmanager
    async def risked(self) -> AsyncIterator[None]:
        """Around an attempt: at once, or while probing after a pause, and by one strand at a time."""
        if not self.probing:
            yield
            return
        async with self._probe:
            if self.probing:
                await self.pause()
            yield

    async def pause(self) -> None:
        growth = 2.0 ** min(self.failures - self.limit, 10)
        longest = min(LONGEST_PROBE_SECONDS, self.pause_seconds * growth)
        await asyncio.sleep(uniform(longest / 2, longest))  # noqa: S311  jitter, no secret
