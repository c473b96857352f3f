"""Answers to requests, kept for ever: a repeat is answered again with the first one's (design §2)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.postgres import Connection, columns

RequestKey = tuple[str, str, str]
"""Organisation, `ce_source` and `ce_id` of a request."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered; `asked_at` is its own time, from which its answer's id follows.

    `digest` tells a repeat from another request under the same id.
    """

    key: RequestKey
    asked_at: datetime
    digest: str
    answer: dict[str, Any]


_ANSWERS = """
SELECT organisation, source, id, asked_at, digest, answer FROM answered_requests
JOIN unnest($1::text[], $2::text[], $3::text[]) AS asked (organisation, source, id)
    USING (organisation, source, id)
"""
_ADD = """
INSERT INTO answered_requests (organisation, source, id, asked_at, digest, answer)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::jsonb[])
ON CONFLICT DO NOTHING RETURNING 1
"""


async def answers(connection: Connection, keys: Collection[RequestKey]) -> dict[RequestKey, Answered]:
    """What was answered to these requests; those that were not are left out."""
    if not keys:
        return {}
    rows = await connection.fetch(_ANSWERS, *columns(keys, 3))
    answered = (Answered((row[0], row[1], row[2]), *row[3:]) for row in rows)
    return {each.key: each for each in answered}


async def add(connection: Connection, answered: Collection[Answered]) -> bool:
    """Keep answers. False when another transaction answered one of the requests meanwhile."""
    if not answered:
        return True
    rows = [
        (*each.key, each.asked_at, each.digest, each.answer)
        for each in sorted(answered, key=lambda each: each.key)
    ]
    return len(await connection.fetch(_ADD, *columns(rows, 6))) == len(rows)
