"""The counters that references are numbered from: `100001-T` is an organisation's first (GL-6)."""

from collections.abc import Mapping

from shared.postgres import Connection, columns

FIRST_NUMBER = 100_001
"""Six digits, as people know references."""

_TAKE = """
INSERT INTO reference_counters AS counter (organisation, next_number)
SELECT organisation, $3 + wanted FROM unnest($1::text[], $2::bigint[]) AS asked (organisation, wanted)
ON CONFLICT (organisation) DO UPDATE SET next_number = counter.next_number + excluded.next_number - $3
RETURNING organisation, next_number
"""
_GIVE_BACK = """
UPDATE reference_counters AS counter SET next_number = unused.first
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS unused (organisation, first, next)
WHERE counter.organisation = unused.organisation AND counter.next_number = unused.next
"""
_COUNTED = "SELECT organisation, next_number - 1 AS last FROM reference_counters"
_COUNT_PAST = """
INSERT INTO reference_counters AS counter (organisation, next_number)
SELECT organisation, last + 1 FROM unnest($1::text[], $2::bigint[]) AS given (organisation, last)
ON CONFLICT (organisation) DO UPDATE SET next_number = greatest(counter.next_number, excluded.next_number)
"""


async def take(connection: Connection, wanted: Mapping[str, int]) -> dict[str, range]:
    """As many numbers as each organisation wants, which nobody else gets."""
    rows = await connection.fetch(_TAKE, *columns(sorted(wanted.items()), 2), FIRST_NUMBER)
    return {
        row["organisation"]: range(row["next_number"] - wanted[row["organisation"]], row["next_number"])
        for row in rows
    }


async def give_back(connection: Connection, unused: Mapping[str, range]) -> None:
    """Numbers that were not needed, up to the end of what was taken; lost where others took more since."""
    rows = [(organisation, left.start, left.stop) for organisation, left in sorted(unused.items())]
    await connection.execute(_GIVE_BACK, *columns(rows, 3))


async def counted(connection: Connection) -> dict[str, int]:
    """The last number that each organisation has given, or taken and not given back."""
    rows = await connection.fetch(_COUNTED)
    return {row["organisation"]: row["last"] for row in rows}


async def count_past(connection: Connection, given: Mapping[str, int]) -> None:
    """These numbers were given before: go on behind them."""
    if given:
        await connection.execute(_COUNT_PAST, *columns(sorted(given.items()), 2))
