"""Leaves an SMTP server alone for a while when it does not work."""

import asyncio
import random

from services.notify.domain.retry import server_pause
from shared.metrics import SMTP_PAUSED


class Pause:
    """How long to leave the server alone, because it does not work at the moment."""

    def __init__(self, server: str) -> None:
        self.reason: str | None = None
        self.failures = 0
        self._until = 0.0
        self._gauge = SMTP_PAUSED.labels(server)

    def failed(self, reason: str) -> None:
        """Pause, longer each time. Connections that break together are one failure."""
        now = asyncio.get_running_loop().time()
        if now >= self._until:
            self.failures += 1
            jitter = random.uniform(-1, 1)  # noqa: S311  no secret
            self._until = now + server_pause(self.failures, jitter).total_seconds()
        self.reason = reason
        self._gauge.set(1)

    def worked(self) -> None:
        self.reason, self.failures, self._until = None, 0, 0.0
        self._gauge.set(0)

    @property
    def seconds(self) -> float:
        """How long it lasts from now on; 0 when a mail may be tried."""
        return max(0.0, self._until - asyncio.get_running_loop().time())
