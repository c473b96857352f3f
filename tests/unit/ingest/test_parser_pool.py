"""Design §2 (guarantee 5) and §3: the worst mail costs only itself, whatever it does to a parser."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import psutil
import pytest
import uvloop

from services.ingest.domain.mail import ParsedMail
from services.ingest.parsing import frames, worker
from services.ingest.parsing import pool as pools
from services.ingest.parsing.frames import Manner, Order, Parsed
from services.ingest.parsing.parser import parse
from services.ingest.parsing.pool import ATTEMPTS, Limits, ParserPool
from services.ingest.parsing.worker import Worker, WorkerDied, WorkerUnavailable
from tests.support.waiting import eventually
from tests.unit.ingest.desk import MAILS, raw

CORPUS = [path.read_bytes() for path in sorted(MAILS.glob("*.eml"))]
# Harmless in its raw bytes; the doubles below do to it what a real killer would do.
KILLER = b"From: jane@customer.example\r\nMessage-ID: <killer@customer.example>\r\n\r\nboom\r\n"
NESTED = b"From: jane@customer.example\n" + b"".join(
    b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (level, level) for level in range(20_000)
)


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[ParserPool]:
    async with ParserPool() as started:
        yield started


async def test_a_page_comes_back_parsed_and_in_order(pool: ParserPool) -> None:
    assert await pool.parse_page(CORPUS) == [parse(mail) for mail in CORPUS]
    assert await pool.parse_page([]) == []


async def test_a_large_page_is_sent_in_pieces() -> None:
    async with ParserPool(limits=Limits(page_bytes=1000)) as pool:
        assert await pool.parse_page(CORPUS) == [parse(mail) for mail in CORPUS]


async def test_many_tasks_share_a_pool(pool: ParserPool) -> None:
    pages = await asyncio.gather(*(pool.parse_page(CORPUS[:5]) for _ in range(4)))
    assert all(page == pages[0] for page in pages)


async def test_a_mail_that_looks_dangerous_is_counted_before_it_is_parsed_alone(pool: ParserPool) -> None:
    counted = Attempts()
    good, bad = await pool.parse_page([raw("plain"), NESTED], counted)
    assert counted.by_index == {1: 1}
    assert good == parse(raw("plain"))
    assert bad.unparsed_reason == "its parts are nested too deeply"
    assert bad.sender is not None


async def test_a_mail_that_was_tried_too_often_is_not_tried_again(pool: ParserPool) -> None:
    counted = Attempts(already=ATTEMPTS)
    (mail,) = await pool.parse_page([NESTED], counted)
    assert mail.unparsed_reason == "an earlier attempt to parse it did not end"
    assert mail.sender is not None


async def test_a_process_that_is_killed_costs_nothing(pool: ParserPool) -> None:
    await pool.parse_page([raw("plain")])
    (page_worker,) = pool._pages
    assert page_worker.pid is not None
    os.kill(page_worker.pid, signal.SIGKILL)
    counted = Attempts()
    assert await pool.parse_page([raw("plain"), raw("chinese")], counted) == [
        parse(raw("plain")),
        parse(raw("chinese")),
    ]
    assert counted.by_index == {0: 1, 1: 1}
    assert await pool.parse_page([raw("plain")], counted) == [parse(raw("plain"))]
    assert counted.by_index == {0: 1, 1: 1}


async def test_a_process_that_was_killed_at_rest_costs_nothing_on_the_services_event_loop() -> None:
    """It tells of a closed pipe in another way than Python's own."""

    async def parse_and_kill() -> list[ParsedMail]:
        async with ParserPool() as pool:
            await pool.parse_page([raw("plain")])
            process = pool._pages[0]._process
            assert process is not None
            process.kill()
            await process.wait()
            return await pool.parse_page([raw("plain"), raw("chinese")])

    parsed = await asyncio.to_thread(lambda: uvloop.run(parse_and_kill()))
    assert parsed == [parse(raw("plain")), parse(raw("chinese"))]


async def test_the_page_of_a_mail_that_kills_its_parser_is_replayed_singly(
    pool: ParserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = dying_when(
        monkeypatch, lambda order: KILLER in order.mails and order.manner is not Manner.HEADERS
    )
    counted = Attempts()
    first, killer, last = await pool.parse_page([raw("plain"), KILLER, raw("chinese")], counted)
    assert (first, last) == (parse(raw("plain")), parse(raw("chinese")))
    assert killer.unparsed_reason == "the parser died of SIGSEGV"
    assert killer.message_id == "killer@customer.example"
    assert counted.by_index == {0: 1, 1: ATTEMPTS + 1, 2: 1}
    assert [manner for manner in asked if manner is not Manner.PAGE] == [
        Manner.ALONE,
        *(Manner.ALONE, Manner.PLAIN, Manner.HEADERS),
        Manner.ALONE,
    ]


async def test_kills_from_outside_are_not_held_against_the_mail_they_met(
    pool: ParserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where memory is short, the kernel may kill the same mail's parsers again and again."""
    monkeypatch.setattr(pools, "KILLED_PAUSES", (0.0,) * 4)
    kills = iter(range(5))  # that of the page, and four while it is parsed alone
    dying_when(monkeypatch, lambda order: next(kills, None) is not None, of=signal.SIGKILL)
    counted = Attempts()
    assert await pool.parse_page([raw("plain")], counted) == [parse(raw("plain"))]
    assert counted.by_index == {0: 1}


async def test_a_mail_whose_parsers_are_killed_for_ever_is_kept_with_its_reason(
    pool: ParserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "KILLED_PAUSES", (0.0,))
    asked = dying_when(monkeypatch, lambda order: True, of=signal.SIGKILL)
    (mail,) = await pool.parse_page([KILLER])
    assert mail.unparsed_reason == "the parser died of SIGKILL"
    assert len(asked) == 1 + 2 * (ATTEMPTS + 1)


async def test_a_mail_whose_very_headers_kill_still_has_a_digest_and_a_reason(
    pool: ParserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying_when(monkeypatch, lambda order: True)
    (mail,) = await pool.parse_page([KILLER])
    assert replace(mail, digest="") == ParsedMail(
        size=len(KILLER), digest="", unparsed_reason="the parser died of SIGSEGV"
    )
    assert len(mail.digest) == 64


async def test_what_the_counter_raises_goes_through(pool: ParserPool) -> None:
    async def no_database(index: int) -> int:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await pool.parse_page([NESTED], no_database)
    assert await pool.parse_page([raw("plain")]) == [parse(raw("plain"))]


async def test_no_mail_gets_more_than_two_seconds_and_512_mb(pool: ParserPool) -> None:
    """Of the processor, and of address space: as the kernel keeps it."""
    assert Limits().seconds <= 2
    await pool.parse_page([raw("plain"), NESTED])
    for process in (*pool._pages, pool._single):
        assert process.pid is not None
        soft, hard = psutil.Process(process.pid).rlimit(psutil.RLIMIT_AS)
        assert soft == hard == Limits().memory <= 512 * 1024**2


async def test_an_answer_that_does_not_come_is_not_waited_for_and_the_next_one_has_a_new_process() -> None:
    working = Worker(memory=0)
    try:
        with pytest.raises(WorkerDied, match="no answer"):
            await working.ask(Order(Manner.PAGE, CORPUS * 20), seconds=0)
        assert (await working.ask(Order(Manner.PAGE, [KILLER]), 10)).mails == [parse(KILLER)]
    finally:
        await working.close()


async def test_a_mail_that_takes_too_much_of_the_processor_ends_its_process_with_a_reason() -> None:
    """Whatever library is at work then, and however busy the machine is."""
    working = Worker(memory=0)
    try:
        with pytest.raises(WorkerDied, match="it takes too long to parse"):
            await working.ask(Order(Manner.LENIENT, [raw("plain"), NESTED], seconds=0.02), 60)
        many = Order(Manner.PAGE, CORPUS * 20, seconds=0.5)
        assert len((await working.ask(many, 60)).mails) == len(many.mails), "each has its own allowance"
    finally:
        await working.close()


async def test_a_mail_that_takes_too_long_in_every_manner_is_kept_with_its_head() -> None:
    async with ParserPool(limits=Limits(seconds=0.1)) as pool:
        first, slow, last = await pool.parse_page([raw("plain"), NESTED, raw("chinese")])
    assert (first, last) == (parse(raw("plain")), parse(raw("chinese")))
    assert slow.unparsed_reason == "it takes too long to parse"
    assert slow.sender is not None


async def test_a_page_of_html_that_takes_too_long_becomes_text() -> None:
    """The sanitiser needs time by the square of an element's attributes."""
    attributes = b" ".join(b"a%d=b" % number for number in range(30_000))
    mail = b"From: jane@customer.example\r\nContent-Type: text/html\r\n\r\n<p " + attributes + b">Hello.</p>"
    async with ParserPool(limits=Limits(seconds=0.1)) as pool:
        first, slow = await pool.parse_page([raw("plain"), mail])
    assert first == parse(raw("plain"))
    assert (slow.unparsed_reason, slow.text, slow.html) == (None, "Hello.", "")


async def test_an_order_has_a_memory_limit() -> None:
    working = Worker(memory=200 * 1024**2)
    try:
        with pytest.raises(WorkerDied, match=r"memory|died|exit code"):
            await working.ask(Order(Manner.LENIENT, [raw("plain") + b"x" * 80 * 1024**2]), 30)
        assert (await working.ask(Order(Manner.ALONE, [KILLER]), 10)).mails == [parse(KILLER)]
    finally:
        await working.close()


async def test_an_abandoned_order_leaves_no_answer_for_the_next_one() -> None:
    working = Worker(memory=0)
    try:
        asking = asyncio.create_task(working.ask(Order(Manner.PAGE, CORPUS * 50), 30))
        await eventually(lambda: working.pid is not None)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (await working.ask(Order(Manner.PAGE, [KILLER]), 10)).mails == [parse(KILLER)]
    finally:
        await working.close()


async def test_a_process_that_cannot_start_is_nobodys_mails_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_CHILD", "services.ingest.parsing.no_such_module")
    async with ParserPool() as pool:
        with pytest.raises(WorkerUnavailable, match="exit code 1"):
            await pool.parse_page([raw("plain")])


async def test_the_processes_end_with_the_pool() -> None:
    async with ParserPool() as pool:
        await pool.parse_page([raw("plain"), NESTED])
        pids = [one.pid for one in (*pool._pages, pool._single)]
    assert all(pid is not None and not psutil.pid_exists(pid) for pid in pids)


async def test_a_process_dies_with_its_parent() -> None:
    """Even while it parses: stdin is not read then, so the kernel has to do it."""
    script = (
        "import asyncio, os, signal\n"
        "from services.ingest.parsing.worker import Worker\n"
        "from services.ingest.parsing.frames import Manner, Order\n"
        "async def main():\n"
        "    w = Worker(0)\n"
        "    await w.ask(Order(Manner.PAGE, []), 30)\n"
        "    os.kill(w.pid, signal.SIGSTOP)\n"
        "    print(w.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, env=worker._environment()
    )
    printed, _ = await parent.communicate()
    child = int(printed)
    await eventually(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie")


class Attempts:
    """Counts attempts as the mailbox's table would."""

    def __init__(self, already: int = 0) -> None:
        self.already = already
        self.by_index: Counter[int] = Counter()

    async def __call__(self, index: int) -> int:
        self.by_index[index] += 1
        return self.already + self.by_index[index]


def dying_when(
    monkeypatch: pytest.MonkeyPatch, deadly: Callable[[Order], bool], *, of: signal.Signals = signal.SIGSEGV
) -> list[Manner]:
    """Make the process die of a signal right before it would read such an order; returns what was asked."""
    asked: list[Manner] = []
    send: Callable[[asyncio.subprocess.Process, Order], Awaitable[None]] = worker._send

    async def send_or_kill(process: asyncio.subprocess.Process, order: Order) -> None:
        asked.append(order.manner)
        if deadly(order):
            process.send_signal(of)
            await process.wait()
        await send(process, order)

    monkeypatch.setattr(worker, "_send", send_or_kill)
    return asked


def test_the_protocol_keeps_a_mail_as_it_is() -> None:
    mails: list[ParsedMail | None] = [*(parse(mail) for mail in CORPUS), None]
    assert frames.decode_answer(frames.encode(Parsed(mails))).mails == mails
