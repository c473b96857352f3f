"""What activity removes once its setting keeps it no longer, and what it never does (design §4)."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.activity import store_mails, store_views
from services.activity.retention import _mails as retention_of_mails
from services.activity.retention import rules
from services.activity.settings import ActivitySettings
from services.activity.views_timeline import timeline_entry
from shared import retention
from shared.contracts import activity_requests as asked
from shared.postgres import Pool, acquired
from shared.retention import Retention, Rule
from shared.unit_of_work import UnitOfWork
from tests.support.databases import Database
from tests.support.office import BILLING, CARLA, HELP, NOON, Office, incoming, received

KEPT = 40
ANSWERED = 100


def kept(dsn: str, **changes: Any) -> ActivitySettings:
    values: dict[str, Any] = {
        "kafka_bootstrap": "unused:1",
        "postgres_dsn": dsn,
        "blobs_url": "memory:///",
        "secrets_dir": Path("/nowhere"),
        "mails_days": KEPT,
        "timeline_days": KEPT,
        "answers_days": ANSWERED,
    }
    return ActivitySettings(**(values | changes))


@pytest.fixture
def table(database: Database) -> tuple[Rule, ...]:
    return rules(kept(database.dsn_of("activity")))


async def removed(office: Office, table: tuple[Rule, ...], **how: Any) -> dict[str, int]:
    """What the rules removed, or would remove, by rule."""
    return {each.rule.name: each.number or 0 async for each in retention.remove(office.unit, table, **how)}


async def closed(office: Office, reference: str) -> None:
    """Resolve a Ticket and let its feedback window pass, without the component of timers."""
    await office.step(asked.ActivityPickUp, reference)
    await office.step(asked.TicketResolve, reference, method=asked.ResolutionMethod.REJECTED_AS_SPAM)


async def texts(pool: Pool) -> dict[str, str]:
    """What mails still say, by Message-ID."""
    rows = await pool.fetch("SELECT message_id, content ->> 'text' AS text FROM mails WHERE direction = 'in'")
    return {row["message_id"]: row["text"] or "" for row in rows}


async def test_what_was_written_on_a_ticket_goes_when_it_was_closed_for_long_and_its_history_stays(
    office: Office, table: tuple[Rule, ...]
) -> None:
    await office.take_in(received(message_id="one@harbour.test"))
    await office.step(asked.ActivityNote, "100001-T", text="He is in a hurry.")
    await closed(office, "100001-T")
    before = await office.history("100001-T")
    assert (await office.ticket("100001-T"))["status"] == "closed"
    await office.advance(days=KEPT - 1)
    assert (await removed(office, table))["mails"] == 0
    await office.advance(days=2)
    said = await removed(office, table, dry_run=True)
    assert (said["mails"], said["timeline"]) == (1, 1)
    assert await texts(office.pool) == {"one@harbour.test": "Text of one@harbour.test"}
    done = await removed(office, table)
    assert (done["mails"], done["timeline"]) == (1, 1)
    assert await removed(office, table) == {"mails": 0, "timeline": 0, "answers": 0, "inbox": 0, "blobs": 0}
    assert await texts(office.pool) == {"one@harbour.test": ""}
    ticket = await office.ticket("100001-T")
    assert (ticket["title"], ticket["description"]) == ("My printer", "")
    assert await office.history("100001-T") == before


async def test_the_timeline_says_that_a_text_was_removed(office: Office, table: tuple[Rule, ...]) -> None:
    await office.take_in(received(message_id="one@harbour.test"))
    await office.step(asked.ActivityNote, "100001-T", text="He is in a hurry.")
    await closed(office, "100001-T")
    await office.advance(days=KEPT + 1)
    await removed(office, table)
    ticket = await office.ticket("100001-T")
    async with acquired(office.pool) as connection:
        rows = await store_views.timeline(connection, ("acme", ticket["id"]), None, 100)
        mails = await store_mails.by_id(connection, {("acme", ticket["opening_mail"])})
    entries = [timeline_entry(row, mails[0] if row["mail"] else None, "100001-T") for row in rows]
    note = next(each for each in entries if each.type == "ticket.noted")
    assert (note.note, note.note_removed) == (None, True)
    mail = next(each.mail for each in entries if each.mail)
    assert (mail.subject, mail.text, mail.removed) == ("My printer", "", office.clock.now())
    assert mail.sender is not None
    assert mail.sender.address == CARLA


async def test_whoever_has_the_bytes_is_told_to_forget_them(office: Office, table: tuple[Rule, ...]) -> None:
    """Incoming mail is ingest's; what was sent is notify's, and only once it is sent."""
    await office.take_in(received(message_id="one@harbour.test"))
    await closed(office, "100001-T")
    await office.advance(days=KEPT + 1)
    await removed(office, table)
    (forget,) = await office.said("ingest.requests.v1")
    ticket = await office.ticket("100001-T")
    assert (forget["type"], forget["mail"]) == ("mail.forget", str(ticket["opening_mail"]))
    assert forget["key"] == "acme/0123456789abcdef"
    assert await office.said("notify.requests.v1", "mail.forget") == []
    await office.pool.execute("UPDATE mails SET outcome = 'sent' WHERE direction = 'out'")
    await removed(office, table)
    (sent,) = await office.said("notify.requests.v1", "mail.forget")
    (compose,) = await office.said("notify.requests.v1", "mail.compose")
    assert sent["mail"] == compose["mail"]
    assert sent["key"] == compose["key"]


async def test_a_mail_is_kept_while_one_of_its_tickets_is_open(
    office: Office, table: tuple[Rule, ...]
) -> None:
    """RT-6: it opened two, of which one is closed."""
    await office.take_in(received(message_id="one@harbour.test", to=[HELP, BILLING]))
    await closed(office, "100001-T")
    await office.advance(days=KEPT + 1)
    assert (await removed(office, table))["mails"] == 0
    assert (await texts(office.pool))["one@harbour.test"]


async def test_a_mail_that_another_ticket_goes_on_with_is_kept(
    office: Office, table: tuple[Rule, ...]
) -> None:
    """IN-14: the answer to a closed Ticket opens the next one, with its thread."""
    await office.take_in(received(message_id="one@harbour.test"))
    await closed(office, "100001-T")
    await office.advance(days=KEPT + 1)
    answer = received(message_id="two@harbour.test", in_reply_to="one@harbour.test", at=office.clock.now())
    await office.take_in(answer)
    assert len(await office.tickets()) == 2
    assert (await removed(office, table))["mails"] == 0
    assert (await texts(office.pool))["one@harbour.test"]


async def test_a_mail_that_comes_in_again_after_it_was_removed_is_whole_again(
    office: Office, table: tuple[Rule, ...]
) -> None:
    await office.take_in(received(message_id="one@harbour.test", to=[HELP]))
    await closed(office, "100001-T")
    await office.advance(days=KEPT + 1)
    await removed(office, table)
    await office.take_in(received(message_id="one@harbour.test", to=[BILLING]))
    assert (await texts(office.pool))["one@harbour.test"] == "Text of one@harbour.test"


async def test_a_family_that_somebody_works_on_is_left_for_the_next_time(
    office: Office, table: tuple[Rule, ...]
) -> None:
    """Nobody waits for the other, and nobody writes an old text back."""
    await office.take_in(received(message_id="one@harbour.test"))
    await closed(office, "100001-T")
    await office.advance(days=KEPT + 1)
    async with acquired(office.pool) as connection, connection.transaction():
        await connection.execute("SELECT FROM families FOR UPDATE")
        assert (await removed(office, table))["mails"] == 0
    assert (await removed(office, table))["mails"] == 1


async def test_two_at_once_remove_everything_once(office: Office, table: tuple[Rule, ...]) -> None:
    await _closed_tickets(office, 12)
    both = await asyncio.gather(removed(office, table, page=2), removed(office, table, page=3))
    await removed(office, table)
    assert sum(each["mails"] for each in both) <= 12
    assert set((await texts(office.pool)).values()) == {""}
    told = [each["mail"] for each in await office.said("ingest.requests.v1")]
    assert (len(told), len(set(told))) == (12, 12)


async def test_a_removal_that_is_killed_in_the_middle_is_finished_by_the_next(
    office: Office, table: tuple[Rule, ...], database: Database
) -> None:
    """Its connection is terminated within the third page: two are whole, and the next look does the rest."""
    await _closed_tickets(office, 12)
    killer = await asyncpg.connect(database.dsn)
    mails = next(rule for rule in table if rule.name == "mails")
    pages = 0

    async def page(work: UnitOfWork, before: datetime, limit: int) -> int:
        nonlocal pages
        pages += 1
        if pages < 3:
            return await mails.page(work, before, limit)
        async with work.begin() as batch:
            done = await retention_of_mails(batch, before, limit)
            pid = await batch.connection.fetchval("SELECT pg_backend_pid()")
            await killer.execute("SELECT pg_terminate_backend($1, 5000)", pid)
        return done

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await removed(office, (replace(mails, page=page),), page=2)
    await killer.close()
    assert sorted((await texts(office.pool)).values()).count("") == 4
    assert len(await office.said("ingest.requests.v1")) == 4
    assert (await removed(office, table))["mails"] == 8
    assert set((await texts(office.pool)).values()) == {""}
    assert len({each["mail"] for each in await office.said("ingest.requests.v1")}) == 12


async def test_a_process_leaves_the_work_to_another_that_is_at_it(office: Office, database: Database) -> None:
    await _closed_tickets(office, 1)
    ours = kept(database.dsn_of("activity"))
    component = Retention(ours, office.unit, rules(ours))
    async with retention.sole(ours, "activity") as alone:
        assert alone
        await component.look()
        assert set((await texts(office.pool)).values()) != {""}
    await component.look()
    assert set((await texts(office.pool)).values()) == {""}


async def test_a_request_whose_answer_is_gone_is_refused_instead_of_done_twice(
    office: Office, table: tuple[Rule, ...]
) -> None:
    await office.take_in(received(message_id="one@harbour.test"))
    office.work._answers_kept = timedelta(days=ANSWERED)
    note = asked.ActivityNote(actor=asked.Actor(kind="user", id="amelie"), reference="100001-T", text="Once.")
    first = await office.ask(note, "same")
    assert await office.ask(note, "same") == first
    asked_at = office.clock.now()
    await office.advance(days=ANSWERED + 1)
    assert (await removed(office, table))["answers"] == 1
    request = incoming(note, "same", at=asked_at)
    answers = await office.unit.run(lambda batch: office.work.perform(batch, batch.records), [request])
    (answer,) = answers.values()
    assert answer.told["code"] == "request_too_old"
    assert await office.pool.fetchval("SELECT count(*) FROM notes") == 1


async def _closed_tickets(office: Office, number: int) -> None:
    """So many closed Tickets with a mail each, closed for long."""
    mails = [received(message_id=f"{each}@harbour.test") for each in range(number)]
    await office.take_in(*mails)
    for ticket in await office.tickets():
        await closed(office, ticket["reference"])
    await office.advance(days=KEPT + 1)


STEPS = st.lists(
    st.tuples(st.sampled_from(["arrive", "answer", "close", "sent", "wait", "remove"]), st.integers(0, 3)),
    min_size=4,
    max_size=14,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_nothing_that_is_needed_is_ever_removed(
    office: Office, table: tuple[Rule, ...], steps: list[tuple[str, int]]
) -> None:
    """Whatever comes in, closes and waits: only what stands on Tickets closed for long loses its text."""
    names = ["families", "activities", "mails", "activity_mails", "correspondents", "effects", "outbox"]
    await office.pool.execute(f"TRUNCATE {', '.join(names)}, reference_counters, activity_contacts, timers")
    office.clock.set(max(office.clock.now(), NOON))
    began = office.clock.now()
    for number, (step, which) in enumerate(steps):
        await _take(office, table, step, which, f"{began:%s}-{number}")
    await office.advance(days=KEPT + 1)
    await _remove(office, table, page=100)
    assert await _with_text(office) == await _needed(office)


async def _remove(office: Office, table: tuple[Rule, ...], page: int) -> None:
    before, needed = await _with_text(office), await _needed(office)
    await removed(office, table, page=page)
    assert before - await _with_text(office) <= before - needed


async def _with_text(office: Office) -> set[UUID]:
    rows = await office.pool.fetch("SELECT id FROM mails WHERE removed_at IS NULL")
    return {row["id"] for row in rows}


async def _needed(office: Office) -> set[UUID]:
    """Told from the history, Ticket by Ticket."""
    unsent = "SELECT id FROM mails WHERE outcome IN ('requested', 'composed', 'deferred')"
    needed = {row["id"] for row in await office.pool.fetch(unsent)}
    for ticket in await office.tickets():
        last = [row for row in await office.history(ticket["reference"]) if row["status"]][-1]
        if last["status"] != "closed" or last["at"] >= office.clock.now() - timedelta(days=KEPT):
            stands = "SELECT mail FROM activity_mails WHERE activity = $1"
            needed |= {row["mail"] for row in await office.pool.fetch(stands, ticket["id"])}
    return needed & await _with_text(office)


async def _take(office: Office, table: tuple[Rule, ...], step: str, which: int, name: str) -> None:
    mails = await office.pool.fetch("SELECT message_id FROM mails WHERE direction = 'in' ORDER BY at, id")
    tickets = [each for each in await office.tickets() if each["status"] != "closed"]
    now = office.clock.now()
    if step == "arrive" or not mails:
        to = [[HELP], [BILLING], [HELP, BILLING], [HELP]][which]
        await office.take_in(received(message_id=f"{name}@harbour.test", to=to, at=now))
    elif step == "answer":
        answered = mails[which % len(mails)]["message_id"]
        await office.take_in(received(message_id=f"{name}@harbour.test", in_reply_to=answered, at=now))
    elif step == "close" and tickets:
        await closed(office, tickets[which % len(tickets)]["reference"])
    elif step == "sent":
        await office.pool.execute("UPDATE mails SET outcome = 'sent' WHERE direction = 'out'")
    elif step == "wait":
        await office.advance(days=KEPT * which / 2)
    elif step == "remove":
        await _remove(office, table, page=which + 1)
