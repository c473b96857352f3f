"""Removes what has been kept long enough: a table of rules for each service, worked through now and then.

A rule removes a page at a time, each in a transaction of its own, and finds in that transaction what is no
longer needed: so it may be killed anywhere, and run twice or by several processes at once. The advisory lock
only spares the others the work.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared import inbox, metrics
from shared.failure import is_transient, sentence
from shared.logs import get_logger
from shared.postgres import Connection, acquired, close_connection, open_connection
from shared.settings import ServiceSettings
from shared.unit_of_work import Batch, UnitOfWork

PAGE = 200
FIRST_SECONDS = 60.0
"""How long a process runs before it looks for the first time."""

_TRY = "SELECT pg_try_advisory_lock(hashtextextended('mailroom.retention.' || current_schema(), 0))"

log = get_logger(__name__)

Count = Callable[[Connection, datetime], Awaitable[int]]
"""How many there are that were done with before this time."""
Page = Callable[[UnitOfWork, datetime, int], Awaitable[int]]
"""Remove at most so many of them, each whole; how many that were. 0 ends the rule for this time."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is kept for how long. `keep` is None for what is kept for ever.

    `name` is the metric's label, `what` stands in the list that people are shown.
    """

    name: str
    what: str
    keep: timedelta | None
    count: Count
    page: Page


@dataclass(frozen=True, slots=True)
class Removed:
    """What a rule removed, or would remove. `number` is None where all is kept for ever."""

    rule: Rule
    number: int | None


def in_transaction(remove: Callable[[Batch[Any], datetime, int], Awaitable[int]]) -> Page:
    """A page that is one transaction, with what it has to say."""

    async def page(work: UnitOfWork, before: datetime, limit: int) -> int:
        return await work.run(lambda batch: remove(batch, before, limit))

    return page


def in_connection(remove: Callable[[Connection, datetime, int], Awaitable[int]]) -> Page:
    """A page that is one transaction, and has nothing to say."""
    return in_transaction(lambda batch, before, limit: remove(batch.connection, before, limit))


def days(number: int | None) -> timedelta | None:
    """A setting of days as it stands in a rule."""
    return None if number is None else timedelta(days=number)


def inbox_rule(settings: ServiceSettings) -> Rule:
    """What was seen: a partition at a time, without a DELETE. Every service has it."""

    return Rule(
        "inbox", "periods of the inbox", days(settings.inbox_days), inbox.over, in_connection(inbox.drop)
    )


async def remove(
    work: UnitOfWork, rules: Sequence[Rule], *, dry_run: bool = False, page: int = PAGE
) -> AsyncIterator[Removed]:
    """Work through the rules in order; tells what each removed, or with `dry_run` would remove now."""
    for rule in rules:
        if rule.keep is None:
            yield Removed(rule, None)
            continue
        async with acquired(work.pool) as connection:
            before = await work.time(connection) - rule.keep
            if dry_run:
                yield Removed(rule, await rule.count(connection, before))
                continue
        number = 0
        while done := await rule.page(work, before, page):
            metrics.RETENTION_REMOVED.labels(work.service, rule.name).inc(done)
            number += done
        yield Removed(rule, number)


@asynccontextmanager
async def sole(settings: ServiceSettings, service: str) -> AsyncIterator[bool]:
    """Whether nobody else removes anything of this service; then nobody does until this ends."""
    connection = await open_connection(
        settings.postgres_dsn,
        schema=service,
        application=f"mailroom {service} retention",
        password=settings.postgres_password(),
    )
    try:
        yield bool(await connection.fetchval(_TRY))
    finally:
        await close_connection(connection)


class Retention:
    """The component that works through a service's rules now and then."""

    name = "retention"

    def __init__(self, settings: ServiceSettings, work: UnitOfWork, rules: Sequence[Rule]) -> None:
        self._settings = settings
        self._work = work
        self._rules = rules
        metrics.RETENTION_FAILURES.labels(work.service)  # from 0, so that the first one is an increase

    async def run(self) -> None:
        """Until cancelled. What fails is tried again the next time."""
        pause = min(FIRST_SECONDS, self._settings.retention_seconds)
        while True:
            await asyncio.sleep(pause)
            pause = self._settings.retention_seconds
            try:
                await self.look()
            except Exception as error:
                metrics.RETENTION_FAILURES.labels(self._work.service).inc()
                if is_transient(error):
                    log.warning("nothing is removed for now", reason=sentence(error))
                else:
                    log.exception("what was kept long enough could not be removed")

    def not_ready(self) -> str | None:
        """A service works without it."""
        return None

    async def look(self) -> None:
        """Work through the rules once, unless another process is at it."""
        async with sole(self._settings, self._work.service) as alone:
            if not alone:
                return
            async for removed in remove(self._work, self._rules):
                if removed.number:
                    log.info("removed", rule=removed.rule.name, number=removed.number)
