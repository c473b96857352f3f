"""Steps that are asked for over Kafka: from activity.requests.v1 to their answers on activity.answers.v1."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer

from shared.contracts import activity_requests as asked
from shared.contracts.envelope import Envelope, Headers
from shared.topics import ACTIVITY_ANSWERS, ACTIVITY_REQUESTS
from tests.bench import floor, floor_pipeline, stories
from tests.bench.bench import Bench
from tests.bench.figures import STEP_RATE, Figure, figure
from tests.bench.floor_pipeline import FloorPipeline, fresh_floor
from tests.bench.installation import Installation, fresh_installation
from tests.bench.passing import Measured, Watch, following, until
from tests.bench.seed import seed
from tests.bench.witness import Awaited

STEPS = 30_000
WARMING = 40
"""Tickets that go first and are not measured."""
ANSWERED = Awaited(ACTIVITY_ANSWERS.name, "request.accepted", ACTIVITY_ANSWERS.partitions)
_ACTOR = asked.Actor(kind=asked.ActorKind.USER, id="amelie")
_NOTE = "Rang them up: it is the printer on the second floor, and it needs a new drum by Friday."
_LIFE: Sequence[Callable[[str], asked.Request]] = (
    lambda ticket: asked.ActivityPickUp(actor=_ACTOR, reference=ticket),
    lambda ticket: asked.ActivityNote(actor=_ACTOR, reference=ticket, text=_NOTE),
    lambda ticket: asked.ActivityEdit(
        actor=_ACTOR, reference=ticket, title=f"Printer, second floor ({ticket})"
    ),
    lambda ticket: asked.TicketWait(actor=_ACTOR, reference=ticket, days=2),
    lambda ticket: asked.ActivityResume(actor=_ACTOR, reference=ticket),
    lambda ticket: asked.ActivityNote(actor=_ACTOR, reference=ticket, text=_NOTE),
    lambda ticket: asked.TicketResolve(
        actor=_ACTOR, reference=ticket, method=asked.ResolutionMethod.WITH_CUSTOMER_RESPONSE
    ),
)
"""What is asked of a Ticket, one after the other."""
_TO_DO = "SELECT reference FROM activities WHERE status = 'to_do' AND queue IS NOT NULL ORDER BY number DESC"


@dataclass(frozen=True)
class Request:
    """A record as it goes to Kafka."""

    key: bytes
    value: bytes
    headers: Headers


async def steps(bench: Bench, _: frozenset[str]) -> dict[str, Figure]:
    """Requests that can all be read from one moment on, by one process of activity.

    The floor gets records of the same bytes, headers and all, on the topic that its second half reads; its
    requests for mail are the answers.
    """
    number = bench.number(STEPS)
    async with fresh_installation(bench.servers) as installation:
        await bench.warm(installation)
        await installation.stop("ingest", "activity")
        organisation = installation.definition.organisation
        dsn = installation.database.dsn_of("activity")
        spare = number // len(_LIFE) + WARMING + 1
        await seed(dsn, organisation, spare, spare, lives={stories.OPENED: 100})
        tickets = await _open_tickets(dsn)
        await installation.start("activity")
        topic = installation.prefix + ACTIVITY_REQUESTS.name
        warming = requests(organisation, tickets[:WARMING], WARMING * len(_LIFE))
        waiting = requests(organisation, tickets[WARMING:], number)
        await pass_requests(bench, installation, ANSWERED, topic, warming)
        async with bench.spy.looking("steps", installation.roots()):
            measured = await pass_requests(bench, installation, ANSWERED, topic, waiting)
    async with fresh_floor(bench.servers) as pipeline:
        await pipeline.start("floor work", "floor work relay")
        topic = pipeline.prefix + floor.MAILS
        for records in (warming, waiting):
            like = [for_the_floor(each) for each in records]
            beside = await pass_requests(bench, pipeline, floor_pipeline.ASKED, topic, like)
    return {"steps": figure(measured, beside, unit=STEP_RATE)}


def requests(organisation: str, tickets: Sequence[str], number: int) -> list[Request]:
    """The first step of all Tickets, then the next one, until it is so many."""
    made: list[Request] = []
    lives = -(-number // len(_LIFE))
    for ordinal, step in enumerate(_LIFE):
        for ticket in tickets[:lives]:
            record = step(ticket)
            envelope = Envelope(
                id=f"{ticket}/{ordinal}",
                source="/bench",
                type=record.type,
                time=datetime.now(UTC),
                organisation=organisation,
            )
            value = record.model_dump_json(exclude_none=True).encode()
            made.append(Request(f"{organisation}/{ticket}".encode(), value, envelope.to_headers()))
    return made[:number]


def for_the_floor(request: Request) -> Request:
    """A mail as the floor says it, as long as the request."""
    ticket = request.key.decode()
    mail = floor.MailReceived(
        id=str(uuid4()),
        conversation=hashlib.sha256(request.key).hexdigest()[:16],
        message_id="",
        sender=ticket,
        recipients=[],
        subject="",
        date="",
        text="",
    )
    missing = len(request.value) - len(mail.model_dump_json())
    value = mail.model_copy(update={"text": "x" * max(0, missing)}).model_dump_json()
    return Request(request.key, value.encode(), request.headers)


async def pass_requests(
    bench: Bench,
    pipeline: Installation | FloorPipeline,
    awaited: Awaited,
    topic: str,
    waiting: Sequence[Request],
) -> Measured:
    """From the commit that lets all of them be read, to the last answer that can be read."""
    producer: AIOKafkaProducer[bytes, bytes] = AIOKafkaProducer(
        bootstrap_servers=bench.servers.stack.kafka_bootstrap,
        transactional_id=f"{topic}.{uuid4().hex}",
        max_batch_size=256 * 1024,
    )
    await producer.start()
    try:
        async with bench.witnessing(pipeline, awaited) as seen:
            watch = Watch(pipeline.roots())
            await producer.begin_transaction()
            sent = [
                await producer.send(topic, each.value, each.key, headers=each.headers) for each in waiting
            ]
            await asyncio.gather(*sent)
            began = time.monotonic()
            await producer.commit_transaction()
            async with following(watch):
                ended = await until(seen, len(waiting))
                await pipeline.until_idle()
            measured = watch.end(len(waiting), ended - began)
    finally:
        await producer.stop()
    assert len(seen.done) == len(waiting), f"{len(seen.done)} {seen.name} for {len(waiting)} requests"
    return measured


async def _open_tickets(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "activity"})
    try:
        return [row["reference"] for row in await connection.fetch(_TO_DO)]
    finally:
        await connection.close()
