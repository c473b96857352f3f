"""How long people wait for lists, for one Ticket, for what they search, and for a step, among very many.

The installation is seeded first (seed.py): a million Tickets unless `--mails` says otherwise. One person asks
one thing after another, so that what is measured is the answer and no queue in front of it.
"""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import httpx

from shared import local_issuer
from shared.auth import Principal
from tests.bench.bench import Bench
from tests.bench.figures import MILLISECONDS, Figure, at_percent, figure
from tests.bench.installation import PATIENCE, Installation, fresh_installation
from tests.bench.passing import Watch, following
from tests.bench.seed import seed

TICKETS, OPEN = 1_000_000, 50_000
ASKED = 500
"""How often each thing is asked."""
WARMING = 30
"""Asked first, and not measured."""


@dataclass(frozen=True)
class Sample:
    """What is asked about: references of open Tickets, of one with many mails, and what titles begin with."""

    open: list[str]
    long: list[str]
    typed: list[str]


async def sample(dsn: str, organisation: str, long: tuple[str, ...]) -> Sample:
    """Drawn from what was seeded; the same for the same seed."""
    chance = random.Random(7)
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "activity"})
    try:
        span = await connection.fetchrow(
            "SELECT min(number), max(number) FROM activities WHERE organisation = $1", organisation
        )
        assert span is not None
        low, top = span
        numbers = [chance.randint(low, top) for _ in range(ASKED)]
        rows = await connection.fetch(
            "SELECT reference, title FROM activities WHERE organisation = $1 AND number = ANY ($2::bigint[])",
            organisation,
            numbers,
        )
        waiting = await connection.fetch(
            "SELECT reference FROM activities WHERE organisation = $1 AND status = 'to_do' LIMIT $2",
            organisation,
            ASKED + WARMING,
        )
        people = await connection.fetch(
            "SELECT first_name, last_name FROM contacts WHERE organisation = $1 LIMIT $2", organisation, ASKED
        )
    finally:
        await connection.close()
    typed: list[str] = []
    for row, person in zip(rows, people, strict=False):
        first, second, *_, last = row["title"].split()
        typed += [first[:3], first[:5], f"{first} {second[:4]}", last, row["reference"][:5], row["reference"]]
        typed.append(f"{person['first_name'][:4]} {person['last_name']}")
    chance.shuffle(typed)
    return Sample([row["reference"] for row in waiting], list(long), typed)


async def answers(client: httpx.AsyncClient, asked: Sample) -> dict[str, list[float]]:
    """Seconds that each answer took, by figure. Raises where one is not what was asked for."""

    async def inbox(number: int) -> None:
        answered(await client.get("/v1/inbox", params={"of": ("mine", "queues")[number % 2], "limit": 50}))

    async def search(number: int) -> None:
        answered(await client.get("/v1/search", params={"q": asked.typed[number % len(asked.typed)]}))

    async def activity(number: int) -> None:
        place = f"/v1/tickets/{asked.long[number % len(asked.long)]}"
        answered(await client.get(place))
        answered(await client.get(f"{place}/timeline", params={"limit": 50}))

    async def step(number: int) -> None:
        place = f"/v1/tickets/{asked.open[number % len(asked.open)]}/steps/note"
        key = {"Idempotency-Key": uuid4().hex}
        answered(await client.post(place, json={"text": "Looked at it."}, headers=key))

    return {
        "inbox_page_p99": await timed(inbox),
        "search_p99": await timed(search),
        "activity_page_p99": await timed(activity),
        "step_http_p99": await timed(step),
    }


async def waiting_people(bench: Bench, _: frozenset[str]) -> dict[str, Figure]:
    """Over HTTP, with activity alone at work."""
    number = bench.number(TICKETS)
    async with fresh_installation(bench.servers) as installation:
        await bench.warm(installation)
        await installation.stop("ingest", "activity")
        organisation = installation.definition.organisation
        dsn = installation.database.dsn_of("activity")
        made = await seed(dsn, organisation, number, min(OPEN, number // 2))
        await installation.start("activity")
        asked = await sample(dsn, organisation, made.long)
        async with somebody(installation, "amelie") as client:
            watch, began = Watch(installation.roots()), time.monotonic()
            async with following(watch):
                took = await answers(client, asked)
            measured = watch.end(sum(map(len, took.values())), time.monotonic() - began)
    return {
        name: figure(
            measured,
            value=1000 * at_percent(seconds, 99),
            unit=MILLISECONDS,
            more={"p50": 1000 * at_percent(seconds, 50), "tickets": made.tickets, "entries": made.entries},
        )
        for name, seconds in took.items()
    }


async def timed(
    ask: Callable[[int], Awaitable[None]],
    often: int = ASKED,
    before: Callable[[], Awaitable[None]] | None = None,
) -> list[float]:
    """Seconds that each took, without the first ones; what is done `before` each does not count."""
    took = []
    for number in range(WARMING + often):
        if before is not None:
            await before()
        began = time.perf_counter()
        await ask(number)
        took.append(time.perf_counter() - began)
    return took[WARMING:]


def answered(answer: httpx.Response) -> httpx.Response:
    """The answer. Raises `RuntimeError` for one that is a problem."""
    if answer.is_error:
        raise RuntimeError(f"{answer.request.url}: {answer.status_code} {answer.text[:500]}")
    return answer


@asynccontextmanager
async def somebody(installation: Installation, name: str) -> AsyncIterator[httpx.AsyncClient]:
    """A user of the organisation at HTTP."""
    principal = Principal(name, installation.definition.organisation, "user", frozenset())
    token = local_issuer.issue(
        installation.seen.home / "secrets", principal, now=datetime.now(UTC), lifetime=timedelta(hours=6)
    )
    async with httpx.AsyncClient(
        base_url=installation.seen.services["activity"].http,
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=PATIENCE,
    ) as client:
        yield client
