"""Timers: waits and windows end by themselves, once, and never before an answer was read (design §5)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.activity import store_families, store_timers
from services.activity.handlers import Handlers
from services.activity.timers import Timers
from shared.contracts import activity_requests as asked
from shared.contracts.ingest_mails import MailboxPolled
from shared.metrics import TIMERS_FIRED
from shared.postgres import transaction
from shared.unit_of_work import Batch
from tests.support.office import ACME, DEFINITION, NOON, Office, incoming, received

PARTITIONS = 3


@pytest.fixture
def timers(office: Office) -> Timers:
    return a_worker(office)


def a_worker(office: Office, page: int = 200) -> Timers:
    return Timers(office.unit, office.work, office.organisations, page=page, partitions=PARTITIONS)


async def read_up_to(office: Office, until: datetime, *, mailbox: str = "help", missing: int = 0) -> None:
    """ingest tells, in every partition but `missing`, that the mailbox was read."""
    marks = [
        incoming(
            MailboxPolled(mailbox=mailbox, until=until, partition=partition), f"{mailbox}/{until}/{partition}"
        )
        for partition in range(PARTITIONS - missing)
    ]

    async def work(batch: Batch[MailboxPolled]) -> None:
        await Handlers(office.work).on_mails(batch)

    await office.unit.run(work, marks)


async def a_waiting_ticket(office: Office, number: int = 1, **wait: Any) -> str:
    await office.take_in(received(message_id=f"{number}@harbour.test"))
    reference = f"10000{number}-T"
    answer = await office.step(asked.TicketWait, reference, **{"days": 2, **wait})
    assert answer["status"] == "wait"
    return reference


async def test_a_wait_ends_by_itself(office: Office, timers: Timers) -> None:
    """T14: nothing is closed, so nobody waits for mailboxes."""
    reference = await a_waiting_ticket(office)
    await office.advance(days=2, seconds=-1)
    assert await timers.fire() == 0
    await office.advance(seconds=1)
    assert await timers.fire() == 1
    ticket = await office.ticket(reference)
    assert (ticket["status"], ticket["queue"]) == ("to_do", "desk")
    last = (await office.history(reference))[-1]
    assert (last["rule"], last["reason"], last["actor_kind"]) == ("T14", "timeout", "system")
    assert await timers.fire() == 0


async def test_a_date_is_reached(office: Office, timers: Timers) -> None:
    """T16."""
    await office.take_in(received(message_id="1@harbour.test"))
    await office.step(asked.ActivityWaitUntil, "100001-T", until=NOON + timedelta(hours=5))
    await office.advance(hours=5)
    await timers.fire()
    assert (await office.rules("100001-T"))[-1] == ("status_changed", "T16")


async def test_no_answer_closes_once_the_mailbox_was_read_past_the_due_time(
    office: Office, timers: Timers
) -> None:
    """T15, AMB-6: one mail to the primary contact."""
    reference = await a_waiting_ticket(office, close_if_no_response=True)
    due = NOON + timedelta(days=2)
    await office.advance(days=3)
    assert await timers.fire() == 0
    await read_up_to(office, due - timedelta(seconds=1))
    assert await timers.fire() == 0
    await read_up_to(office, due, missing=1)
    assert await timers.fire() == 0, "a partition may still hold an answer"
    await read_up_to(office, due)
    assert await timers.fire() == 1
    ticket = await office.ticket(reference)
    assert (ticket["status"], ticket["resolution"]["method"]) == ("closed", "no_customer_response")
    compose = (await office.asked_of_notify())[-1]
    assert (compose["template"], compose["automatic"], compose["cc"]) == ("silence", True, [])
    assert compose["variables"]["waited"] == "2"
    assert compose["in_reply_to"] == "1@harbour.test"


async def test_an_answer_that_waited_in_the_mailbox_wins(office: Office, timers: Timers) -> None:
    """Design §5: after an outage the mail is read before the mark that lets the timer fire."""
    reference = await a_waiting_ticket(office, close_if_no_response=True)
    await office.advance(days=30)
    await office.take_in(received(message_id="2@harbour.test", in_reply_to="1@harbour.test"))
    await read_up_to(office, office.clock.now())
    assert await timers.fire() == 0
    assert (await office.ticket(reference))["status"] == "to_do"


async def test_a_feedback_window_ends(office: Office, timers: Timers) -> None:
    """T26; and until then the Ticket comes back with a mail (T23)."""
    await office.take_in(received(message_id="1@harbour.test"))
    await office.step(asked.ActivityPickUp, "100001-T")
    await office.step(asked.TicketResolve, "100001-T", method="with_customer_response")
    await office.take_in(received(message_id="2@harbour.test", in_reply_to="1@harbour.test"))
    ticket = await office.ticket("100001-T")
    assert (ticket["status"], ticket["reopening"]["by"]["kind"]) == ("to_do", "system")
    await office.step(asked.TicketResolve, "100001-T", method="rejected")
    await office.advance(days=4)
    await read_up_to(office, office.clock.now())
    await timers.fire()
    ticket = await office.ticket("100001-T")
    assert ticket["status"] == "closed"
    assert ticket["first_resolution"]["method"] == "with_customer_response"
    assert (await office.history("100001-T"))[-1]["reason"] == "feedback_window_passed"


async def test_a_mailbox_that_is_gone_is_not_waited_for(office: Office, timers: Timers) -> None:
    reference = await a_waiting_ticket(office, close_if_no_response=True)
    left = tuple(mailbox for mailbox in DEFINITION.mailboxes if mailbox.name != "help")
    await office.configure(DEFINITION.model_copy(update={"mailboxes": left}), version=2)
    await office.advance(days=3)
    assert await timers.fire() == 1
    assert (await office.ticket(reference))["status"] == "closed"


async def test_one_mailbox_that_is_not_read_holds_up_no_other(office: Office, timers: Timers) -> None:
    await a_waiting_ticket(office, 1, close_if_no_response=True)
    await office.take_in(received(message_id="b@harbour.test", to=["billing@acme.test"]))
    await office.step(asked.TicketWait, "100002-T", days=2, close_if_no_response=True)
    await office.advance(days=3)
    await read_up_to(office, office.clock.now(), mailbox="billing")
    assert await timers.fire() == 1
    assert [ticket["status"] for ticket in await office.tickets()] == ["wait", "closed"]


async def test_a_mark_never_moves_backwards(office: Office) -> None:
    await read_up_to(office, NOON + timedelta(hours=1))
    await read_up_to(office, NOON)
    marks = await office.pool.fetch("SELECT DISTINCT until FROM polled_mailboxes")
    assert [mark["until"] for mark in marks] == [NOON + timedelta(hours=1)]


async def test_a_stale_timer_is_dropped(
    office: Office, timers: Timers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AMB-44: the wait is re-dated between finding the timer and locking its family."""
    reference = await a_waiting_ticket(office)
    await office.advance(days=2)
    lock_free = store_families.lock_free

    async def late(*arguments: object) -> object:
        await office.step(asked.TicketWait, reference, days=5)
        monkeypatch.undo()
        return await lock_free(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(store_families, "lock_free", late)
    assert await timers.fire() == 1
    assert (await office.ticket(reference))["status"] == "wait"
    assert await timers.fire() == 0


async def test_a_timer_that_a_mail_made_stale_in_the_same_second_is_dropped(
    office: Office, timers: Timers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AMB-44: the answer comes between finding the timer and locking its family; it alone wakes."""
    reference = await a_waiting_ticket(office, close_if_no_response=True)
    await office.advance(days=2)
    await read_up_to(office, office.clock.now())
    lock_free = store_families.lock_free

    async def late(*arguments: object) -> object:
        monkeypatch.undo()
        await office.take_in(received(message_id="2@harbour.test", in_reply_to="1@harbour.test"))
        return await lock_free(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(store_families, "lock_free", late)
    fired = TIMERS_FIRED._value.get()
    assert await timers.fire() == 1
    assert (await office.ticket(reference))["status"] == "to_do"
    ended = [rule for type_, rule in await office.rules(reference) if type_ == "status_changed"]
    assert ended[-1] == "T13"
    assert "T15" not in ended
    assert TIMERS_FIRED._value.get() == fired
    assert await timers.fire() == 0


async def test_a_worker_goes_on_behind_what_another_one_holds(office: Office) -> None:
    """Else the second one would look at the first one's page again and again."""
    held, free = await a_waiting_ticket(office, 1), await a_waiting_ticket(office, 2)
    await office.advance(days=2)
    worker = a_worker(office, page=1)
    async with transaction(office.pool) as connection:
        first = min([await office.ticket(held), await office.ticket(free)], key=lambda ticket: ticket["id"])
        await store_families.lock(connection, {(ACME, first["id"])})
        assert [await worker.fire(), await worker.fire(), await worker.fire()] == [1, 1, 0]
        assert sorted(ticket["status"] for ticket in await office.tickets()) == ["to_do", "wait"]
    assert await worker.fire() == 1
    assert [ticket["status"] for ticket in await office.tickets()] == ["to_do", "to_do"]


async def test_a_clock_that_jumps_lets_no_timer_fire_twice_or_never(office: Office, timers: Timers) -> None:
    """AMB-44: forwards past one of two waits, back to before both began, and forwards again."""
    await a_waiting_ticket(office, 1, days=1)
    await a_waiting_ticket(office, 2, days=3)
    fired = []
    for days in (2, -2, 2, 4, 40):
        office.clock.set(NOON + timedelta(days=days))
        fired.append(await timers.fire())
    assert fired == [1, 0, 0, 1, 0]
    for reference in ("100001-T", "100002-T"):
        assert [rule for _, rule in await office.rules(reference)].count("T14") == 1


async def test_a_note_does_not_disarm_a_timer(office: Office, timers: Timers) -> None:
    """Design §5: the generation belongs to the wait."""
    reference = await a_waiting_ticket(office)
    await office.step(asked.ActivityNote, reference, text="Still waiting")
    await office.advance(days=2)
    await timers.fire()
    assert (await office.ticket(reference))["status"] == "to_do"


async def test_what_somebody_else_works_on_is_skipped(office: Office, timers: Timers) -> None:
    """SKIP LOCKED: a family that is locked holds up nobody."""
    held, free = await a_waiting_ticket(office, 1), await a_waiting_ticket(office, 2)
    await office.advance(days=2)
    async with transaction(office.pool) as connection:
        await store_families.lock(connection, {(ACME, (await office.ticket(held))["id"])})
        await timers.fire()
        assert [ticket["status"] for ticket in await office.tickets()] == ["wait", "to_do"]
    await timers.fire()
    assert (await office.ticket(held))["status"] == (await office.ticket(free))["status"] == "to_do"


async def test_several_workers_share_the_work_and_each_timer_fires_once(office: Office) -> None:
    references = [await a_waiting_ticket(office, number) for number in range(1, 9)]
    await office.advance(days=2)
    workers = [a_worker(office, page=3) for _ in range(3)]

    async def until_done(fire: Callable[[], Awaitable[int]]) -> None:
        while await fire():
            pass

    await asyncio.gather(*(until_done(worker.fire) for worker in workers))
    for reference in references:
        assert [rule for _, rule in await office.rules(reference)].count("T14") == 1


async def test_a_timer_that_fails_by_itself_holds_up_no_other(
    office: Office, timers: Timers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_waiting_ticket(office, 1)
    await a_waiting_ticket(office, 2)
    await office.pool.execute(
        "UPDATE activities SET process = 'gone' WHERE reference = '100001-T'"  # a bug of ours, say
    )
    await office.advance(days=2)
    await timers.fire()
    assert [ticket["status"] for ticket in await office.tickets()] == ["wait", "to_do"]
    assert await timers.fire() == 0
    await office.advance(minutes=11)
    assert await timers.fire() == 1


async def test_due_timers_come_in_the_order_of_their_time(office: Office) -> None:
    await a_waiting_ticket(office, 1, days=2)
    await a_waiting_ticket(office, 2, days=1)
    await office.advance(days=2)
    async with transaction(office.pool) as connection:
        horizon = store_timers.Horizon(office.clock.now(), (), PARTITIONS)
        due = await store_timers.due(connection, horizon, limit=1)
    assert [timer.due_at for timer in due] == [NOON + timedelta(days=1)]
