"""How long a customer waits: from a mail at the mail server to its acknowledgement in their own mailbox."""

import asyncio
import smtplib
import statistics
import time

from deploy.local.endpoints import Address
from tests.bench import mails
from tests.bench.bench import Bench
from tests.bench.figures import SECONDS, Figure, figure
from tests.bench.installation import fresh_installation
from tests.bench.passing import Watch, following, until

RATE = 50
"""Mails a second."""
CUSTOMERS = 100
"""Each writes now and then, and has a mailbox."""


async def acknowledgements(bench: Bench, _: frozenset[str]) -> dict[str, Figure]:
    """At a steady 50 mails a second for a minute."""
    number = bench.number(60 * RATE)
    async with fresh_installation(bench.servers) as installation:
        await bench.warm(installation, "notify")
        for customer in range(CUSTOMERS):
            bench.servers.dovecot.deliver(f"plain-{customer}@{installation.address.customers}")
        letters = list(mails.plain(installation.address, number, senders=CUSTOMERS))
        spied = bench.spy.looking("mail_to_acknowledgement", installation.roots())
        async with bench.servers.post.watched() as seen, spied:
            watch = Watch(installation.roots())
            began = time.monotonic()
            async with following(watch):
                await asyncio.to_thread(
                    _send_steadily, bench.servers.post.address, installation.user, letters
                )
                ended = await until(seen, number)
                await installation.until_idle()
            measured = watch.end(number, ended - began)
    waited = [at - seen.came[message_id] for message_id, at in seen.answered.items()]
    at_percent = statistics.quantiles(waited, n=100)
    return {
        f"mail_to_acknowledgement_p{percent}": figure(
            measured, value=at_percent[percent - 1], unit=SECONDS, more={"longest": max(waited)}
        )
        for percent in (50, 99)
    }


def _send_steadily(address: Address, to: str, letters: list[bytes]) -> None:
    """Hand mails in, one every 1/RATE s, or at once while behind."""
    with smtplib.SMTP(address.host, address.port) as smtp:
        began = time.monotonic()
        for index, letter in enumerate(letters):
            time.sleep(max(0.0, began + index / RATE - time.monotonic()))
            smtp.sendmail("customer@mailroom.test", [to], letter)
