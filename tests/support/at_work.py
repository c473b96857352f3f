"""Components of a service, at work in the test's own process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.health import Component


@asynccontextmanager
async def running(*components: Component) -> AsyncIterator[None]:
    """Let them run meanwhile. An `AssertionError` says which ended by itself."""
    tasks = [asyncio.create_task(each.run()) for each in components]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(ended, asyncio.CancelledError), ended
