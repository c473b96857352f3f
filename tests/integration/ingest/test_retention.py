"""What ingest removes when nobody needs it any more, and the sweep of its blobs (design §4)."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from services.ingest import retention, store_retention
from services.ingest.imap import ImapServer
from shared import sweeping
from shared.blobs import BlobMissing
from shared.contracts.ingest_mails import MailReceived
from shared.retention import remove
from shared.sweeping import Sweeper
from shared.unit_of_work import UnitOfWork
from tests.support.databases import Database
from tests.support.fake_imap import FakeImap
from tests.support.ingest_world import BILLING, HELP, ORGANISATION, World, mailbox, raw_mail, world_on
from tests.support.waiting import eventually

LONG_AGO = timedelta(days=100)


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(database, tmp_path, ImapServer(host="unused", port=1)) as world:
        await world.configure(mailbox("help"))
        yield world


def with_file(raw: bytes, content: bytes = b"a file") -> bytes:
    """The mail with a file on it."""
    mail: Any = message_from_bytes(raw, policy=policy.default)
    mail.add_attachment(content, maintype="application", subtype="octet-stream", filename="file.bin")
    return bytes(mail.as_bytes())


async def removed(world: World, **settings: Any) -> dict[str, int]:
    """What the rules removed, by rule."""
    rules = retention.rules(world.settings(**settings))
    return {each.rule.name: each.number or 0 async for each in remove(world.work, rules)}


async def aged(world: World) -> None:
    """Let all that is here have come in long ago."""
    await world.pool.execute("UPDATE mail_copies SET received_at = received_at - $1::interval", LONG_AGO)
    await world.pool.execute("UPDATE mails SET received_at = received_at - $1::interval", LONG_AGO)
    for file in (world.folder / "blobs").rglob("*"):
        if file.is_file():
            os.utime(file, (1, 1))


def stored(mail: MailReceived) -> str:
    return mail.content.attachments[0].blob.object


async def kept(world: World, object: str) -> bool:
    try:
        await world.blobs.get(object)
    except BlobMissing:
        return False
    return True


async def taken(world: World, imap: FakeImap, *raws: bytes) -> list[MailReceived]:
    imap.deliver(HELP, *raws)
    before = len(await world.published())
    async with world.reading(imap.connect):
        return (await world.until_read(before + len(raws)))[before:]


async def test_a_mail_that_activity_needs_no_more_loses_its_bytes_and_is_still_known(
    world: World, imap: FakeImap
) -> None:
    """IN-7: the same mail again is no new one."""
    raw = with_file(raw_mail(subject="Door stuck", message_id="door"))
    (mail,) = await taken(world, imap, raw)
    await aged(world)
    assert (await removed(world))["mails"] == 0
    await world.forget(mail.mail)
    done = await removed(world)
    assert (done["mails"], done["blobs"]) == (1, 1)
    assert not await kept(world, stored(mail))
    row = await world.row("SELECT * FROM mails")
    assert row["headers"]["message_id"] == "door@customer.example"
    assert {"subject", "from", "to"}.isdisjoint(row["headers"])
    assert await world.pool.fetchval("SELECT count(*) FROM raw_mails") == 0
    assert await removed(world) == dict.fromkeys(done, 0)
    imap.deliver(HELP, raw)
    async with world.reading(imap.connect):
        await world.until_polled()
    assert len(await world.published()) == 1


async def test_a_mail_that_a_topic_may_still_tell_of_is_kept_though_it_is_given_up(
    world: World, imap: FakeImap
) -> None:
    (mail,) = await taken(world, imap, with_file(raw_mail()))
    await world.forget(mail.mail)
    assert (await removed(world))["mails"] == 0
    assert await kept(world, stored(mail))


async def test_a_mail_of_somebody_who_is_erased_goes_at_once_and_is_still_known(
    world: World, imap: FakeImap
) -> None:
    """CT-21, IN-7: whatever may still tell of it."""
    raw = with_file(raw_mail(subject="Door stuck", message_id="door"))
    mail, other = await taken(world, imap, raw, raw_mail(message_id="window"))
    await world.forget(mail.mail, erase=True)
    row = await world.row(f"SELECT * FROM mails WHERE id = '{mail.mail}'")
    assert row["removed_at"] is not None
    assert row["headers"]["message_id"] == "door@customer.example"
    assert "subject" not in row["headers"]
    assert [each["mail"] for each in await world.pool.fetch("SELECT mail FROM raw_mails")] == [other.mail]
    await aged(world)
    assert (await removed(world))["blobs"] == 1
    assert not await kept(world, stored(mail))
    imap.deliver(HELP, raw)
    async with world.reading(imap.connect):
        await world.until_polled()
    assert len(await world.published()) == 2


async def test_a_file_that_another_mail_has_too_stays(world: World, imap: FakeImap) -> None:
    one, two = await taken(world, imap, with_file(raw_mail()), with_file(raw_mail()))
    assert stored(one) == stored(two)
    await aged(world)
    await world.forget(one.mail)
    assert (await removed(world))["mails"] == 1
    assert await kept(world, stored(two))
    await world.forget(two.mail)
    await removed(world)
    assert not await kept(world, stored(two))


async def test_a_removed_mail_that_is_published_again_is_whole_again(world: World, imap: FakeImap) -> None:
    """AMB-9: a later copy found a target that nobody was told of."""
    raw = with_file(raw_mail(to=HELP, cc=BILLING))
    (mail,) = await taken(world, imap, raw)
    await aged(world)
    await world.forget(mail.mail)
    await removed(world)
    await world.configure(mailbox("help"), mailbox("billing"))
    imap.deliver(BILLING, raw)
    async with world.reading(imap.connect):
        _, again = await world.until_read(2)
    assert again.mail == mail.mail
    await aged(world)
    assert (await removed(world))["mails"] == 0
    assert await kept(world, stored(again))
    assert await world.pool.fetchval("SELECT bytes FROM raw_mails") == raw


async def test_unhandled_mail_goes_after_its_own_time_and_is_listed_no_more(
    world: World, imap: FakeImap
) -> None:
    """UH-1: by default it is kept for ever."""
    imap.deliver(HELP, b"\x00 this is no mail at all", raw_mail(to="nobody@elsewhere.example"))

    async def all_here() -> bool:
        return sum((await world.states()).values()) == 2

    async with world.reading(imap.connect):
        await eventually(all_here)
    states = await world.states()
    await aged(world)
    assert (await removed(world))["unhandled"] == 0
    assert (await removed(world, unhandled_days=30))["unhandled"] == states["unhandled"] > 0
    assert await world.pool.fetchval("SELECT count(*) FROM raw_mails") == states.get("received", 0)


async def test_what_a_transaction_left_behind_that_never_committed_is_swept(world: World) -> None:
    orphan = await world.blobs.put(ORGANISATION, b"nobody refers to this")
    assert (await removed(world))["blobs"] == 0
    assert await kept(world, orphan.object)
    await aged(world)
    assert (await removed(world))["blobs"] == 1
    assert not await kept(world, orphan.object)


async def test_nothing_is_swept_while_mails_of_older_code_are_here(world: World, imap: FakeImap) -> None:
    (mail,) = await taken(world, imap, with_file(raw_mail()))
    await world.pool.execute("UPDATE raw_mails SET objects = NULL")
    await aged(world)
    await removed(world)
    assert await kept(world, stored(mail))


async def test_a_file_that_a_transaction_under_way_has_put_is_not_swept_under_it(world: World) -> None:
    """It was put before it is doomed, and its row is not committed yet: its age tells."""
    sweeper = _sweeper(world)
    old = await world.blobs.put(ORGANISATION, b"content")
    await aged(world)
    async with world.work.begin() as batch:
        await sweeping.doom(batch.connection, [old.object], batch.now)
        await world.blobs.put(ORGANISATION, b"content")
    await sweeper.sweep(world.work, _day_ago(), 10)
    assert await kept(world, old.object)


async def test_who_refers_to_a_file_while_it_is_swept_is_told_to_put_it_again(world: World) -> None:
    """The sweep holds its row, so a transaction that refers to it waits, and finds that it has to."""
    sweeper = _sweeper(world)
    old = await world.blobs.put(ORGANISATION, b"content")
    await aged(world)
    async with world.work.begin() as batch:
        await sweeping.doom(batch.connection, [old.object], batch.now)
    at_it, go_on = asyncio.Event(), asyncio.Event()
    delete = world.blobs.delete

    async def slowly(objects: Any) -> None:
        at_it.set()
        await go_on.wait()
        await delete(objects)

    sweeper.blobs.delete = slowly  # type: ignore[method-assign]

    async def refer() -> set[str]:
        async with world.work.begin() as batch:
            await world.blobs.put(ORGANISATION, b"content")  # too late: the sweep has looked at its age
            referring.set()
            if swept := await sweeping.spare(batch.connection, [old.object]):
                await world.blobs.put(ORGANISATION, b"content")
            return swept

    referring = asyncio.Event()
    sweep = asyncio.create_task(sweeper.sweep(world.work, _day_ago(), 10))
    await at_it.wait()
    writer = asyncio.create_task(refer())
    await referring.wait()
    go_on.set()
    await sweep
    assert await writer == {old.object}
    assert await kept(world, old.object)


async def test_intake_puts_files_again_that_are_being_swept(world: World, imap: FakeImap) -> None:
    (mail,) = await taken(world, imap, with_file(raw_mail()))
    object = stored(mail)
    lost = _Losing(world)
    async with world.work.begin() as batch:
        await sweeping.doom(batch.connection, [object], batch.now)
    # The sweep has deleted it after it was put, which only its row in the table still tells.
    await lost.after_next_put(object)
    await taken(world, imap, with_file(raw_mail()))
    assert await world.pool.fetchval("SELECT count(*) FROM doomed_objects") == 0
    assert await kept(world, object)


async def test_a_sweep_that_is_killed_is_finished_by_the_next(world: World) -> None:
    blobs = [await world.blobs.put(ORGANISATION, f"{number}".encode()) for number in range(6)]
    await aged(world)
    rules = {rule.name: rule for rule in retention.rules(world.settings())}

    async def killed(work: UnitOfWork, before: datetime, limit: int) -> int:
        await rules["blobs"].page(work, before, 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        [each async for each in remove(world.work, [replace(rules["blobs"], page=killed)])]
    assert [await kept(world, blob.object) for blob in blobs].count(False) == 2
    both = (removed(world), removed(world))
    assert sum(each["blobs"] for each in await asyncio.gather(*both)) >= 4
    assert not any([await kept(world, blob.object) for blob in blobs])


class _Losing:
    """Deletes an object as soon as it is put, once: the sweep that had looked at it before."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def after_next_put(self, object: str) -> None:
        blobs = self._world.blobs
        put_many = blobs.put_many

        async def once(*given: Any) -> Any:
            blobs.put_many = put_many  # type: ignore[method-assign]
            made = await put_many(*given)
            await blobs.delete([object])
            return made

        blobs.put_many = once  # type: ignore[method-assign]


def _sweeper(world: World) -> Sweeper:
    made = Sweeper(world.blobs, store_retention.referred, timedelta(days=1))
    made.listed = datetime.now(UTC) + timedelta(days=1)
    return made


def _day_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)
