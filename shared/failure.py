"""What failed, and whose fault it was: errors that pass, records that are to blame, dead letters.

An error that passes (`is_transient`) is waited out and never blames a record. Anything else is a bug of
ours or its sender's fault: it costs the one record that causes it, which goes to the dead letters with its
bytes and the reason.
"""

import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from pydantic import ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay, stop_never
from tenacity.stop import stop_base
from tenacity.wait import wait_base, wait_random, wait_random_exponential

from shared import postgres
from shared.contracts import dead_letters
from shared.outbox import MAX_DEAD_LETTER_BYTES, RecordTooLarge, Row, check_size, pack_headers

LONGEST_PAUSE_SECONDS = 30.0
_MESSAGE_CHARACTERS = 2_000
_STACKTRACE_CHARACTERS = 16_000

T = TypeVar("T")


class Transient(Exception):
    """Raised by a handler when something it needs is away: the batch is begun again later."""


class SendersFault(Exception):
    """A record speaks of what there is not. It costs itself, and tells nothing about a bug of ours."""


class FamilyMoved(Exception):
    """A merge moved a lock root between looking it up and locking it: the batch is begun again at once."""


class RawRecord(Protocol):
    """What comes from Kafka; aiokafka's `ConsumerRecord` is one. `timestamp` is in ms since 1970."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


def is_transient(error: BaseException) -> bool:
    """Whether waiting may help: what `postgres.is_transient` says, and our own two."""
    return isinstance(error, Transient | FamilyMoved) or postgres.is_transient(error)


class _Pause(wait_base):
    """Grows and is jittered, but for a moved family, which is only stepped around."""

    def __init__(self) -> None:
        self._moved = wait_random(0, 0.02)
        self._away = wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE_SECONDS, min=0.05)

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        # A family cannot move often; if it seems to, something is wrong and the pauses grow like any other's.
        moved = isinstance(error, FamilyMoved) and retry_state.attempt_number < 10
        return (self._moved if moved else self._away)(retry_state)


def ignore(error: BaseException, attempt: int) -> None:
    """For those who need not hear of a failed attempt."""


async def outlast(
    work: Callable[[], Awaitable[T]],
    *,
    patience: float | None = None,
    notice: Callable[[BaseException, int], None] = ignore,
) -> T:
    """Do `work`, and do it again for as long as its errors are transient.

    `patience` is in seconds, None waits for ever; `notice` hears of each failed attempt. Raises the last
    error when patience ends, and every other error at once.
    """

    def noticed(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error is not None:
            notice(error, state.attempt_number)

    stop: stop_base = stop_never if patience is None else stop_after_delay(patience)
    retrying = AsyncRetrying(
        retry=retry_if_exception(is_transient), wait=_Pause(), stop=stop, before_sleep=noticed, reraise=True
    )

    async def once() -> T:  # tenacity asks whether it is given a coroutine function
        return await work()

    return await retrying(once)


async def isolate(
    attempt: Callable[[Sequence[T]], Awaitable[None]],
    items: Sequence[T],
    blame: Callable[[T, Exception], Awaitable[None]],
) -> None:
    """Work on `items` in order; after an error, in halves, until the culprit stands alone and is blamed.

    `attempt` is all or nothing. For n items and one culprit that is at most 2·log2(n) more attempts.
    """
    waiting = [items]
    while waiting:
        part = waiting.pop()
        if not part:
            continue
        try:
            await attempt(part)
        except Exception as error:
            if is_transient(error):
                raise
            if len(part) == 1:
                await blame(part[0], error)
            else:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]


def sentence(error: BaseException) -> str:
    """One line about an error, for people and tables: without the input that a validation error quotes."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        more = error.error_count() - 1
        return f"{place or 'record'}: {first['msg']}" + (f" (and {more} more)" if more else "")
    # Whatever an error quotes, its sentence can be stored: no NUL, no half characters.
    legible = str(error).encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    text = legible.strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def dead_letter(record: RawRecord, consumer: str, error: BaseException, topic: str) -> Row:
    """The record as it goes to the dead-letter topic: its own key, bytes and headers, and the reason.

    Numbers are big-endian like Spring's, whose header names these are: 4 bytes for the partition, 8 for
    offset and timestamp. A second death replaces the headers of the first.
    """
    reason = [
        (dead_letters.ORIGINAL_TOPIC, record.topic.encode()),
        (dead_letters.ORIGINAL_PARTITION, record.partition.to_bytes(4)),
        (dead_letters.ORIGINAL_OFFSET, record.offset.to_bytes(8)),
        (dead_letters.ORIGINAL_TIMESTAMP, max(record.timestamp, 0).to_bytes(8)),
        (dead_letters.ORIGINAL_CONSUMER_GROUP, consumer.encode()),
        (dead_letters.EXCEPTION_CLASS, _class_name(error).encode()),
        (dead_letters.EXCEPTION_MESSAGE, sentence(error)[:_MESSAGE_CHARACTERS].encode()),
        (dead_letters.EXCEPTION_STACKTRACE, _stacktrace(error).encode()),
    ]
    added = {name for name, _ in reason}
    original = [(name, value) for name, value in record.headers if name not in added]
    # Kafka's client takes no record that has neither key nor value.
    empty = b"" if record.key is None else None
    value = empty if record.value is None else record.value
    letter = Row(topic, record.key, value, pack_headers([*original, *reason]))
    try:
        check_size(letter, MAX_DEAD_LETTER_BYTES)
    except RecordTooLarge:
        # Only a topic whose own limit was raised by hand holds such a record; there it still stands.
        return Row(topic, record.key, empty, pack_headers(reason))
    return letter


def _class_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _stacktrace(error: BaseException) -> str:
    """Where it happened, the innermost frames; the message stands in a header of its own, without input."""
    return "".join(traceback.format_tb(error.__traceback__))[-_STACKTRACE_CHARACTERS:]
