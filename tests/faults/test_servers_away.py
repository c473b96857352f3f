"""A server is away while mail comes in: work goes on by itself when it is back (guarantee 6).

All services at once lose it, by a proxy that is cut. What is checked is in tests/support/crowd.py.
"""

import pytest

from deploy.instance import SERVICES
from tests.support.crowd import Crowd
from tests.support.mailroom import PATIENCE, Mailroom
from tests.support.people import Agent, customer
from tests.support.waiting import eventually


@pytest.mark.parametrize("server", ["kafka", "postgres", "imap"])
async def test_a_server_that_was_away_in_the_middle_leaves_no_trace(mailroom: Mailroom, server: str) -> None:
    crowd = Crowd(mailroom)
    await crowd.write(20)
    async with mailroom.tables("ingest") as tables:
        await eventually(
            lambda: tables.fetchval("SELECT count(*) > 0 FROM mails"), deadline=PATIENCE, every=0.005
        )
    await mailroom.lines[server].cut()
    await crowd.write(20)
    if server != "imap":  # a mailbox that cannot be read is its own trouble, not the service's
        for service in SERVICES:
            await until_troubled(mailroom, service)
    await mailroom.lines[server].mend()
    await crowd.write(5)
    await mailroom.settled()
    await crowd.check()


async def test_mail_waits_for_the_smtp_server(mailroom: Mailroom) -> None:
    """NT-14: a server that is away is no mail's fault, so none has lost an attempt when it is back."""
    anna, agent = customer(mailroom), Agent(mailroom)
    await mailroom.settled()
    await mailroom.lines["smtp"].cut()
    mail = await anna.write("Is anybody there")
    (ticket,) = await agent.finds(anna)
    await until_troubled(mailroom, "notify")
    await agent.step(ticket["reference"], "pick_up")
    await agent.step(ticket["reference"], "reply", text="We are.")
    assert await anna.inbox() == []
    await mailroom.lines["smtp"].mend()
    await anna.receive_answer_to(mail)
    await mailroom.settled()
    assert len(await anna.inbox()) == 2
    async with mailroom.tables("notify") as tables:
        query = "SELECT DISTINCT attempts FROM outgoing_mails WHERE reference = $1"
        assert [row["attempts"] for row in await tables.fetch(query, ticket["reference"])] == [1]


async def until_troubled(mailroom: Mailroom, service: str) -> None:
    """Wait until a service says that it cannot do all of its work."""
    await eventually(lambda: mailroom.not_ready(service), deadline=PATIENCE, every=0.2)
