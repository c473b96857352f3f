"""Wait for a condition, with a deadline: tests never sleep for a time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")


@overload
async def eventually(
    condition: Callable[[], Awaitable[T]], *, deadline: float = ..., every: float = ...
) -> T: ...


@overload
async def eventually(condition: Callable[[], T], *, deadline: float = ..., every: float = ...) -> T: ...


async def eventually(
    condition: Callable[[], Awaitable[T] | T], *, deadline: float = 30.0, every: float = 0.02
) -> T:
    """The first true value of `condition`, which may be a coroutine function.

    An `AssertionError` in it counts as not yet. `deadline` and `every` (the pause between two looks) are in
    seconds. Raises `AssertionError` at the deadline, from the last one.
    """
    last: AssertionError | None = None
    try:
        async with asyncio.timeout(deadline):
            while True:
                try:
                    found = condition()
                    value = await found if inspect.isawaitable(found) else found
                    if value:
                        return value
                except AssertionError as error:
                    last = error
                await asyncio.sleep(every)
    except TimeoutError:
        raise AssertionError(f"not within {deadline:.0f} s: {inspect.getsource(condition).strip()}") from last
