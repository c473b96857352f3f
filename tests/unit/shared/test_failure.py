"""Whose fault an error is, and what becomes of a record that is to blame (design §3)."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest
from asyncpg.exceptions._base import DataError as InputError  # asyncpg.DataError is the server's
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts import dead_letters
from shared.failure import FamilyMoved, Transient, dead_letter, is_transient, isolate, outlast, sentence
from shared.outbox import MAX_DEAD_LETTER_BYTES, pack_headers, unpack_headers
from shared.postgres import PoolBusy
from tests.support.notes import NoteMade, Raw, made


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (asyncpg.SerializationError("40001"), True),
        (asyncpg.DeadlockDetectedError("40P01"), True),
        (asyncpg.DiskFullError("53100"), True),
        (asyncpg.TooManyConnectionsError("53300"), True),
        (asyncpg.AdminShutdownError("57P01"), True),
        (asyncpg.CannotConnectNowError("57P03"), True),
        (asyncpg.QueryCanceledError("57014"), True),
        (asyncpg.PostgresIOError("58030"), True),
        (asyncpg.ConnectionDoesNotExistError("08003"), True),
        (asyncpg.LockNotAvailableError("55P03"), True),
        (asyncpg.ReadOnlySQLTransactionError("25006"), True),
        (asyncpg.InvalidCachedStatementError("0A000"), True),
        (asyncpg.IdleInTransactionSessionTimeoutError("25P03"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InterfaceError("pool is closing"), True),
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (PoolBusy(), True),
        (Transient("away"), True),
        (FamilyMoved(), True),
        (asyncpg.UniqueViolationError("23505"), False),
        (asyncpg.UndefinedColumnError("42703"), False),
        (asyncpg.NumericValueOutOfRangeError("22003"), False),
        (asyncpg.ProgramLimitExceededError("54000"), False),
        (asyncpg.InterfaceError("cannot perform operation: another operation is in progress"), False),
        (asyncpg.DataError("22000"), False),
        (InputError("invalid input for query argument $1: 'the case is closed'"), False),
        (ValueError("a bug"), False),
        (AssertionError(), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_only_what_passes_by_itself_is_waited_out(error: Exception, passes: bool) -> None:
    assert is_transient(error) is passes


@given(st.integers(min_value=0, max_value=40), st.sets(st.integers(min_value=0, max_value=39)))
def test_culprits_stand_alone_and_the_rest_is_done_in_order(number: int, poison: set[int]) -> None:
    done: list[int] = []
    blamed: list[int] = []
    attempts = 0

    async def attempt(part: Sequence[int]) -> None:
        nonlocal attempts
        attempts += 1
        if poison & set(part):
            raise ValueError
        done.extend(part)

    async def blame(item: int, error: Exception) -> None:
        blamed.append(item)

    asyncio.run(isolate(attempt, range(number), blame))
    assert done == [item for item in range(number) if item not in poison]
    assert blamed == sorted(poison & set(range(number)))
    assert attempts <= 1 + 2 * len(blamed) * max(1, number.bit_length())


async def test_an_error_that_passes_is_not_taken_in_halves() -> None:
    async def attempt(part: Sequence[int]) -> None:
        raise Transient("away")

    async def blame(item: int, error: Exception) -> None:
        raise AssertionError(item)

    with pytest.raises(Transient):
        await isolate(attempt, range(8), blame)


async def test_waiting_tells_each_failure_and_ends_with_success() -> None:
    heard: list[int] = []
    failures = [Transient(), ConnectionResetError(), FamilyMoved()]

    async def work() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert await outlast(work, notice=lambda error, attempt: heard.append(attempt)) == "done"
    assert heard == [1, 2, 3]


def test_a_sentence_about_a_validation_error_does_not_quote_the_input() -> None:
    with pytest.raises(ValidationError) as caught:
        NoteMade.model_validate_json('{"text": ["jane.doe@example.org"]}')
    assert sentence(caught.value) == "text: Input should be a valid string"


def test_a_sentence_can_be_stored_whatever_the_error_quotes() -> None:
    """A dead letter that cannot be written would hold its partition up for ever."""
    error = ValueError("half a character \ud83d and \0")
    assert sentence(error) == "ValueError: half a character ? and \ufffd"
    assert dead_letter(made(7, "x"), "ingest.notes", error, "ingest.dlq.v1").value


def test_a_second_death_replaces_the_first_ones_reasons() -> None:
    first = dead_letter(made(7, "x"), "ingest.notes", ValueError("one"), "ingest.dlq.v1")
    again = Raw(0, first.value, tuple(unpack_headers(first.headers)), topic="ingest.dlq.v1")
    second = dict(unpack_headers(dead_letter(again, "ingest.again", ValueError("two"), "t").headers))
    assert second[dead_letters.ORIGINAL_TOPIC] == b"ingest.dlq.v1"
    assert second[dead_letters.EXCEPTION_MESSAGE] == b"ValueError: two"
    assert second["ce_id"] == b"0/7"


def test_a_dead_letter_always_fits() -> None:
    """Kafka's client takes no record without key and value, Kafka none over the topic's limit."""
    hollow = dead_letter(Raw(0, None, (), key=None), "c", ValueError(), "t")
    assert hollow.value == b""
    for key, value in ((b"acme/note", None), (None, b"")):
        raw = Raw(0, b"x" * (MAX_DEAD_LETTER_BYTES + 1), (), key=key)
        assert dead_letter(raw, "c", ValueError(), "t").value == value
    huge = dead_letter(raw, "c", ValueError(), "t")
    assert dict(unpack_headers(huge.headers))[dead_letters.ORIGINAL_OFFSET] == bytes(8)


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=40)), max_size=8))
def test_headers_survive_the_outbox_byte_for_byte(headers: list[tuple[str, bytes]]) -> None:
    assert unpack_headers(pack_headers(headers)) == headers
