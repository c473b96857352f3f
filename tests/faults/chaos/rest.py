"""Whether all has come to rest: what is there, and what is left to do."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from deploy.instance import SERVICES
from tests.faults.chaos.correspondence import Correspondence
from tests.faults.chaos.world import AWAY, World

LOOK_SECONDS = 1.0
"""What all servers are reached through runs in this process too, and comes to a stand while it looks."""
QUIET_SECONDS = 150.0
"""Without any progress for so long, nothing more will come: every pause of ours is shorter."""

_EFFECTS = """
SELECT count(*) FROM history
WHERE type IN ('ticket.opened', 'ticket.mail_appended', 'case.opened', 'case.mail_appended')
  AND mail IS NOT NULL
"""
_TO_DO = "SELECT count(*) FROM activities WHERE kind <> 'ticket' AND status NOT IN ('resolved', 'closed')"
_TO_PUBLISH = "SELECT count(*) FROM outbox WHERE headers NOT LIKE '%mailbox.polled%'"
_TO_SEND = "SELECT count(*) FROM outgoing_mails WHERE ended_at IS NULL"
_TO_HEAR_OF = "SELECT count(*) FROM mails WHERE outcome IN ('requested', 'composed', 'deferred')"


async def until_at_rest(world: World, correspondence: Correspondence, tell: Callable[[str], None]) -> None:
    """Until all that is owed is there and nobody has anything left to do, or nothing moves any more."""
    owed = (correspondence.owed, correspondence.acknowledgements_owed)
    last: tuple[int, ...] = ()
    moved = time.monotonic()
    while time.monotonic() - moved < QUIET_SECONDS:
        correspondence.hear()
        there = (await effects(world), correspondence.acknowledged)
        left = sum(await asyncio.gather(*_left(world)))
        if (*there, left) != last:
            last, moved = (*there, left), time.monotonic()
            tell(
                f"{there[0]} of {owed[0]} effects, {there[1]} of {owed[1]} acknowledgements, "
                f"{left} things left to do"
            )
        if all(found >= wanted for found, wanted in zip(there, owed, strict=True)) and not left:
            return
        await asyncio.sleep(LOOK_SECONDS)
    tell("nothing has moved for a long time, although not all is done")


async def effects(world: World) -> int:
    """How many effects there are in the tables; while these are away, none."""
    return await _number(world, "activity", _EFFECTS)


def _left(world: World) -> list[Awaitable[int]]:
    return [
        to_be_read(world),
        *(_number(world, service, _TO_PUBLISH) for service in SERVICES),
        _number(world, "notify", _TO_SEND),
        _number(world, "activity", _TO_HEAR_OF),
        _number(world, "activity", _TO_DO),
    ]


async def to_be_read(world: World) -> int:
    """How many mails lie in the inboxes."""
    users = [mailbox.imap.user for mailbox in world.mailroom.definition.mailboxes]
    return sum(map(world.dovecot.number, users))


async def _number(world: World, service: str, query: str) -> int:
    with suppress(*AWAY):
        async with world.mailroom.tables(service) as tables:
            number: int = await tables.fetchval(query)
            return number
    return 0
