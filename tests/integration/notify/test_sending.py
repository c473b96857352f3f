"""Working the queue on a real database: claims, results, retries, kills, outages (NT-14, design §2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from services.notify import posting, store_list, store_queue
from services.notify.domain.delivery import Recipient, Result
from services.notify.domain.retry import ATTEMPTS
from services.notify.lane import Lane
from services.notify.sender import Sender
from services.notify.smtp import Letter, SmtpServer
from shared.metrics import OUTGOING_REPEATS
from shared.unit_of_work import Batch
from tests.support.dispatch import Dispatch, request, sample, written
from tests.support.fake_smtp import FakeSmtp
from tests.support.letters import parsed
from tests.support.waiting import eventually


async def reach(office: Dispatch, *states: str) -> None:
    async def reached() -> bool:
        found = await office.states()
        assert found == list(states), found
        return True

    await eventually(reached)


async def test_what_is_queued_is_sent_and_told(office: Dispatch) -> None:
    async with office.sending():
        await office.ask(request(1))
        await reach(office, "sent")
    (delivered,) = office.scripts["main"].delivered
    (told,) = await office.said("mail.sent")
    assert delivered.recipients == ("customer1@harbour.test",)
    assert parsed(delivered.mime)["Message-ID"] == f"<{told.message_id}>"
    assert [(each.address, each.delivery, each.code) for each in told.recipients] == [
        ("customer1@harbour.test", "accepted", 250)
    ]
    assert await office.attempts() == ["sent"]


async def test_automatic_mail_comes_from_nobody_and_a_persons_mail_from_its_home(office: Dispatch) -> None:
    """RFC 3834 3.3."""
    async with office.sending():
        await office.ask(request(1), written(2))
        await reach(office, "sent", "sent")
    senders = {each.recipients[0]: each.sender for each in office.scripts["main"].delivered}
    assert senders["customer1@harbour.test"] == ""
    assert senders["customer2@harbour.test"].startswith("help+101203-T.")


async def test_a_connection_is_kept_warm(office: Dispatch) -> None:
    async with office.sending():
        await office.ask(*(request(number) for number in range(20)))
        await reach(office, *["sent"] * 20)
    assert office.scripts["main"].connections <= 2


async def test_a_temporary_refusal_is_tried_again_later_with_the_same_message_id(office: Dispatch) -> None:
    """NT-14."""
    script = office.scripts["main"]
    script.recipients = {"customer1@harbour.test": (451, "greylisted")}
    async with office.sending():
        await office.ask(request(1))
        await reach(office, "deferred")
        (told,) = await office.said("mail.deferred")
        assert (told.attempts, told.reason) == (1, "customer1@harbour.test: 451 greylisted")
        assert told.next_attempt > office.clock.now()
        script.recipients = {}
        office.clock.set(told.next_attempt)
        await office.wake()
        await reach(office, "sent")
    assert await office.attempts() == ["deferred", "sent"]
    assert len(script.delivered) == 1


async def test_a_final_refusal_is_final(office: Dispatch) -> None:
    """NT-14."""
    office.scripts["main"].recipients = {"customer1@harbour.test": (550, "no such user")}
    async with office.sending():
        await office.ask(request(1))
        await reach(office, "failed")
    (told,) = await office.said("mail.failed")
    assert told.reason == "customer1@harbour.test: 550 no such user"
    assert (await office.row())["due_at"] is None


async def test_only_those_who_do_not_have_it_get_it_again(office: Dispatch) -> None:
    script = office.scripts["main"]
    script.recipients = {"b@harbour.test": (450, "later"), "c@harbour.test": (550, "nobody")}
    async with office.sending():
        await office.ask(written(1, "a@harbour.test", "b@harbour.test", "c@harbour.test"))
        await reach(office, "deferred")
        script.recipients = {}
        office.clock.advance(timedelta(hours=1))
        await office.wake()
        await reach(office, "sent")
    assert [each.recipients for each in script.delivered] == [("a@harbour.test",), ("b@harbour.test",)]
    (told,) = await office.said("mail.sent")
    assert [each.delivery for each in told.recipients] == ["accepted", "accepted", "refused"]


async def test_after_ten_attempts_a_mail_is_given_up_and_a_person_may_go_on(office: Dispatch) -> None:
    """NT-14."""
    script = office.scripts["main"]
    script.data = (451, "try later")
    async with office.sending():
        await office.ask(request(1))
        for attempt in range(1, ATTEMPTS + 1):
            await eventually(partial(attempts_made, office, attempt))
            office.clock.advance(timedelta(days=30))
            await office.wake()
        await reach(office, "failed")
    assert len(await office.said("mail.deferred")) == ATTEMPTS - 1
    (told,) = await office.said("mail.failed")
    assert told.reason.startswith("Given up after 10 attempts.")


async def attempts_made(office: Dispatch, number: int) -> bool:
    return len(await office.attempts()) == number


async def test_a_result_that_comes_too_late_changes_nothing(office: Dispatch) -> None:
    await office.ask(request(1))
    boxes = [("acme", "help")]
    now = office.clock.now()
    async with office.work.begin() as batch:
        (first,) = await store_queue.claim(batch.connection, boxes, 5, now, now)
    async with office.work.begin() as batch:
        (second,) = await store_queue.claim(batch.connection, boxes, 5, now, now + timedelta(minutes=1))
    assert (first.lost, second.lost, second.attempts) == (False, True, 2)
    answers = [Recipient("customer1@harbour.test", Result.ACCEPTED, 250, "OK")]
    async with office.work.begin() as batch:
        late = posting.settled(first, answers, office.clock)
        assert await store_queue.settle(batch.connection, [late]) == set()
        good = posting.settled(second, answers, office.clock)
        assert await store_queue.settle(batch.connection, [good]) == {second.key}
        assert await store_queue.settle(batch.connection, [good]) == set()
    assert await office.attempts() == ["lost", "sent"]


async def test_a_lost_answer_is_counted_as_a_repeat(office: Dispatch) -> None:
    repeats = OUTGOING_REPEATS.labels("unanswered")._value.get()
    office.scripts["main"].vanish = "data"
    async with office.sending():
        await office.ask(request(1))
        await reach(office, "deferred")
    assert await office.attempts() == ["unanswered"]
    assert OUTGOING_REPEATS.labels("unanswered")._value.get() == repeats + 1


async def test_a_server_that_is_away_costs_no_mail_an_attempt(office: Dispatch) -> None:
    """An outage of any length loses nothing."""
    script = office.scripts["main"]
    script.away = True
    async with office.sending() as sender:
        await office.ask(*(request(number) for number in range(3)))
        await eventually(lambda: main_lane(sender).pause.failures >= 1)
        assert "connection refused" in (main_lane(sender).not_ready() or "")
        assert sender.not_ready() is None, "another server works"
        script.away = False
        for _ in range(20):
            office.clock.advance(timedelta(minutes=10))
            main_lane(sender).pause._until = 0.0
            await office.wake()
        await reach(office, "sent", "sent", "sent")
    assert await office.attempts(0) == ["sent"]
    assert await office.said("mail.deferred") == []


def main_lane(sender: Sender) -> Lane:
    lanes = [lane for account, (lane, _) in sender._lanes.items() if account.server == "main"]
    assert lanes, "the lane is not there yet"
    return lanes[0]


async def test_one_server_that_is_away_stops_nobody_else(office: Dispatch) -> None:
    """NT-18: each mailbox sends through its own server."""
    office.scripts["main"].away = True
    async with office.sending():
        await office.ask(request(1), request(2, mailbox="billing"))
        await eventually(lambda: sent_by(office, "other"))
    assert (await office.row(1))["attempts"] == 0


def sent_by(office: Dispatch, server: str) -> int:
    return len(office.scripts[server].delivered)


async def test_mailboxes_of_one_server_take_turns(office: Dispatch) -> None:
    await office.ask(*(request(number) for number in range(20)))
    await office.ask(request(30, mailbox="billing"))
    now = office.clock.now()
    async with office.work.begin() as batch:
        boxes = [("acme", "help"), ("acme", "billing")]
        claimed = await store_queue.claim(batch.connection, boxes, 2, now, now + timedelta(minutes=1))
    assert len(claimed) == 2
    assert (await office.row(30))["state"] == "sending"


async def test_two_senders_send_each_mail_once(office: Dispatch) -> None:
    async with office.sending(), office.sending():
        await office.ask(*(request(number) for number in range(40)))
        await reach(office, *["sent"] * 40)
    recipients = [each.recipients for each in office.scripts["main"].delivered]
    assert len(recipients) == len(set(recipients)) == 40
    assert len(await office.said("mail.sent")) == 40


async def test_mail_of_a_mailbox_without_a_server_is_held(office: Dispatch) -> None:
    """NT-14: it waits until the mailbox has one."""
    definition = sample()
    moved = [
        each.model_copy(update={"smtp": each.smtp.model_copy(update={"server": "gone"})})
        for each in definition.mailboxes
    ]
    await office.configure(definition.model_copy(update={"mailboxes": tuple(moved)}), version=2)
    async with office.sending() as sender:
        await office.ask(request(1))
        await eventually(lambda: sender.not_ready() is None)
        async with office.work.begin() as batch:
            length = await store_list.queue_length(batch.connection, [])
        assert (length.held, length.by_state) == (1, {"queued": 1})
        await office.configure(definition, version=3)
        await office.wake()
        await reach(office, "sent")


async def test_a_stop_lets_the_mail_under_way_end(office: Dispatch) -> None:
    script = office.scripts["main"]
    begun, go_on = asyncio.Event(), asyncio.Event()
    made = FakeSmtp(script)

    class SlowConnection:
        def __init__(self) -> None:
            self._real = made.connect(SmtpServer(host="main"), None)

        @property
        def usable(self) -> bool:
            return self._real.usable

        async def open(self) -> None:
            await self._real.open()

        async def check(self) -> None: ...

        async def deliver(self, letter: Letter) -> list[Recipient]:
            begun.set()
            await go_on.wait()
            return await self._real.deliver(letter)

        async def close(self) -> None:
            await self._real.close()

    task = asyncio.create_task(office.sender(lambda server, login: SlowConnection()).run())
    await office.ask(request(1), request(2), request(3))
    await begun.wait()
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    states = await office.states()
    assert "sending" not in states
    assert states.count("sent") == len(script.delivered)
    assert set(states) <= {"sent", "queued"}


async def test_claims_whose_commit_got_no_answer_are_worked_on_at_once(
    office: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee 6. Time stands still here, so no claim ends by itself."""
    begin = office.work.begin
    lost: list[int] = []

    @asynccontextmanager
    async def begin_and_lose_the_answer() -> AsyncIterator[Batch[Any]]:
        async with begin() as batch:
            yield batch
        sending = (await office.states()).count("sending")
        if sending and len(lost) < 3:
            lost.append(sending)
            raise ConnectionResetError("the commit's answer was lost")

    monkeypatch.setattr(office.work, "begin", begin_and_lose_the_answer)
    async with office.sending():
        await office.ask(*(request(number) for number in range(5)))
        await reach(office, *["sent"] * 5)
    assert len(lost) == 3
    assert len(office.scripts["main"].delivered) == len(await office.said("mail.sent")) == 5
    assert {tuple(await office.attempts(number)) for number in range(5)} == {("sent",)}


async def test_a_database_that_cuts_its_connections_loses_and_repeats_nothing(office: Dispatch) -> None:
    """Guarantee 6: any dependency may be away."""
    async with office.sending():
        for number in range(30):
            await office.ask(request(number))
            if number % 10 == 5:
                await office.pool.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND usename = current_user "
                    "AND datname = current_database()"
                )
        await reach(office, *["sent"] * 30)
    recipients = [each.recipients for each in office.scripts["main"].delivered]
    assert len(recipients) == len(set(recipients)) == 30
    assert len(await office.said("mail.sent")) == 30
