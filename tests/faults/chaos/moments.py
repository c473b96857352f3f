"""The moment to strike: while the target is at work, since whoever is at rest has nothing to lose."""

from collections.abc import Mapping
from contextlib import suppress

from tests.faults.chaos.rest import to_be_read
from tests.faults.chaos.schedule import PARSER
from tests.faults.chaos.world import AWAY, World
from tests.support.waiting import eventually

_SECONDS = 3.0
"""How long a strike waits for its moment, before it takes any other."""
_EVERY = 0.01

PUBLISHING = "SELECT count(*) > 0 FROM outbox WHERE headers NOT LIKE '%mailbox.polled%'"
_SENDING = "SELECT count(*) > 0 FROM outgoing_mails WHERE state = 'sending'"

# Who or what is at work as long as a query to a service's tables says so.
_AT_WORK: Mapping[str, tuple[str, str]] = {
    "activity": ("activity", PUBLISHING),
    "notify": ("notify", _SENDING),
    "kafka": ("ingest", PUBLISHING),
    "postgres": ("activity", PUBLISHING),
    "smtp": ("notify", _SENDING),
}
# Who or what is at work as long as mails lie in the inboxes.
_READS = ("ingest", "imap", "blobs", PARSER)


async def until_at_work(world: World, target: str) -> None:
    """Wait for a process, a line or a server to be at work, but not for ever."""
    if target in _READS:
        with suppress(AssertionError):
            await eventually(lambda: to_be_read(world), deadline=_SECONDS, every=_EVERY)
    elif target in _AT_WORK:
        await until_so(world, *_AT_WORK[target])


async def until_so(world: World, service: str, query: str) -> None:
    """Wait until a query to a service's tables says yes, or they are away, or the time is up."""
    with suppress(AssertionError, *AWAY):
        async with world.mailroom.tables(service) as tables:
            await eventually(lambda: tables.fetchval(query), deadline=_SECONDS, every=_EVERY)
