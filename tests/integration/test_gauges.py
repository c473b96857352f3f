"""How old is what waits: the gauges say what the tables say, and nothing where these cannot be asked."""

import math
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import REGISTRY

from services.activity import gauges as activity_gauges
from services.activity import store_attention
from services.activity.timers import Timers
from services.activity.work_schedules import ScheduleCame
from services.ingest import gauges as ingest_gauges
from services.ingest.imap import ImapServer
from shared.clock import FixedClock
from shared.contracts import activity_requests as asked
from shared.decoding import decode
from shared.gauges import Gauges
from shared.organisation import Organisations
from shared.postgres import Connection, Pool, close_pool, make_pool, opened, transaction
from shared.unit_of_work import UnitOfWork
from tests.support.databases import Database
from tests.support.fake_imap import FakeImap
from tests.support.frame import SERVICE
from tests.support.hiring import WITH_CASES
from tests.support.ingest_world import DOMAIN, World, mailbox, raw_mail, world_on
from tests.support.notes import NOTES, made, outgoing
from tests.support.office import Office, incoming, received, user
from tests.support.plans import Explained
from tests.support.waiting import eventually


def told(name: str, **labels: str) -> float | None:
    """What the process tells at `/metrics`."""
    return REGISTRY.get_sample_value(f"mailroom_{name}", labels)


async def test_the_outbox_tells_for_how_long_its_oldest_row_waits(pool: Pool) -> None:
    now: Any = await pool.fetchval("SELECT now()")
    clock = FixedClock(now)
    work = UnitOfWork(pool, service=SERVICE, clock=clock)
    gauges = Gauges(work)
    await gauges.look()
    assert told("outbox_oldest_seconds", service=SERVICE) == 0

    async with work.begin() as batch:
        batch.publish(echo("first"))
    async with work.begin() as batch:
        batch.publish(echo("second"))
    first, second = [row[0] for row in await pool.fetch("SELECT added_at FROM outbox ORDER BY id")]
    clock.set(second + timedelta(minutes=5))
    await gauges.look()
    assert told("outbox_oldest_seconds", service=SERVICE) == (clock.now() - first).total_seconds()
    await pool.execute("DELETE FROM outbox WHERE added_at = $1", first)
    await gauges.look()
    assert told("outbox_oldest_seconds", service=SERVICE) == 300


def echo(text: str) -> Any:
    incoming: Any = decode(made(0, text), NOTES.models, structured=False)
    return outgoing(incoming, text)


async def test_what_cannot_be_asked_is_unknown(database: Database) -> None:
    made = make_pool(database.dsn_of("ingest"), schema="ingest", application="tests")
    async with opened(made) as pool:
        gauges = Gauges(UnitOfWork(pool, service="ingest"), ingest_gauges.looks(Organisations()))
        await gauges.look()
        assert told("outbox_oldest_seconds", service="ingest") == 0
        assert told("mailbox_oldest_seconds") == 0
        await close_pool(pool)
        await gauges.look()
        assert told("outbox_oldest_seconds", service="ingest") is None
        assert math.isnan(told("mailbox_oldest_seconds") or 0)
        assert gauges.not_ready() is None


@pytest.fixture
async def office(database: Database) -> AsyncIterator[Office]:
    made = make_pool(database.dsn_of("activity"), schema="activity", application="tests")
    async with opened(made) as pool:
        office = Office(pool)
        await office.configure()
        yield office


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(database, tmp_path, ImapServer(host="fake.example")) as world:
        await world.configure(mailbox("help"), mailbox("billing"))
        yield world


async def test_mailboxes_tell_when_they_were_read_to_their_end_and_what_waits_in_them(world: World) -> None:
    imap = FakeImap()
    async with world.reading(imap.connect):

        async def both() -> bool:
            return await world.pool.fetchval("SELECT count(polled_until) FROM mailboxes") == 2

        await eventually(both)
    rows = await world.pool.fetch("SELECT mailbox, polled_until FROM mailboxes")
    read = {row["mailbox"]: row["polled_until"] for row in rows}
    clock = FixedClock(max(read.values()) + timedelta(hours=1))
    work = UnitOfWork(world.pool, service="ingest", clock=clock)
    gauges = Gauges(work, ingest_gauges.looks(Organisations()))
    await gauges.look()
    assert (told("mailbox_waiting_mails"), told("mailbox_oldest_seconds")) == (0, 0)
    assert told("mailbox_unread_seconds") == (clock.now() - min(read.values())).total_seconds()

    await world.pool.execute(
        "UPDATE mailboxes SET waiting = 7, oldest_waiting = $1 WHERE mailbox = 'help'",
        clock.now() - timedelta(minutes=20),
    )
    await gauges.look()
    assert (told("mailbox_waiting_mails"), told("mailbox_oldest_seconds")) == (7, 1200)

    # Nobody reads a mailbox that the configuration has no longer.
    await world.configure(mailbox("billing"))
    await gauges.look()
    assert (told("mailbox_waiting_mails"), told("mailbox_oldest_seconds")) == (0, 0)
    assert told("mailbox_unread_seconds") == (clock.now() - read["billing"]).total_seconds()


async def test_unhandled_mail_is_counted_by_its_reason(world: World) -> None:
    imap = FakeImap()
    mails = raw_mail(), raw_mail(to=f"help-alias@{DOMAIN}"), raw_mail(to=f"help-alias@{DOMAIN}")
    imap.deliver(f"help@{DOMAIN}", *mails)
    async with world.reading(imap.connect):

        async def taken() -> bool:
            return await world.states() == {"received": 1, "unhandled": 2}

        await eventually(taken)
    gauges = Gauges(world.work, ingest_gauges.looks(Organisations()))
    await gauges.look()
    assert told("unhandled_mails", reason="no route") == 2
    await world.pool.execute("UPDATE mails SET state = 'own', reason = NULL WHERE reason IS NOT NULL")
    await gauges.look()
    assert told("unhandled_mails", reason="no route") is None


async def test_timers_tell_whether_they_wait_for_their_turn_or_for_their_mailbox(office: Office) -> None:
    await office.take_in(received(message_id="one@harbour.test"))
    await office.step(asked.ActivityPickUp, "100001-T")
    await office.step(asked.TicketWait, "100001-T", days=1, close_if_no_response=True)
    await office.take_in(received(message_id="two@harbour.test"))
    await office.step(asked.ActivityPickUp, "100002-T")
    until = office.clock.now() + timedelta(days=1, minutes=1)
    await office.step(asked.ActivityWaitUntil, "100002-T", until=until)
    gauges = Gauges(office.unit, activity_gauges.looks(office.organisations))
    await gauges.look()
    assert [told("timer_oldest_seconds", waits_for=each) for each in ("turn", "mailbox")] == [0, 0]

    await office.advance(days=1, minutes=3)
    await gauges.look()
    assert [told("timer_oldest_seconds", waits_for=each) for each in ("turn", "mailbox")] == [120, 180]
    await Timers(office.unit, office.work, office.organisations).fire()
    await gauges.look()
    assert [told("timer_oldest_seconds", waits_for=each) for each in ("turn", "mailbox")] == [0, 180]


async def test_requests_are_counted_by_what_they_were_answered(office: Office) -> None:
    def answered(outcome: str) -> float:
        return told("requests_answered_total", outcome=outcome) or 0

    before = {outcome: answered(outcome) for outcome in ("accepted", "not_found", "not_allowed")}
    await office.take_in(received(message_id="one@harbour.test"))
    await office.step(asked.ActivityPickUp, "100001-T")
    await office.step(asked.ActivityReopen, "100001-T")
    await office.step(asked.ActivityPickUp, "999999-T")
    grown = {outcome: answered(outcome) - earlier for outcome, earlier in before.items()}
    assert grown == {"accepted": 1, "not_found": 1, "not_allowed": 1}


async def test_a_request_that_is_repeated_is_counted_once(office: Office) -> None:
    await office.take_in(received(message_id="one@harbour.test"))
    before = told("requests_answered_total", outcome="accepted") or 0
    for _ in range(2):
        pick_up = asked.ActivityPickUp(
            actor=asked.Actor(kind=asked.ActorKind.USER, id="amelie"), reference="100001-T"
        )
        await office.ask(pick_up, "the-same")
    assert told("requests_answered_total", outcome="accepted") == before + 1


async def test_what_has_to_be_begun_again_is_counted_once(office: Office) -> None:
    """Actions start more Cases than their batch had numbers for: all of it is worked on anew."""
    await office.configure(WITH_CASES, 2)
    erp = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
    await office.ask(asked.ActivityOpen(type="case.open", actor=erp, process="hiring", title="Nora"))
    before = told("requests_answered_total", outcome="accepted") or 0
    about: dict[str, Any] = {"actor": user("amelie"), "reference": "100001-C"}
    note = asked.ActivityNote(type="case.note", text="One", **about)
    launch = asked.CaseLaunch(action="equip", copies=7, **about)
    await office.take_in(incoming(note, "note"), incoming(launch, "launch"))
    assert await office.pool.fetchval("SELECT count(*) FROM activities WHERE reference = '100008-C'") == 1
    assert told("requests_answered_total", outcome="accepted") == before + 2


async def test_what_is_not_kept_is_not_counted(office: Office) -> None:
    """The second of a batch fails, so that both are worked on once more, each by itself."""
    await office.take_in(received(message_id="one@harbour.test"))
    before = told("requests_answered_total", outcome="accepted") or 0
    note = asked.ActivityNote(type="ticket.note", actor=user("amelie"), reference="100001-T", text="One")
    broken = ScheduleCame(
        process="nowhere", schedule="none", planned_at=office.clock.now(), following=office.clock.now()
    )
    (culprit,) = await office.attempt(incoming(note, "note"), incoming(broken, "nowhere/none/now"))
    assert culprit.incoming.message == broken
    assert told("requests_answered_total", outcome="accepted") == before + 1


async def test_cases_that_need_attention_are_counted_by_process(office: Office) -> None:
    """C6: since when an Action of theirs was given up, until somebody takes them, and from an index alone."""
    await office.configure(WITH_CASES, 2)
    for number in range(1, 4):
        erp = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
        await office.ask(asked.ActivityOpen(type="case.open", actor=erp, process="hiring", title="Nora"))
        if number < 3:
            await office.advance(hours=1)
            await office.step(asked.ActionGiveUp, f"10000{number}-C-A1.1", reason="No licence is left.")
    gauges = Gauges(office.unit, activity_gauges.looks(office.organisations))
    await office.advance(hours=1)
    await gauges.look()
    assert told("cases_needing_attention", process="hiring") == 2
    assert told("attention_oldest_seconds") == 7200
    await office.step(asked.ActivityPickUp, "100001-C")
    await gauges.look()
    assert told("cases_needing_attention", process="hiring") == 1
    assert told("attention_oldest_seconds") == 3600
    await office.step(asked.CaseAbandon, "100002-C")
    await gauges.look()
    assert told("cases_needing_attention", process="hiring") is None
    assert told("attention_oldest_seconds") == 0


async def test_cases_that_need_attention_are_found_without_looking_at_the_others(office: Office) -> None:
    """C6: a hundred open Cases, one of which needs attention."""
    await office.configure(WITH_CASES, 2)
    erp = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
    opening = asked.ActivityOpen(type="case.open", actor=erp, process="hiring", title="Nora")
    await office.take_in(*(incoming(opening, f"opening-{number}") for number in range(100)))
    await office.step(asked.ActionGiveUp, "100050-C-A1.1", reason="No licence is left.")
    async with transaction(office.pool) as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        explained = Explained(connection)
        (found,) = await store_attention.needing(cast(Connection, explained))
    assert (found.process, found.cases) == ("hiring", 1)
    (plan,) = explained.plans
    assert "cases_that_need_attention" in {node.get("Index Name") for node in plan.nodes()}
    assert plan.rows < 20
