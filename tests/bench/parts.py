"""What is measured with mails that lie in the mailbox, all from one moment on."""

import asyncio
import time

from tests.bench import mails
from tests.bench.bench import APPENDED, ASKED, TOLD, WARMING, Bench
from tests.bench.figures import Figure, figure
from tests.bench.installation import fresh_installation
from tests.bench.passing import Watch, following, pass_through, until

_ACTIVITIES = "SELECT count(*) FROM activities"


async def tickets(bench: Bench, wanted: frozenset[str]) -> dict[str, Figure]:
    """Plain mails to Tickets whose acknowledgement is asked for; then replies to these Tickets."""
    number = bench.number(20_000)
    async with fresh_installation(bench.servers) as installation:
        await bench.warm(installation)
        spied = bench.spy.looking("mail_to_ticket", installation.roots())
        effects = bench.witnessing(installation, ASKED, keep=True)
        opening = mails.plain(installation.address, number)
        opened, asked = await pass_through(installation, opening, number, effects, spied)
        replies: list[bytes] = []
        if "reply_to_ticket" in wanted:
            organisation = installation.definition.organisation
            replies += mails.replies(installation.address, installation.keyring(), organisation, asked.values)
            effects = bench.witnessing(installation, APPENDED)
            spied = bench.spy.looking("reply_to_ticket", installation.roots())
            answered, _ = await pass_through(installation, replies, number, effects, spied)
        assert await installation.ask("activity", _ACTIVITIES) == number + WARMING
    found: dict[str, Figure] = {}
    if "mail_to_ticket" in wanted:
        found["mail_to_ticket"] = figure(opened, await bench.plain_floor(number))
    if replies:
        found["reply_to_ticket"] = figure(answered, await bench.floor("reply", number, lambda _: replies))
    return found


async def real_mails(bench: Bench, _: frozenset[str]) -> dict[str, Figure]:
    """Mails of 50 kB with HTML and an attachment."""
    number = bench.number(3_000)
    async with fresh_installation(bench.servers) as installation:
        await bench.warm(installation)
        waiting = mails.real(installation.address, number)
        effects = bench.witnessing(installation, ASKED)
        spied = bench.spy.looking("real_mail_to_ticket", installation.roots())
        measured, _seen = await pass_through(installation, waiting, number, effects, spied)
        assert await installation.ask("activity", _ACTIVITIES) == number + WARMING
    floor = await bench.floor("real", number, lambda address: mails.real(address, number))
    return {"real_mail_to_ticket": figure(measured, floor)}


async def intake(bench: Bench, _: frozenset[str]) -> dict[str, Figure]:
    """ingest alone, up to its topic."""
    number = bench.number(20_000)
    async with fresh_installation(bench.servers) as installation:
        await bench.warm(installation)
        await installation.stop("activity")
        waiting = mails.plain(installation.address, number)
        effects = bench.witnessing(installation, TOLD)
        spied = bench.spy.looking("mail_to_topic", installation.roots())
        measured, _seen = await pass_through(installation, waiting, number, effects, spied)
    return {"mail_to_topic": figure(measured)}


async def sending(bench: Bench, wanted: frozenset[str]) -> dict[str, Figure]:
    """With notify: up to the acknowledgement that the post office has accepted."""
    number = bench.number(10_000)
    async with fresh_installation(bench.servers) as installation:
        await bench.warm(installation, "notify")
        waiting = mails.plain(installation.address, number)
        effects = bench.servers.post.watched()
        spied = bench.spy.looking("mail_to_sent", installation.roots())
        measured, _seen = await pass_through(installation, waiting, number, effects, spied)
    floor = await bench.plain_floor(number) if wanted else None
    return {"mail_to_sent": figure(measured, floor)}


async def catching_up(bench: Bench, _: frozenset[str]) -> dict[str, Figure]:
    """After an outage of all services: from their start until they are done with what waited."""
    number = bench.number(100_000)
    async with fresh_installation(bench.servers) as installation:
        await bench.warm(installation)
        await installation.stop("ingest", "activity")
        waiting = mails.plain(installation.address, number)
        await asyncio.to_thread(installation.dovecot.deliver_at_once, installation.user, waiting)
        async with bench.witnessing(installation, ASKED) as seen:
            began = time.monotonic()
            watch = Watch(installation.roots())
            await installation.start("ingest", "activity")
            watch.roots = installation.roots()
            async with following(watch), bench.spy.looking("catch_up", watch.roots):
                ended = await until(seen, number)
                await installation.until_idle()
            measured = watch.end(number, ended - began)
        assert await installation.ask("activity", _ACTIVITIES) == number + WARMING
    return {"catch_up": figure(measured, await bench.plain_floor(number))}
