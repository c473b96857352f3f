"""Cases that need attention: how many, and since when the oldest does (C6)."""

from dataclasses import dataclass
from datetime import datetime

from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class Needing:
    """The Cases that need attention, and since when the oldest does: of all processes of one name.

    Organisations are not told apart, as in no metric.
    """

    process: str
    cases: int
    since: datetime


# From the index of those few Cases; behind the mark that is looked for little has happened to any of them.
_NEEDING = """
SELECT process, count(*) AS cases, min(marked.at) AS since
FROM activities CROSS JOIN LATERAL (
    SELECT at FROM history
    WHERE history.organisation = activities.organisation AND history.activity = activities.id
      AND history.type = 'case.attention_marked'
    ORDER BY history.version DESC LIMIT 1
) AS marked
WHERE kind = 'case' AND activities.status <> 'closed' AND course ->> 'attention' = 'true'
GROUP BY process ORDER BY process
"""


async def needing(connection: Connection) -> list[Needing]:
    """By process."""
    return [Needing(*row) for row in await connection.fetch(_NEEDING)]
