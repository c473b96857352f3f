"""The relay on real servers: order, takeover, fencing, crashes, restored databases (design §2)."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.endpoints import Endpoints
from shared import outbox, relay_store
from shared.outbox import Outgoing, Row
from shared.postgres import Pool, transaction
from shared.relay import Relay
from shared.topics import INGEST_MAILS, Topic
from tests.support.at_work import running
from tests.support.databases import Database
from tests.support.frame import SERVICE
from tests.support.notes import ECHOES, NoteEchoed, envelope
from tests.support.topics import make_topics, read_all
from tests.support.waiting import eventually

Make = Callable[..., Relay]


@pytest.fixture
async def prefix(stack: Endpoints, topic_prefix: str) -> str:
    await make_topics(stack.kafka, topic_prefix, ECHOES, INGEST_MAILS)
    return topic_prefix


@pytest.fixture
def make(stack: Endpoints, database: Database, prefix: str) -> Make:
    def make(**options: object) -> Relay:
        return Relay(
            database.dsn_of(SERVICE),
            service=SERVICE,
            kafka=stack.kafka,
            topic_prefix=prefix,
            **options,  # type: ignore[arg-type]
        )

    return make


async def say(pool: Pool, prefix: str, *texts: str, key: str = "acme/note", topic: Topic = ECHOES) -> None:
    rows = [
        outbox.row(Outgoing(topic, key, envelope(text, "note.echoed"), NoteEchoed(text=text)), prefix)
        for text in texts
    ]
    async with transaction(pool) as connection:
        await outbox.add(connection, rows)


async def heard(stack: Endpoints, prefix: str, topic: Topic = ECHOES) -> list[str]:
    records = await read_all(stack.kafka, prefix + topic.name)
    return [NoteEchoed.model_validate_json(record.value).text for record in records]


def empty(pool: Pool) -> Callable[[], Awaitable[bool]]:
    async def empty() -> bool:
        return await _rows(pool) == 0

    return empty


async def test_what_was_committed_is_published_in_order_and_forgotten(
    stack: Endpoints, pool: Pool, prefix: str, make: Make
) -> None:
    texts = [str(number) for number in range(250)]
    await say(pool, prefix, *texts[:200])
    async with running(make(page_rows=33)):
        await eventually(empty(pool))
        await say(pool, prefix, *texts[200:])
        await eventually(empty(pool))
    assert await heard(stack, prefix) == texts


async def test_headers_keys_and_partitions_arrive_as_they_were_said(
    stack: Endpoints, pool: Pool, prefix: str, make: Make
) -> None:
    told = Outgoing(ECHOES, "acme/note", envelope("1", "note.echoed"), NoteEchoed(text="é"), partition=2)
    raw = Row(
        prefix + ECHOES.name, None, b"\x00\xff", outbox.pack_headers([("x", b"\x80\xff\x00"), ("y", b"")])
    )
    async with transaction(pool) as connection:
        await outbox.add(connection, [outbox.row(told, prefix), raw])
    async with running(make()):
        await eventually(empty(pool))
    records = await read_all(stack.kafka, prefix + ECHOES.name)
    (first,) = (record for record in records if record.key == b"acme/note")
    (second,) = (record for record in records if record.key is None)
    assert first.partition == 2
    assert dict(first.headers)["ce_id"] == b"1"
    assert list(second.headers) == [("x", b"\x80\xff\x00"), ("y", b"")]
    assert second.value == b"\x00\xff"


async def test_one_leads_and_another_takes_over(
    stack: Endpoints, pool: Pool, prefix: str, make: Make
) -> None:
    first, second = make(), make()
    async with running(second):
        async with running(first):
            await eventually(lambda: first.leading or second.leading)
            await eventually(lambda: first.not_ready() is None and second.not_ready() is None)
            assert first.leading != second.leading
            await say(pool, prefix, "one")
            await eventually(empty(pool))
        await eventually(lambda: second.leading)
        await say(pool, prefix, "two")
        await eventually(empty(pool))
    assert await heard(stack, prefix) == ["one", "two"]


async def test_a_frozen_holder_of_the_lock_loses_it(
    stack: Endpoints, pool: Pool, prefix: str, make: Make, database: Database
) -> None:
    """Its session sends no heartbeat, so the server ends it (`idle_session_timeout`)."""
    frozen = await asyncpg.connect(
        database.dsn_of(SERVICE),
        server_settings={"search_path": SERVICE, "idle_session_timeout": "1500"},
    )
    assert await relay_store.try_lead(frozen)
    await say(pool, prefix, "one")
    async with running(make()):
        await eventually(empty(pool))
    assert await heard(stack, prefix) == ["one"]
    frozen.terminate()


async def test_a_leader_that_thaws_is_refused_by_kafka(
    stack: Endpoints, pool: Pool, prefix: str, make: Make
) -> None:
    """A successor with the same transactional id fences it; it begins anew and says nothing twice."""
    relay = make()
    async with running(relay):
        await eventually(lambda: relay.leading)
        successor = AIOKafkaProducer(
            bootstrap_servers=stack.kafka_bootstrap, transactional_id=relay.transactional_id
        )
        await successor.start()
        await successor.stop()
        await say(pool, prefix, "one")
        await eventually(empty(pool))
    assert await heard(stack, prefix) == ["one"]


async def test_a_killed_session_is_begun_anew(
    stack: Endpoints, pool: Pool, prefix: str, make: Make, database: Database
) -> None:
    relay = make()
    async with running(relay):
        await eventually(lambda: relay.leading)
        admin = await asyncpg.connect(database.dsn)
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%relay'"
            " AND datname = current_database()"
        )
        await admin.close()
        await say(pool, prefix, "one")
        await eventually(empty(pool))
    assert await heard(stack, prefix) == ["one"]


async def test_a_crash_between_publishing_and_forgetting_says_the_same_again(
    stack: Endpoints, pool: Pool, prefix: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once, same `ce_id`, same content: everybody's inbox knows it (guarantee 2)."""
    forget = relay_store.forget
    crashes = ["once"]

    async def crashing(*arguments: object) -> None:
        if crashes:
            crashes.pop()
            raise ConnectionResetError("killed")
        await forget(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(relay_store, "forget", crashing)
    await say(pool, prefix, "a", "b", topic=INGEST_MAILS)
    async with running(make()):
        await eventually(empty(pool))
    records = await read_all(stack.kafka, prefix + INGEST_MAILS.name)
    said = [(dict(record.headers)["ce_id"], record.value) for record in records]
    assert [id_ for id_, _ in said] == [b"a", b"b", b"a", b"b"]
    assert said[:2] == said[2:]


async def test_what_was_published_is_known_however_much_comes_before_it_meanwhile(
    stack: Endpoints, pool: Pool, prefix: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids are given before commits: after a crash, a page may lie far from the outbox's beginning."""
    late = [
        outbox.row(
            Outgoing(ECHOES, "acme/late", envelope(text, "note.echoed"), NoteEchoed(text=text)), prefix
        )
        for text in map(str, range(50))
    ]
    forget, crashed = relay_store.forget, asyncio.Event()

    async def crashing(*arguments: object) -> None:
        if not crashed.is_set():
            crashed.set()
            raise ConnectionResetError("killed")
        await forget(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(relay_store, "forget", crashing)
    async with transaction(pool) as connection:
        await outbox.add(connection, late)
        await say(pool, prefix, "early", topic=INGEST_MAILS)
        async with running(make(page_rows=5)):
            await crashed.wait()
    async with running(make(page_rows=5)):
        await eventually(empty(pool))
    assert await heard(stack, prefix, INGEST_MAILS) == ["early", "early"]


async def test_a_restored_database_is_found_out(
    stack: Endpoints, pool: Pool, prefix: str, make: Make
) -> None:
    """Its topics hold what it does not know: it publishes nothing until somebody has looked (design §2.1)."""
    await say(pool, prefix, "a", topic=INGEST_MAILS)
    async with running(make()):
        await eventually(empty(pool))
    await pool.execute("TRUNCATE relay_progress")  # as a backup from before would have it
    await say(pool, prefix, "b", topic=INGEST_MAILS)
    relay = make()
    async with running(relay):
        await eventually(lambda: "was a backup restored?" in (relay.not_ready() or ""))
    assert await heard(stack, prefix, INGEST_MAILS) == ["a"]


async def test_what_others_wrote_to_its_topics_is_no_lost_history(
    stack: Endpoints, pool: Pool, prefix: str, make: Make
) -> None:
    """Nonsense costs only itself (guarantee 5), also when the service starts again behind it."""
    foreign = [("ce_source", b"/nonsense"), ("ce_id", b"1"), ("ce_specversion", b"1.0")]
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap) as producer:
        await producer.send_and_wait(prefix + INGEST_MAILS.name, b"?", b"acme/?", headers=foreign)
        await producer.send_and_wait(prefix + INGEST_MAILS.name, b"?", b"acme/?")
    relay = make()
    async with running(relay):
        await say(pool, prefix, "a")
        await eventually(empty(pool))
        assert relay.not_ready() is None
    assert await heard(stack, prefix) == ["a"]


async def test_a_row_that_becomes_visible_late_is_not_skipped(
    stack: Endpoints, pool: Pool, prefix: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids are given before commits: a lower one can become visible after a higher one was published."""
    monkeypatch.setattr("shared.relay.MARK_SECONDS", 0.0)
    late = outbox.row(
        Outgoing(ECHOES, "acme/late", envelope("late", "note.echoed"), NoteEchoed(text="late")), prefix
    )
    async with running(make(poll_seconds=0.05)):
        async with transaction(pool) as connection:
            await outbox.add(connection, [late])
            for number in range(5):
                await say(pool, prefix, str(number))
                await eventually(empty(pool))
        await eventually(empty(pool))
    assert sorted(await heard(stack, prefix)) == ["0", "1", "2", "3", "4", "late"]


async def _rows(pool: Pool) -> int:
    found: int = await pool.fetchval("SELECT count(*) FROM outbox")
    return found
