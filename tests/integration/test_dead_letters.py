"""`mailroom dlq` on real servers: put back once, whatever happens meanwhile, and written down."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.dead_letters import handling
from deploy.dead_letters.handling import Handled, Outcome, Selection, Where
from deploy.dead_letters.letter import LetterName, Wanted
from deploy.dead_letters.options import SERVICES
from deploy.dead_letters.store import StoreError
from deploy.local.endpoints import Endpoints
from shared.failure import SendersFault
from shared.relay import Relay
from shared.relay_store import Connection
from shared.topics import ACTIVITY_REQUESTS, DEAD_LETTERS, INGEST_MAILS
from tests.support.databases import Database
from tests.support.dead_letters import HEADERS, bury, died, stood
from tests.support.notes import Raw
from tests.support.topics import make_topics, read_all
from tests.support.waiting import eventually

OPEN = Selection(SERVICES)


@pytest.fixture
async def where(stack: Endpoints, database: Database, topic_prefix: str) -> Where:
    await make_topics(stack.kafka, topic_prefix, INGEST_MAILS, ACTIVITY_REQUESTS, *DEAD_LETTERS.values())
    return Where(stack.kafka, database.dsn, topic_prefix)


@pytest.fixture
async def tables(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


def letter(where: Where, offset: int, consumer: str = "activity.mails", **record: Any) -> Raw:
    """A letter that is about a topic of this test."""
    topic = where.prefix + record.pop("topic", INGEST_MAILS.name)
    return died(stood(offset, topic=topic, **record), consumer)


async def put_back(where: Where, selection: Selection = OPEN, by: str = "amelie") -> list[Handled]:
    return [each async for page in handling.replay(where, selection, by, "mended") for each in page]


async def names(where: Where, selection: Selection = OPEN) -> list[str]:
    return [str(each.letter.name) async for page in handling.find(where, selection) for each in page]


def outcomes(handled: list[Handled]) -> list[Outcome]:
    return [each.outcome for each in handled]


async def test_a_record_comes_back_once_as_it_was_and_the_relay_knows_it_for_its_own(
    where: Where, database: Database, tables: Connection
) -> None:
    """It has ingest's `ce_source`: a relay that starts later would refuse what its outbox never had."""
    await bury(where.kafka, where.prefix, letter(where, 0, value=b"\x00\xff"))
    assert outcomes(await put_back(where)) == [Outcome.PUT_BACK]
    assert await put_back(where) == []
    named = Selection(SERVICES, names=[LetterName("activity", 0, 0)])
    assert outcomes(await put_back(where, named)) == [Outcome.BEFORE]

    def relay() -> Relay:
        dsn = database.dsn_of("ingest")
        return Relay(dsn, service="ingest", kafka=where.kafka, topic_prefix=where.prefix)

    async def published() -> bool:
        return await tables.fetchval("SELECT count(*) FROM ingest.outbox") == 0

    for each in (relay(), relay()):
        running = asyncio.create_task(each.run())
        await eventually(lambda each=each: each.leading)  # type: ignore[misc]
        await eventually(published)
        running.cancel()
        await asyncio.wait([running])
    (record,) = await read_all(where.kafka, where.prefix + INGEST_MAILS.name)
    assert (record.partition, record.key, record.value) == (3, b"acme/9f3c5a7e1b2d4f60", b"\x00\xff")
    assert tuple(record.headers) == HEADERS
    (noted,) = await tables.fetch("SELECT * FROM activity.dead_letter_actions")
    assert (noted["action"], noted["done_by"], noted["why"]) == ("replayed", "amelie", "mended")
    assert (noted["back_topic"], noted["back_partition"]) == (where.prefix + INGEST_MAILS.name, 3)


async def test_a_command_killed_in_the_middle_and_repeated_has_one_effect(
    where: Where, tables: Connection
) -> None:
    """Killed when it has noted its letters and waits to write the outbox, which somebody holds."""
    await bury(where.kafka, where.prefix, *(letter(where, offset) for offset in range(3)))
    count = "SELECT (SELECT count(*) FROM ingest.outbox), (SELECT count(*) FROM activity.dead_letter_actions)"
    servers = ["--bootstrap", where.kafka.bootstrap, "--dsn", where.dsn, "--prefix", where.prefix]
    command = [sys.executable, "-m", "deploy.cli", "dlq", "replay", "--every", "--as", "amelie", *servers]
    here = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    holder = await asyncpg.connect(where.dsn)
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE ingest.outbox IN SHARE MODE")
            victim = await asyncio.create_subprocess_exec(
                *command, env={**os.environ, "PYTHONWARNINGS": "ignore"}, stdout=asyncio.subprocess.DEVNULL
            )

            async def stuck() -> bool:
                assert victim.returncode is None
                return bool(await tables.fetchval(f"{here} AND wait_event_type = 'Lock'"))

            await eventually(stuck, deadline=60)
            victim.send_signal(signal.SIGKILL)
            await victim.wait()
    finally:
        await holder.close()

    async def given_up() -> bool:
        return await tables.fetchval(f"{here} AND pid <> $1", tables.get_server_pid()) == 0

    await eventually(given_up)
    assert tuple(await tables.fetchrow(count) or ()) == (0, 0)
    assert outcomes(await put_back(where)) == 3 * [Outcome.PUT_BACK]
    assert await put_back(where) == []
    assert tuple(await tables.fetchrow(count) or ()) == (3, 3)


async def test_of_two_who_put_back_the_same_at_once_one_does(where: Where, tables: Connection) -> None:
    """Thousands of letters."""
    await bury(where.kafka, where.prefix, *(letter(where, offset) for offset in range(2000)))
    told = await asyncio.gather(put_back(where, by="amelie"), put_back(where, by="boris"))
    done = [each.outcome for handled in told for each in handled]
    assert done.count(Outcome.PUT_BACK) == 2000
    assert await tables.fetchval("SELECT count(*) FROM ingest.outbox") == 2000
    assert await names(where) == []


async def test_letters_of_all_services_are_listed_until_something_was_done_with_them(
    where: Where, tables: Connection
) -> None:
    requests = ACTIVITY_REQUESTS.name
    await bury(
        where.kafka,
        where.prefix,
        letter(where, 0),
        letter(where, 1, "notify.requests"),
        letter(where, 2, "activity.requests", topic=requests, headers=(), value=b"no CloudEvent"),
    )
    assert await names(where) == ["activity/0/0", "activity/0/1", "notify/0/0"]
    assert await names(where, Selection(("notify",))) == ["notify/0/0"]
    assert await names(where, Selection(SERVICES, Wanted(consumer="*.requests"))) == [
        "activity/0/1",
        "notify/0/0",
    ]
    chosen = Selection(SERVICES, Wanted(consumer="activity.requests"))
    (discarded,) = [page async for page in handling.discard(where, chosen, "amelie", "nonsense")]
    assert outcomes(discarded) == [Outcome.DISCARDED]
    assert await names(where) == ["activity/0/0", "notify/0/0"]
    assert len(await names(where, Selection(SERVICES, handled=True))) == 3
    # Who thinks better of it may name it.
    again = await put_back(where, Selection(SERVICES, names=[LetterName("activity", 0, 1)]))
    assert outcomes(again) == [Outcome.PUT_BACK]
    assert await tables.fetchval("SELECT key FROM activity.outbox") == b"acme/9f3c5a7e1b2d4f60"
    assert [row[0] for row in await tables.fetch("SELECT action FROM activity.dead_letter_actions")] == [
        "discarded",
        "replayed",
    ]


async def test_a_rehearsal_does_nothing_and_what_cannot_be_put_back_holds_up_no_other(
    where: Where, tables: Connection
) -> None:
    gone, strange = (
        letter(where, 1, topic="notify.mails.v1"),
        Raw(2, b"\xff\x00", (), None, "activity.dlq.v1"),
    )
    await bury(where.kafka, where.prefix, letter(where, 0), gone, strange)
    servers = ["--bootstrap", where.kafka.bootstrap, "--dsn", where.dsn, "--prefix", where.prefix]

    def call(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["dlq", *arguments, *servers])
        return result.exit_code, result.output

    rehearsed = await asyncio.to_thread(call, "replay", "--every", "--dry-run")
    assert "Nothing was done; it would be: 2 not put back, 1 put back." in rehearsed[1]
    assert await tables.fetchval("SELECT count(*) FROM activity.dead_letter_actions") == 0
    code, said = await asyncio.to_thread(call, "replay", "--every", "--json")
    told = [json.loads(line) for line in said.splitlines()]
    assert (code, [each["outcome"] for each in told]) == (1, ["put back", "not put back", "not put back"])
    assert "notify.mails.v1 has no partition 3 any more" in told[1]["detail"]
    assert "does not say" in told[2]["detail"]
    assert await tables.fetchval("SELECT count(*) FROM ingest.outbox") == 1
    code, listed = await asyncio.to_thread(call, "list")
    assert (code, listed.count("activity/0/")) == (0, 2)
    code, shown = await asyncio.to_thread(call, "show", "activity/0/2")
    assert (code, "ff 00" in shown) == (0, True)
    code, missing = await asyncio.to_thread(call, "show", "activity/0/99")
    assert (code, missing.strip()) == (1, "There is no dead letter activity/0/99.")


async def test_schemas_that_are_too_old_are_named_with_what_to_do(where: Where, tables: Connection) -> None:
    await bury(where.kafka, where.prefix, died(stood(0), error=SendersFault("old")))
    await tables.execute("DROP TABLE activity.dead_letter_actions")
    with pytest.raises(StoreError, match="run `mailroom migrate`"):
        await names(where)
