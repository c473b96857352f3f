"""The numbers of new references: nobody gets one twice, and no batch waits for another's (GL-6).

A counter that is locked until a batch commits lets only one batch of an organisation be worked on at a time.
So numbers are taken for good before the batch reads anything, in a transaction of their own, and what is left
of them is given back, unless somebody has taken more meanwhile. Then, and when a process dies, some are never
given.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from services.activity import store_numbers
from shared.failure import is_transient
from shared.logs import get_logger
from shared.postgres import Pool, acquired, make_pool

log = get_logger(__name__)


class NumbersRanOut(Exception):
    """A batch opens more in this organisation than it said: it has to be begun again with more of them."""

    def __init__(self, organisation: str) -> None:
        super().__init__(organisation)
        self.organisation = organisation


class Block:
    """Consecutive numbers, given one after the other."""

    def __init__(self, numbers: range) -> None:
        self.left = numbers

    def __next__(self) -> int:
        """Raises `IndexError` behind the last one."""
        number, self.left = self.left[0], self.left[1:]
        return number


Blocks = Mapping[str, Block]
"""By organisation."""


class Numbers:
    """Takes numbers for batches. Its pool is nobody else's: who waits in it holds a connection already."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def taken(self, wanted: Mapping[str, int]) -> AsyncIterator[Blocks]:
        """Numbers for a batch; all go back if it fails, and else those that are left."""
        if not wanted:
            yield {}
            return
        async with acquired(self._pool) as connection:
            numbers = await store_numbers.take(connection, wanted)
        blocks = {organisation: Block(each) for organisation, each in numbers.items()}
        try:
            yield blocks
        except BaseException:
            await self._give_back(numbers)
            raise
        await self._give_back({name: block.left for name, block in blocks.items() if block.left})

    async def _give_back(self, unused: Mapping[str, range]) -> None:
        if not unused:
            return
        try:
            async with acquired(self._pool) as connection:
                await store_numbers.give_back(connection, unused)
        except Exception as error:
            # They are lost, and nothing else is: that must not fail a batch, nor hide why one failed.
            if not is_transient(error):
                raise
            log.warning("numbers were not given back", numbers=sum(map(len, unused.values())))


def pool_of_numbers(dsn: str, *, schema: str, password: str | None = None) -> Pool:
    """One connection, whose commits need not reach the disk: that of the batch, which does, comes later."""
    return make_pool(
        dsn,
        schema=schema,
        application="mailroom-activity numbers",
        password=password,
        max_size=1,
        more_settings={"synchronous_commit": "off"},
    )
