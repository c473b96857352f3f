"""A component that looks for work again and again, and outlasts whatever goes wrong meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.failure import is_transient, sentence
from shared.logs import get_logger

LONGEST_PAUSE_SECONDS = 30.0

log = get_logger(__name__)


class Polling:
    """Looks until cancelled: at once again after a look that found more, else after a pause.

    What goes wrong passes or is written down; pauses grow meanwhile, and `trouble` says why.
    """

    def __init__(self, name: str, look: Callable[[], Awaitable[bool]], *, seconds: float) -> None:
        """`name` is what is looked for, as logs call it; `look` returns whether there may be more at once."""
        self._name = name
        self._look = look
        self._seconds = seconds
        self.trouble: str | None = None

    async def run(self) -> None:
        """Look again and again."""
        failures = 0
        while True:
            pause = self._seconds
            try:
                if await self._look():
                    pause = 0.0
                failures, self.trouble = 0, None
            except Exception as error:
                failures += 1
                pause = min(LONGEST_PAUSE_SECONDS, self._seconds * 2.0 ** min(failures, 6))
                self.trouble = f"{self._name.capitalize()} wait: {sentence(error)}"
                if is_transient(error):
                    log.warning(f"{self._name} wait", reason=sentence(error))
                else:
                    log.exception(f"{self._name} failed")
            await asyncio.sleep(pause)
