"""What each consumer reads, as its own handlers show on real tables, is what it states (design §4).

The samples go through the handlers that the services are wired with, in an order in which nothing is refused.
"""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy.config.folder import read
from deploy.local.preparation import SAMPLE
from services.activity.app import subscriptions as of_activity
from services.activity.numbers import Numbers
from services.activity.work import Work
from services.ingest.handlers import subscriptions as of_ingest
from services.ingest.intake import Intake
from services.ingest.parsing.pool import ParserPool
from services.ingest.routing import Routing
from services.notify.app import subscriptions as of_notify
from services.notify.handlers import Handlers
from services.notify.outgoing import Outgoing
from shared import organisation, organisation_copy
from shared.blobs import BlobStore
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
from shared.topics import (
    ACTIVITY_ORGANISATION,
    ACTIVITY_REQUESTS,
    INGEST_MAILS,
    INGEST_REQUESTS,
    NOTIFY_MAILS,
    NOTIFY_REQUESTS,
    Topic,
)
from shared.unit_of_work import Subscription, UnitOfWork
from tests.support import reads
from tests.support.announcements import Told
from tests.support.databases import Database
from tests.support.letters import KEYRING
from tests.support.office import LINKS
from tests.support.reads import Reads
from tests.support.samples import sample

CHECKLIST = ("Is the disk encrypted?", "Is the serial number noted down?")
"""Of the sample's Action that prepares a laptop."""
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


async def ingest(database: Database, noted: Reads, folder: Path) -> None:
    def wired(organisations: Organisations, _: Pool) -> Sequence[Subscription]:
        blobs = BlobStore((folder / "blobs").as_uri(), "ingest")
        # A mail that is not here is neither fetched nor parsed.
        return of_ingest(Intake(None, blobs, ParserPool(), KEYRING, organisations, Routing()))  # type: ignore[arg-type]

    async with bench("ingest", database, noted, wired) as at:
        await at.feed(INGEST_REQUESTS, "mail.set_aside")
        await at.feed(INGEST_REQUESTS, "mail.forget")
        await at.feed(INGEST_REQUESTS, "mail.reinject")
        assert (await at.last(INGEST_MAILS.name))["type"] == "mail.not_reinjected"
        for name in ACTIVITY_ORGANISATION.models:
            await at.feed(ACTIVITY_ORGANISATION, name, version=2)


async def notify(database: Database, noted: Reads, folder: Path) -> None:
    def wired(organisations: Organisations, _: Pool) -> Sequence[Subscription]:
        blobs = BlobStore((folder / "blobs").as_uri(), "notify")
        return of_notify(Handlers(organisations, Outgoing(KEYRING, blobs)))

    async with bench("notify", database, noted, wired) as at:
        await at.feed(NOTIFY_REQUESTS, "mail.compose", variables={"queue": "Service desk"})
        assert (await at.last(NOTIFY_MAILS.name))["type"] == "mail.composed"
        # One that a person wrote, in answer to another.
        await at.feed(
            NOTIFY_REQUESTS,
            "mail.compose",
            mail=str(UUID(int=1)),
            template=None,
            variables={},
            text="Hello.",
            subject="Your laptop",
            cc=[{"address": "lead@harbour.test"}],
            in_reply_to="1@harbour.test",
            references=["1@harbour.test"],
            automatic=False,
        )
        assert (await at.last(NOTIFY_MAILS.name))["type"] == "mail.composed"
        blob = await BlobStore((folder / "blobs").as_uri(), "activity").put(
            "acme", b"a plan", name="plan.pdf"
        )
        attached = {"mail": str(UUID(int=2)), "attachments": [blob.model_dump()]}
        await at.feed(NOTIFY_REQUESTS, "mail.compose", variables={"queue": "Service desk"}, **attached)
        assert (await at.last(NOTIFY_MAILS.name))["content"]["attachments"]
        await at.feed(NOTIFY_REQUESTS, "mail.forget")
        for name in ACTIVITY_ORGANISATION.models:
            await at.feed(ACTIVITY_ORGANISATION, name, version=2)


async def activity(database: Database, noted: Reads, folder: Path) -> None:
    def wired(organisations: Organisations, pool: Pool) -> Sequence[Subscription]:
        return of_activity(Work(organisations, Numbers(pool), links=LINKS))

    async with bench("activity", database, noted, wired) as at:
        await _mails(at)
        asked = await at.last(NOTIFY_REQUESTS.name)
        about = {name: asked[name] for name in ("mail", "activity", "reference", "conversation")}
        for name, model in NOTIFY_MAILS.models.items():
            await at.feed(
                NOTIFY_MAILS, name, **{key: about[key] for key in about if key in model.model_fields}
            )
        await _steps(at, about["reference"])


async def _mails(at: Bench) -> None:
    """A mail that opens a Ticket, one that answers it in every way there is, one that finds no place."""
    await at.feed(INGEST_MAILS, "mail.received")
    first = sample(INGEST_MAILS, "mail.received").value
    token = {"reference": "100001-T", "conversation": first["conversation"]}
    answer = {
        "message_id": "2@harbour.test",
        "in_reply_to": [first["message_id"]],
        "references": [first["message_id"]],
        "cc": [{"address": "lead@harbour.test", "name": "Lead"}],
        "answered": [{"message_id": "ours@mailroom.test", "direct": True, **token}],
        "plus": [{"address": "help+100001-T@mailroom.test", "mailbox": "help", "signed": True, **token}],
        "automatic": "auto-submitted",
    }
    await at.feed(INGEST_MAILS, "mail.received", mail=str(UUID(int=2)), **answer)
    unplaced = {
        "message_id": "3@harbour.test",
        "plus": [
            {"address": "help+x@mailroom.test", "mailbox": "help", "signed": True, "conversation": "0" * 16}
        ],
        "targets": [{"mailbox": "help", "address": "help@mailroom.test"}],
    }
    await at.feed(INGEST_MAILS, "mail.received", mail=str(UUID(int=3)), **unplaced)
    assert (await at.last(INGEST_REQUESTS.name))["type"] == "mail.set_aside"
    await at.feed(INGEST_MAILS, "mailbox.polled")


async def _steps(at: Bench, reference: str) -> None:
    """Every step that can be asked for, in an order in which each is done."""

    async def ask(step: str, of: str = reference, /, **changes: Any) -> str:
        model = ACTIVITY_REQUESTS.models[step].model_fields
        named = {"reference": of, "expected_version": None} if "reference" in model else {}
        await at.feed(ACTIVITY_REQUESTS, step, **named, **changes)
        answer = await at.last("activity.answers.v1")
        assert answer["type"] == "request.accepted", answer
        told: str = answer["reference"]
        return told

    for step in ("pick_up", "note", "mark_information", "reply", "wait", "resume", "set_to_do"):
        await ask(f"ticket.{step}")
    await ask("ticket.pick_up")
    for step in ("wait_until", "resume"):
        await ask(f"ticket.{step}")
    await ask("ticket.assign", assignee="amelie")
    await ask("ticket.pick_up")
    await ask("ticket.edit", description="As before.", category="Other")
    await ask("ticket.keep_with_me")
    await ask("ticket.set_due_date")
    await ask("ticket.resolve")
    await ask("ticket.feedback")
    await ask("ticket.send_and_resolve")
    await ask("ticket.reopen")
    await ask("ticket.assign", assignee=None)
    for _ in ("given", "given again"):
        await ask("ticket.next", actor={"kind": "robot", "id": "sorter"})
    await ask("work.take_next")
    await ask("ticket.reject_work")
    file = await at.put_file(reference)
    await ask("ticket.edit_file", file=file)
    await ask("ticket.reply", files=[file])
    await ask("ticket.remove_file", file=file)
    made = await at.tell("contact.create")
    await at.tell("contact.edit", contact=made["contact"], expected_version=made["version"])
    copied = {"linked_to": reference, "copies": ["links", "communications"]}
    other = await at.tell("contact.create", address="other@harbour.test")
    await at.tell(
        "contact.merge", contact=other["contact"], into=made["contact"], expected_version=other["version"]
    )
    opened = await ask("ticket.open", draft=True, category="Other", **copied)
    await ask("ticket.submit", opened)
    for step in ("ticket.unlink", "ticket.link"):
        await ask(step, with_references=[opened])
    first = sample(INGEST_MAILS, "mail.received").value["mail"]
    await ask("ticket.share_mail", with_references=[opened], mail=first)
    await ask("ticket.new_from_mail", mail=str(UUID(int=2)))
    asked = await at.last(INGEST_REQUESTS.name)
    told = {"mail": asked["mail"], "activity": asked["activity"]}
    await at.feed(INGEST_MAILS, "mail.not_reinjected", **told)
    await ask("ticket.new_from_mail", mail=str(UUID(int=2)))
    await at.feed(INGEST_MAILS, "mail.received", mail=asked["mail"], reinjected_for=asked["activity"])
    others = [await ask("ticket.open", draft=True, category="Other") for _ in range(2)]
    for other in others:
        await ask("ticket.submit", other)
    await ask("ticket.merge_into", others[0], into=opened)
    await ask("ticket.merge", opened, sources=others[1:])
    await ask("ticket.split", opened)
    await _cases(ask)
    await at.tell("contact.erase", contact=made["contact"], expected_version=None)


async def _cases(ask: Callable[..., Awaitable[str]]) -> None:
    """What only Cases and Actions know, in an order in which each is done."""
    case = await ask("case.open", primary_contact=None, requester=None, fields={}, draft=True)
    await ask("case.submit", case)
    await ask("case.wait", case)
    await ask("case.resume", case)
    await ask("case.pause", case)
    await ask("case.resume", case)
    await ask("case.launch", case, action="agree", copies=1)
    agree = f"{case}-A1.3"
    await ask("action.decline", agree)
    await ask("action.wait", agree, reason=None)
    await ask("action.approve", agree, round=2)
    laptop = f"{case}-A1.1"
    points = [{"point": point, "answer": "yes"} for point in CHECKLIST]
    await ask("action.answer_checklist", laptop, answers=points)
    await ask("action.complete", laptop)
    await ask("action.give_up", f"{case}-A1.2")
    await ask("case.launch", case)
    await ask("case.launch", case, action=ORDER.name, copies=1)
    await ask("action.answer_call", f"{case}-A1.6", attempt=1)
    await ask("case.start_sub_case", case)
    await ask("case.rework", case, step=1, action=None)
    await ask("case.abandon", case)
    other = await ask("case.open", primary_contact=None, requester=None, fields={}, draft=True)
    await ask("case.resolve", other)
    ticket = await ask("ticket.open", draft=True, category="Other")
    await ask("ticket.submit", ticket)
    await ask("ticket.convert", ticket)


@pytest.mark.parametrize("work", [ingest, activity, notify], ids=lambda work: work.__name__)
async def test_a_service_reads_what_it_states(
    work: Callable[[Database, Reads, Path], Any], database: Database, tmp_path: Path
) -> None:
    with reads.recorded() as noted:
        await work(database, noted, tmp_path)
    found, stated = noted.statement(), reads.committed()
    if "MAILROOM_WRITE_READERS" in os.environ:  # `make readers`
        reads.write({**stated, **found})
        return
    assert found == {name: stated[name] for name in stated if name.startswith(f"{work.__name__}.")}, (
        "run `make readers` if a handler of ours reads something else now"
    )
