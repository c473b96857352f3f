"""Strands: shares of a batch that are worked on side by side (design §3).

While one strand waits for the database, the other one reckons. A partition is never in two strands, and what
binds partitions together is locked, just as between processes.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from shared.decoding import Entry
from shared.offsets import Place

STRANDS = 2
BATCH_RECORDS = 500
"""Records of one transaction at most."""
WORTH_A_STRAND = 50
"""Records that are worth a transaction of their own."""


async def side_by_side(
    entries: Sequence[Entry], work: Callable[[int, list[Sequence[Entry]]], Awaitable[None]]
) -> None:
    """Let `work` do each strand, given by its number and parts of `BATCH_RECORDS` at most, in their order.

    Raises what a strand raises, when all have ended.
    """
    strands = enumerate(_shared_out(entries))
    ends = await asyncio.gather(
        *(work(strand, _parts(share)) for strand, share in strands), return_exceptions=True
    )
    for end in ends:
        if end is not None:
            raise end


def _shared_out(entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    """The entries by partition, in strands that are about equal; a small batch stays as it is."""
    number = min(STRANDS, len(entries) // WORTH_A_STRAND)
    if number < 2:
        return [entries]
    partitions: dict[Place, list[Entry]] = defaultdict(list)
    for entry in entries:
        partitions[Place(entry.raw.topic, entry.raw.partition)].append(entry)
    strands: list[list[Entry]] = [[] for _ in range(number)]
    for share in sorted(partitions.values(), key=len, reverse=True):
        min(strands, key=len).extend(share)
    return [*strands]


def _parts(entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    return [entries[at : at + BATCH_RECORDS] for at in range(0, len(entries), BATCH_RECORDS)]
