"""SQL of the configuration: who applied what, and what is still stood on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.postgres import Connection


@dataclass(frozen=True)
class AppliedRow:
    """The version in force and the digest of its definition."""

    version: int
    digest: str


@dataclass(frozen=True)
class Use:
    """Something that a definition leaves out, and how many activities stand on it."""

    kind: str
    name: str
    activities: int


# One at a time for each organisation: the second waits, and then sees what the first did.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('configuration/' || $1, 0))"

_HOLD = """
SELECT pg_advisory_xact_lock_shared(hashtextextended('configuration/' || organisation, 0))
FROM unnest($1::text[]) WITH ORDINALITY AS held (organisation, position)
ORDER BY position
"""

_APPLIED = "SELECT version, digest FROM organisation_applied WHERE organisation = $1"

_LOG = """
INSERT INTO configuration_log (organisation, version, digest, actor, applied_at)
VALUES ($1, $2, $3, $4, $5)
"""

# Processes and mailboxes of every activity, because closed ones are answered too (IN-14); queues of those
# that stand in one.
_IN_USE = """
SELECT 'processes' AS kind, process AS name, count(*) AS activities
FROM activities WHERE organisation = $1 AND process <> ALL ($2::text[]) GROUP BY process
UNION ALL
SELECT 'mailboxes', mailbox, count(*)
FROM activities WHERE organisation = $1 AND mailbox <> ALL ($3::text[]) GROUP BY mailbox
UNION ALL
SELECT 'queues', queue, count(*)
FROM activities WHERE organisation = $1 AND queue <> ALL ($4::text[]) GROUP BY queue
ORDER BY 1, 2
"""


async def lock(connection: Connection, organisation: str) -> None:
    """Wait until nobody else applies a configuration of this organisation."""
    await connection.execute(_LOCK, organisation)


async def hold(connection: Connection, organisations: Sequence[str]) -> None:
    """Keep these configurations as they are until this transaction ends; others may hold them, too.

    So nobody takes away a process between its being read here and an activity's standing on it.
    """
    await connection.execute(_HOLD, organisations)


async def applied(connection: Connection, organisation: str) -> AppliedRow | None:
    """What is in force."""
    row = await connection.fetchrow(_APPLIED, organisation)
    return None if row is None else AppliedRow(**row)


async def log(
    connection: Connection, organisation: str, version: int, digest: str, actor: str, at: datetime
) -> None:
    """Write down who applied it."""
    await connection.execute(_LOG, organisation, version, digest, actor, at)


async def in_use(
    connection: Connection,
    organisation: str,
    *,
    processes: list[str],
    mailboxes: list[str],
    queues: list[str],
) -> list[Use]:
    """What activities stand on and none of these lists names."""
    rows = await connection.fetch(_IN_USE, organisation, processes, mailboxes, queues)
    return [Use(**row) for row in rows]
