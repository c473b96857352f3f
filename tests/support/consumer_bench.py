"""A service's handlers at work on samples and real tables, without Kafka; what they read is noted."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from deploy.config.folder import read
from deploy.local.preparation import SAMPLE
from shared import organisation, organisation_copy
from shared.clock import FixedClock
from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionType,
    ApprovalLevel,
    Definition,
    OrganisationApplied,
    Process,
    ProcessKind,
    Template,
    TemplateText,
    User,
)
from shared.contracts.envelope import Envelope
from shared.decoding import Incoming
from shared.organisation import Organisations
from shared.postgres import Pool, make_pool, opened, transaction
from shared.topics import ACTIVITY_REQUESTS, Topic
from shared.unit_of_work import Subscription, UnitOfWork
from tests.support.announcements import Told
from tests.support.databases import Database
from tests.support.reads import Reads
from tests.support.samples import sample

ORDER = ActionDefinition(
    name="order",
    title="Order",
    type=ActionType.EXTERNAL_CALL,
    call="order",
    answer_within_minutes=1,
    launched_by_hand=True,
)
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def _also_ordering(process: Process) -> Process:
    """What nothing of the sample does: its Cases can call another system."""
    more = {"actions": (*process.actions, ORDER)} if process.kind is ProcessKind.CASE else {}
    return process.model_copy(update=more)


class Bench:
    """One service's handlers on its tables, fed with samples; what they read is noted."""

    def __init__(self, unit: UnitOfWork, wired: Sequence[Subscription], noted: Reads) -> None:
        self._unit = unit
        self._wired: Mapping[str, Subscription] = {each.topic.name: each for each in wired}
        self._noted = noted
        self._number = 0

    async def feed(self, topic: Topic, name: str, **changes: Any) -> None:
        """Let the handler of the topic work on a sample with these fields in place of its own."""
        subscription, given = self._wired[topic.name], sample(topic, name)
        self._number += 1
        envelope = Envelope.from_headers(
            [(key, value.encode()) for key, value in {**given.headers, "ce_id": f"{self._number}"}.items()]
        )
        message = topic.models[name].model_validate({**given.value, **changes})
        self._noted.watch(subscription.consumer, message)
        for culprit in await self._unit.run_each(subscription.handle, [Incoming(envelope, message)]):
            raise culprit.error

    async def tell(self, name: str, **changes: Any) -> dict[str, Any]:
        """Ask for something about a contact, which is done."""
        await self.feed(ACTIVITY_REQUESTS, name, **changes)
        answer = await self.last("activity.answers.v1")
        assert answer["type"] == "contact.accepted", answer
        return answer

    async def put_file(self, reference: str) -> str:
        """Let a file stand on a Ticket, which comes over HTTP only."""
        statement = """
            WITH new AS (
                INSERT INTO files (organisation, id, object, sha256, size, media_type, name, tags, added_at,
                    actor_kind, actor)
                SELECT organisation, gen_random_uuid(), 'o', repeat('a', 64), 1, 'text/plain', 'a.txt', '[]',
                    $2, 'user', 'amelie'
                FROM activities WHERE reference = $1 RETURNING organisation, id
            )
            INSERT INTO activity_files (organisation, activity, file)
            SELECT new.organisation, activities.id, new.id FROM new, activities WHERE reference = $1
            RETURNING file
        """
        return str(await self._unit.pool.fetchval(statement, reference, NOW))

    async def last(self, topic: str) -> dict[str, Any]:
        """What was said last on a topic."""
        query = "SELECT value FROM outbox WHERE topic = $1 ORDER BY id DESC LIMIT 1"
        said: dict[str, Any] = json.loads(await self._unit.pool.fetchval(query, topic))
        return said


@asynccontextmanager
async def bench(
    service: str,
    database: Database,
    noted: Reads,
    wired: Callable[[Organisations, Pool], Sequence[Subscription]],
) -> AsyncIterator[Bench]:
    """A service's handlers, with the sample organisation configured."""
    async with opened(make_pool(database.dsn_of(service), schema=service, application="tests")) as pool:
        definition = read(SAMPLE)
        # The sample has no robot, and only one rejects work.
        sorter = User(name="sorter", title="Sorter", robot=True, processes=(definition.processes[0].name,))
        definition = definition.model_copy(
            update={
                "users": (*map(_also_below, definition.users), sorter),
                "processes": (*map(_also_ordering, definition.processes), _below(definition)),
            }
        )
        definition = with_approval(definition)
        records = [*organisation.sections_of(definition, 1), OrganisationApplied(version=1, digest="1")]
        async with transaction(pool) as connection:
            await organisation_copy.store(connection, [(definition.organisation, each) for each in records])
        unit = UnitOfWork(pool, service=service, clock=FixedClock(NOW))
        yield Bench(unit, wired(Organisations(Told()), pool), noted)


def _below(definition: Definition) -> Process:
    """What the samples start under another Case (CA-7)."""
    like = next(each for each in definition.processes if each.kind is ProcessKind.CASE)
    return like.model_copy(update={"name": "order-equipment"})


def _also_below(user: User) -> User:
    return user.model_copy(update={"processes": (*user.processes, "order-equipment")})


def with_approval(definition: Definition) -> Definition:
    """The sample's Cases let people ask whom the samples let answer (A25)."""
    texts = TemplateText(subject="Please decide", text="{{ link }}")
    agree = ActionDefinition(
        name="agree",
        title="Agree",
        type=ActionType.APPROVAL,
        template="please",
        launched_by_hand=True,
        approval=(ApprovalLevel(approvers=("lena",)),),
    )
    processes = tuple(
        each.model_copy(update={"actions": (*each.actions, agree)}) if each.actions else each
        for each in definition.processes
    )
    lena = User(name="lena", title="Lena", address="lena@harbour.test")
    return definition.model_copy(
        update={
            "processes": processes,
            "users": (*definition.users, lena),
            "templates": (*definition.templates, Template(name="please", texts={"en": texts})),
        }
    )
