"""SQL of the configuration: who applied what. What still stands on it is in `store_uses.py`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.postgres import Connection


@dataclass(frozen=True)
class AppliedRow:
    """The version in force and the digest of its definition."""

    version: int
    digest: str


# One at a time for each organisation: the second waits, and then sees what the first did.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('configuration/' || $1, 0))"

_HOLD = """
SELECT CASE WHEN organisation = ANY ($2::text[])
    THEN pg_advisory_xact_lock(hashtextextended('configuration/' || organisation, 0))
    ELSE pg_advisory_xact_lock_shared(hashtextextended('configuration/' || organisation, 0)) END
FROM unnest($1::text[]) WITH ORDINALITY AS held (organisation, position)
ORDER BY position
"""

_APPLIED = "SELECT version, digest FROM organisation_applied WHERE organisation = $1"

_LOG = """
INSERT INTO configuration_log (organisation, version, digest, actor, applied_at)
VALUES ($1, $2, $3, $4, $5)
"""


async def lock(connection: Connection, organisation: str) -> None:
    """Wait until nobody else applies a configuration of this organisation."""
    await connection.execute(_LOCK, organisation)


async def hold(connection: Connection, organisations: Sequence[str], alone: Collection[str] = ()) -> None:
    """Keep these configurations as they are until this transaction ends; others may hold them, too.

    So nobody takes away a process between its being read here and an activity's standing on it. Those that
    are held `alone` nobody else holds: all other work of the organisation waits.
    """
    await connection.execute(_HOLD, organisations, sorted(alone))


async def applied(connection: Connection, organisation: str) -> AppliedRow | None:
    """What is in force."""
    row = await connection.fetchrow(_APPLIED, organisation)
    return None if row is None else AppliedRow(**row)


async def log(
    connection: Connection, organisation: str, version: int, digest: str, actor: str, at: datetime
) -> None:
    """Write down who applied it."""
    await connection.execute(_LOG, organisation, version, digest, actor, at)
