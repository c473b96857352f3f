"""Answers to requests, kept for ever: a repeat is answered again with the first one's (design §2)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from services.activity.store_rows import add_new
from shared.contracts.envelope import Envelope
from shared.postgres import Connection, Json, columns

RequestKey = tuple[str, str, str]
"""Organisation, `ce_source` and `ce_id` of a request."""


def key_of(request: Envelope) -> RequestKey:
    """What a request is known by when it is repeated."""
    return request.organisation, request.source, request.id


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered; `asked_at` is its own time, from which its answer's id follows.

    `digest` tells a repeat from another request under the same id. `answer` is what was published.
    """

    key: RequestKey
    asked_at: datetime
    digest: str
    answer: Json

    @property
    def told(self) -> dict[str, Any]:
        """The answer, read."""
        read: dict[str, Any] = from_json(self.answer)
        return read


_ANSWERS = """
SELECT organisation, source, id, asked_at, digest, answer::text FROM answered_requests
JOIN unnest($1::text[], $2::text[], $3::text[]) AS asked (organisation, source, id)
    USING (organisation, source, id)
"""
_NAMES = ("organisation", "source", "id", "asked_at", "digest", "answer")


async def answers(connection: Connection, keys: Collection[RequestKey]) -> dict[RequestKey, Answered]:
    """What was answered to these requests; those that were not are left out."""
    if not keys:
        return {}
    rows = await connection.fetch(_ANSWERS, *columns(keys, 3))
    answered = (
        Answered((row[0], row[1], row[2]), row["asked_at"], row["digest"], Json(row["answer"].encode()))
        for row in rows
    )
    return {each.key: each for each in answered}


async def add(connection: Connection, answered: Collection[Answered]) -> None:
    """Keep answers. Raises `FamilyMoved` when another transaction answered one of the requests meanwhile."""
    rows = [
        (*each.key, each.asked_at, each.digest, each.answer)
        for each in sorted(answered, key=lambda each: each.key)
    ]
    await add_new(connection, "answered_requests", _NAMES, rows)
