"""References are numbered without waiting for each other, and none is given twice (GL-6)."""

import asyncio
from contextlib import suppress

import pytest

from services.activity.numbers import Numbers, pool_of_numbers
from services.activity.store_numbers import FIRST_NUMBER
from shared.postgres import opened
from tests.support.databases import Database
from tests.support.office import HELP, Office, received


async def test_what_a_batch_did_not_need_is_given_to_the_next(office: Office) -> None:
    numbers = Numbers(office.pool)
    async with numbers.taken({"acme": 3, "other": 1}) as blocks:
        assert [next(blocks["acme"]), next(blocks["other"])] == [FIRST_NUMBER, FIRST_NUMBER]
    async with numbers.taken({"acme": 2}) as blocks:
        assert [next(blocks["acme"]), next(blocks["acme"])] == [FIRST_NUMBER + 1, FIRST_NUMBER + 2]


async def test_a_batch_that_fails_gives_all_back(office: Office) -> None:
    numbers = Numbers(office.pool)
    with suppress(TimeoutError):
        async with numbers.taken({"acme": 3}) as blocks:
            next(blocks["acme"])
            raise TimeoutError
    async with numbers.taken({"acme": 1}) as blocks:
        assert next(blocks["acme"]) == FIRST_NUMBER


async def test_batches_do_not_wait_for_each_other_and_share_no_number(office: Office) -> None:
    """What others took meanwhile keeps the rest from being given back: a gap, and no number twice."""
    numbers = Numbers(office.pool)
    async with numbers.taken({"acme": 2}) as first, numbers.taken({"acme": 2}) as second:
        given = [next(first["acme"]), next(second["acme"]), next(second["acme"])]
    async with numbers.taken({"acme": 1}) as third:
        given.append(next(third["acme"]))
    assert given == [FIRST_NUMBER + each for each in (0, 2, 3, 4)]


async def test_a_batch_that_asks_for_more_than_it_said_is_refused(office: Office) -> None:
    async with Numbers(office.pool).taken({"acme": 1}) as blocks:
        next(blocks["acme"])
        with pytest.raises(IndexError):
            next(blocks["acme"])


async def test_many_batches_at_once_share_one_connection(office: Office, database: Database) -> None:
    async with opened(pool_of_numbers(database.dsn_of("activity"), schema="activity")) as pool:
        numbers = Numbers(pool)
        given: list[int] = []

        async def batch() -> None:
            async with numbers.taken({"acme": 2}) as blocks:
                given.append(next(blocks["acme"]))
                await asyncio.sleep(0)
                given.append(next(blocks["acme"]))

        await asyncio.gather(*(batch() for _ in range(20)))
    assert sorted(given) == list(range(FIRST_NUMBER, FIRST_NUMBER + 40))


async def test_a_mail_that_finds_its_ticket_takes_no_number(office: Office) -> None:
    await office.take_in(received(message_id="1@harbour.test"))
    await office.take_in(received(message_id="2@harbour.test", to=[HELP], in_reply_to="1@harbour.test"))
    await office.take_in(received(message_id="3@harbour.test", conversation="f" * 16))
    found = await office.pool.fetch("SELECT reference FROM activities ORDER BY number")
    assert [row["reference"] for row in found] == ["100001-T", "100002-T"]
