"""What each consumer reads, as its own handlers show on real tables, is what it states (design §4).

The samples go through the handlers that the services are wired with, in an order in which nothing is refused.
"""

import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

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
from shared.blobs import BlobStore
from shared.organisation import Organisations
from shared.postgres import Pool
from shared.topics import (
    ACTIVITY_ORGANISATION,
    ACTIVITY_REQUESTS,
    INGEST_MAILS,
    INGEST_REQUESTS,
    NOTIFY_MAILS,
    NOTIFY_REQUESTS,
)
from shared.unit_of_work import Subscription
from tests.support import reads
from tests.support.consumer_bench import ORDER, Bench, bench
from tests.support.databases import Database
from tests.support.letters import KEYRING
from tests.support.office import LINKS
from tests.support.reads import Reads
from tests.support.samples import sample

CHECKLIST = ("Is the disk encrypted?", "Is the serial number noted down?")
"""Of the sample's Action that prepares a laptop."""


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
