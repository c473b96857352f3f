"""Answers to requests, kept for ever: a repeat is answered again with the first one's (design §2)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.activity.store_rows import columns
from shared.postgres import Connection

RequestKey = tuple[str, str, str]
"""Organisation, `ce_source` and `ce_id` of a request."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered. `digest` tells a repeat from another request under the same id."""

    key: RequestKey
    digest: str
    answer: dict[str, Any]


_ANSWERS = """
SELECT organisation, source, id, digest, answer FROM answered_requests
JOIN unnest($1::text[], $2::text[], $3::text[]) AS asked (organisation, source, id)
    USING (organisation, source, id)
"""
_ADD = """
INSERT INTO answered_requests (organisation, source, id, digest, answer, answered_at)
SELECT new.*, $6 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[]) AS new
ON CONFLICT DO NOTHING RETURNING 1
"""


async def answers(connection: Connection, keys: Collection[RequestKey]) -> dict[RequestKey, Answered]:
    """What was answered to these requests; those that were not are left out."""
    if not keys:
        return {}
    found = {}
    for organisation, source, id_, digest, answer in await connection.fetch(_ANSWERS, *columns(keys, 3)):
        key = (organisation, source, id_)
        found[key] = Answered(key, digest, answer)
    return found


async def add(connection: Connection, answered: Collection[Answered], now: datetime) -> bool:
    """Keep answers. False when another transaction answered one of the requests meanwhile."""
    if not answered:
        return True
    rows = sorted((*each.key, each.digest, each.answer) for each in answered)
    return len(await connection.fetch(_ADD, *columns(rows, 5), now)) == len(rows)
