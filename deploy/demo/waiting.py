"""Waiting for something to become true, with a deadline."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

T = TypeVar("T")

PATIENCE_SECONDS = 60.0


def eventually(look: Callable[[], T | None], what: str) -> T:
    """The first result of `look` that is not None. Raises `TimeoutError` naming `what` if it never comes."""
    retrying = Retrying(
        retry=retry_if_result(lambda result: result is None),
        stop=stop_after_delay(PATIENCE_SECONDS),
        wait=wait_fixed(0.1),
    )
    try:
        found = retrying(look)
    except RetryError:
        raise TimeoutError(f"Waited {PATIENCE_SECONDS:.0f} s for {what}; it did not come.") from None
    assert found is not None
    return found
