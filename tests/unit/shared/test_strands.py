"""Large batches are worked on side by side, and no partition in two places (design §3)."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decoding import Entry, Incoming
from shared.strands import BATCH_RECORDS, STRANDS, WORTH_A_STRAND, side_by_side
from tests.support.notes import NoteMade, Raw, envelope

Parts = list[Sequence[Entry]]


def entry(partition: int, offset: int) -> Entry:
    """A record of a partition."""
    made = Incoming(envelope(f"{partition}/{offset}"), NoteMade(text="a"))
    return Entry(Raw(offset, b"{}", (), partition=partition), made)


def entries(sizes: Sequence[int]) -> list[Entry]:
    """So many records of each partition, as Kafka's client hands them over."""
    return [entry(partition, offset) for partition, size in enumerate(sizes) for offset in range(size)]


async def worked_on(batch: Sequence[Entry]) -> list[Parts]:
    """The parts of each strand."""
    strands: dict[int, Parts] = {}

    async def work(strand: int, parts: Parts) -> None:
        strands[strand] = parts

    await side_by_side(batch, work)
    return [strands[strand] for strand in sorted(strands)]


@given(st.lists(st.integers(0, 300), min_size=1, max_size=12))
def test_each_record_is_in_one_strand_and_a_partition_in_its_order(sizes: list[int]) -> None:
    batch = entries(sizes)
    strands = asyncio.run(worked_on(batch))
    assert len(strands) <= STRANDS
    assert all(0 < len(part) <= BATCH_RECORDS for parts in strands for part in parts)
    found = [[each for part in parts for each in part] for parts in strands]
    for partition, size in enumerate(sizes):
        places = [
            (strand, each.raw.offset)
            for strand, share in enumerate(found)
            for each in share
            if each.raw.partition == partition
        ]
        assert [offset for _, offset in places] == list(range(size))
        assert len({strand for strand, _ in places}) <= 1


@given(st.lists(st.integers(40, 80), min_size=4, max_size=12))
def test_partitions_that_are_alike_are_shared_out_evenly(sizes: list[int]) -> None:
    loads = [sum(map(len, parts)) for parts in asyncio.run(worked_on(entries(sizes)))]
    assert len(loads) == STRANDS
    assert max(loads) - min(loads) <= max(sizes)


async def test_a_small_batch_is_one_transaction() -> None:
    batch = entries([WORTH_A_STRAND, WORTH_A_STRAND - 1])
    assert await worked_on(batch) == [[batch]]


async def test_one_strand_reckons_while_the_other_one_waits() -> None:
    met = asyncio.Barrier(STRANDS)

    async def work(strand: int, parts: Parts) -> None:
        async with asyncio.timeout(10):
            await met.wait()

    await side_by_side(entries([WORTH_A_STRAND] * STRANDS), work)


async def test_what_one_strand_raises_is_raised_when_all_have_ended() -> None:
    ended: list[int] = []
    failed = asyncio.Event()

    async def work(strand: int, parts: Parts) -> None:
        if strand == 0:
            failed.set()
            raise ValueError("a bug of ours")
        await failed.wait()
        ended.append(strand)

    with pytest.raises(ValueError, match="a bug of ours"):
        await side_by_side(entries([WORTH_A_STRAND] * STRANDS), work)
    assert ended == [1]
