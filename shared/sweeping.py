"""Deletes objects of the blob store that nothing refers to any more, and those whose transaction never ended.

An object is put before the transaction that refers to it, and the store knows no locks. So an object is first
doomed, in a table: whoever refers to it after that finds it there (`spare`) and puts it once more. It is then
deleted in a second step unless it is young: whoever put it before it was doomed has made it so.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.blobs import BlobStore
from shared.postgres import Connection
from shared.retention import Rule
from shared.settings import ServiceSettings
from shared.unit_of_work import UnitOfWork

Referred = Callable[[Connection, Collection[str]], Awaitable[set[str]]]
"""Those of some objects that a row of the service refers to."""

_DOOM = """
INSERT INTO doomed_objects (object, doomed_at) SELECT object, $2 FROM unnest($1::text[]) AS gone (object)
ORDER BY object
ON CONFLICT (object) DO UPDATE SET doomed_at = $2, swept_at = NULL
"""
_SPARE = "DELETE FROM doomed_objects WHERE object = ANY($1::text[]) RETURNING object"
_DOOMED = """
SELECT object FROM doomed_objects WHERE swept_at IS NULL ORDER BY doomed_at LIMIT $1 FOR UPDATE SKIP LOCKED
"""
_SWEPT = "UPDATE doomed_objects SET swept_at = $2 WHERE object = ANY($1::text[])"
_FORGET = "DELETE FROM doomed_objects WHERE swept_at < $1"
_ORGANISATIONS = "SELECT organisation FROM organisation_applied ORDER BY organisation"


async def doom(connection: Connection, objects: Collection[str], now: datetime) -> None:
    """These may be gone at any time after the commit; what is still referred to then stays."""
    if objects:
        await connection.execute(_DOOM, sorted(set(objects)), now)


async def spare(connection: Connection, objects: Collection[str]) -> set[str]:
    """Refer to these objects from this transaction on; those that have to be put again before it commits."""
    if not objects:
        return set()
    return {row["object"] for row in await connection.fetch(_SPARE, sorted(set(objects)))}


@dataclass(slots=True)
class Sweeper:
    """Sweeps one service's objects. `referred` says what is needed, `listed` when all were last looked at."""

    blobs: BlobStore
    referred: Referred
    spared: timedelta
    listed: datetime | None = None

    async def sweep(self, work: UnitOfWork, before: datetime, limit: int) -> int:
        """Delete a page of doomed objects that were last put before this time; how many were looked at."""
        if self.listed is None or self.listed < before:
            await self._doom_orphans(work, before, limit)
            self.listed = before + self.spared
        async with work.begin() as batch:
            connection = batch.connection
            await connection.execute(_FORGET, before)
            doomed = [row["object"] for row in await connection.fetch(_DOOMED, limit)]
            needed = await self.referred(connection, doomed)
            found = await self.blobs.look_many([each for each in doomed if each not in needed])
            young = {each.object for each in found if each.last_modified >= before}
            gone = [each for each in doomed if each not in needed and each not in young]
            await spare(connection, needed | young)
            await self.blobs.delete(gone)
            await connection.execute(_SWEPT, gone, batch.now)
            return len(doomed)

    async def count(self, connection: Connection, before: datetime) -> int:
        """How many objects there are that could go."""
        number = 0
        for row in await connection.fetch(_ORGANISATIONS):
            async for page in self._old(row["organisation"], before, 1000):
                number += len(await self._unknown(connection, page))
        return number

    async def _doom_orphans(self, work: UnitOfWork, before: datetime, limit: int) -> None:
        """Doom what no row refers to although it is old: a transaction that was never committed left it."""
        async with work.begin() as batch:
            organisations = [row["organisation"] for row in await batch.connection.fetch(_ORGANISATIONS)]
        for organisation in organisations:
            async for page in self._old(organisation, before, limit):
                async with work.begin() as batch:
                    await doom(batch.connection, await self._unknown(batch.connection, page), batch.now)

    async def _unknown(self, connection: Connection, page: Sequence[str]) -> list[str]:
        needed = await self.referred(connection, page)
        return [each for each in page if each not in needed]

    async def _old(self, organisation: str, before: datetime, limit: int) -> AsyncIterator[list[str]]:
        """What was last put before this time, in pages."""
        page: list[str] = []
        async for stored in self.blobs.list(organisation):
            if stored.last_modified < before:
                page.append(stored.object)
            if len(page) >= limit:
                yield page
                page = []
        yield page


def blob_rule(settings: ServiceSettings, blobs: BlobStore, referred: Referred) -> Rule:
    """The sweep as a rule of a service that has objects."""
    spared = timedelta(hours=settings.orphans_hours)
    sweeper = Sweeper(blobs, referred, spared)
    return Rule("blobs", "blobs that nothing refers to", spared, sweeper.count, sweeper.sweep)
