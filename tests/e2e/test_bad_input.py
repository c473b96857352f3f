"""Whatever comes in costs only itself (guarantee 5): it is a Ticket, or listed with the reason why not."""

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.support.browsing import inspect
from tests.support.mailroom import OPERATORS, PATIENCE, Mailroom
from tests.support.people import Agent, customer
from tests.support.waiting import eventually

HEAD = """From: Carl <carl@{customers}>
To: {help}
Message-ID: <{name}.{run}@{customers}>
Subject: {name} {run}
"""
PAGE = """<p onclick="go()">It <b>broke</b></p><script>alert(1)</script>
<img src="http://tracker.example/x.png"><a href="javascript:go()">here</a><svg onload="go()"></svg>
<form action="http://evil.example"><input name="password"></form><iframe src="//evil.example"></iframe>
"""

# Each with what it must become: a Ticket (None), or unhandled with this reason.
MAILS: dict[str, tuple[bytes, str | None]] = {
    "no-message-id": (b"From: Carl <carl@{customers}>\nTo: {help}\nSubject: {name} {run}\n\nHello\n", None),
    "no-from": (b"To: {help}\nMessage-ID: <{name}.{run}@x.example>\nSubject: {name} {run}\n\nHello\n", None),
    "unknown-charset": (HEAD.encode() + b"Content-Type: text/plain; charset=klingon-8\n\nna\xefve\n", None),
    "broken-base64": (
        HEAD.encode()
        + b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
        + b"SGVsbG8sIHdvcmxk!!!*SGVs\n",
        None,
    ),
    "broken-multipart": (
        HEAD.encode()
        + b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=never\n\n--ever\nHello\n",
        None,
    ),
    "nul-bytes": (HEAD.encode() + b"\nHel\0lo\0\n", None),
    "html-only": (HEAD.encode() + b"Content-Type: text/html; charset=utf-8\n\n" + PAGE.encode(), None),
    "garbage-body": (HEAD.encode() + b"\n" + bytes(range(128, 256)) * 8 + b"\n", None),
    "garbage-header": (
        HEAD.encode() + b"X-Odd: \xff\xfe\xfd\nDate: yesterday\nReferences: <<<>\n\nHello\n",
        None,
    ),
    "nested": (
        HEAD.encode()
        + b"MIME-Version: 1.0\n"
        + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1200))
        + b"\nHello\n",
        "unreadable",
    ),
    "garbage-only": (b"\x80\xff{name} {run}\xfe" * 20, "not addressed"),
    "bcc-only": (
        b"From: carl@{customers}\nTo: x@{customers}\nSubject: {name} {run}\n\nHello\n",
        "not addressed",
    ),
}


async def test_a_page_of_bad_mail_costs_nobody_but_itself(mailroom: Mailroom) -> None:
    """UH-1, UH-5, AMB-9: all of it between good mails, each of which is answered."""
    run, agent = uuid4().hex[:8], Agent(mailroom)
    first, last = customer(mailroom), customer(mailroom)
    await mailroom.send(
        first.letter("Before"),
        *(filled(raw, mailroom, name, run) for name, (raw, _) in MAILS.items()),
        b"",
        last.letter("Behind"),
        to=mailroom.address(),
    )
    (behind,) = await agent.finds(last)
    await agent.finds(first)
    await mailroom.settled()
    opened = {
        ticket["title"].split()[0]: ticket
        for ticket in (await agent.look("/v1/tickets?limit=200"))["items"]
        if ticket["title"].endswith(run)
    }
    assert opened.keys() == {name for name, (_, reason) in MAILS.items() if reason is None}
    parked = [(mail, await raw_of(mailroom, mail)) for mail in await unhandled(mailroom)]
    for name, (_, reason) in MAILS.items():
        found = [mail["reason"] for mail, raw in parked if f"{name} {run}".encode() in raw]
        assert found == ([reason] if reason else []), name
    headless = [mail["reason"] for mail, raw in parked if not without_trace(raw).strip()]
    assert headless == ["not addressed"], "the empty one"
    for name in MAILS:
        if name in opened:
            await look_through(agent, opened[name]["reference"])
    assert behind["status"] == "to_do"


async def look_through(agent: Agent, reference: str) -> None:
    """All that is shown of a Ticket can be shown, and its HTML does nothing."""
    await agent.ticket(reference)
    for entry in await agent.timeline(reference):
        mail = entry["mail"]
        if mail and mail["html"]:
            page = await agent.mailroom.ask("GET", mail["html"])
            assert page.status_code == 200
            assert "default-src 'none'" in page.headers["content-security-policy"]
            inspect(page.text)
        for attachment in mail["attachments"] if mail else ():
            assert (await agent.mailroom.ask("GET", attachment["href"])).status_code == 200


async def test_html_keeps_its_words_and_loses_its_teeth(mailroom: Mailroom) -> None:
    """What a browser would run or fetch is gone from what activity serves."""
    run, agent = uuid4().hex[:8], Agent(mailroom)
    await mailroom.send(filled(MAILS["html-only"][0], mailroom, "teeth", run))

    async def there() -> list[dict[str, Any]]:
        tickets = (await agent.look("/v1/tickets?limit=200"))["items"]
        return [ticket for ticket in tickets if ticket["title"] == f"teeth {run}"]

    (ticket,) = await eventually(there, deadline=PATIENCE, every=0.1)
    (mail,) = [
        entry["mail"]
        for entry in await agent.timeline(ticket["reference"])
        if entry["mail"] and entry["mail"]["direction"] == "in"
    ]
    page = await mailroom.ask("GET", mail["html"])
    assert "It <b>broke</b>" in page.text
    for tooth in ("alert", "tracker.example", "evil.example", "javascript:", "onclick"):
        assert tooth not in page.text
    inspect(page.text)


@pytest.mark.parametrize(
    "sign",
    ["Auto-Submitted: auto-generated", "X-Autoreply: yes", "Content-Type: multipart/report; boundary=b"],
)
async def test_an_automatic_mail_opens_a_ticket_and_is_not_answered(mailroom: Mailroom, sign: str) -> None:
    """IN-15, IN-17."""
    robot, agent = customer(mailroom, "Robot"), Agent(mailroom)
    head = f"From: {robot.address}\nTo: {mailroom.address()}\nMessage-ID: <{uuid4()}@robot.example>\n"
    await mailroom.send(f"{head}Subject: Away\n{sign}\n\nI am away.\n".encode())
    (ticket,) = await agent.finds(robot)
    await mailroom.settled()
    assert await robot.inbox() == []
    assert [
        entry for entry in await agent.timeline(ticket["reference"]) if "mail_requested" in entry["type"]
    ] == []


async def test_our_own_mail_that_is_delivered_back_is_dropped(mailroom: Mailroom) -> None:
    """IN-5, IT-7: neither a Ticket nor an entry, nor anything for an operator to look at."""
    anna, agent = customer(mailroom), Agent(mailroom)
    acknowledgement = await anna.receive_answer_to(await anna.write("Monitor"))
    (ticket,) = await agent.finds(anna)
    await mailroom.settled()
    before = await agent.timeline(ticket["reference"])
    for mailbox in ("help", "billing"):
        await mailroom.send(acknowledgement.as_bytes(), to=mailroom.address(mailbox))
    await mailroom.settled()
    assert await agent.timeline(ticket["reference"]) == before
    assert len(await agent.tickets_of(anna)) == 1
    assert len(await anna.inbox()) == 1
    assert [mail for mail in await unhandled(mailroom) if ticket["reference"] in mail["subject"]] == []


async def raw_of(mailroom: Mailroom, mail: dict[str, Any]) -> bytes:
    """The bytes that are kept of a mail."""
    path = f"/v1/mails/{mail['id']}/raw"
    answer = await mailroom.ask("GET", path, service="ingest", roles=OPERATORS)
    assert answer.status_code == 200, answer.text
    return answer.content


def without_trace(raw: bytes) -> bytes:
    """A mail without the headers that servers put before it."""
    return re.sub(rb"^(Return-Path|Received):.*\r\n", b"", raw, flags=re.MULTILINE)


def filled(raw: bytes, mailroom: Mailroom, name: str, run: str) -> bytes:
    """A mail of the table, addressed, with CRLF."""
    places = {"customers": mailroom.customers, "help": mailroom.address(), "name": name, "run": run}
    for place, value in places.items():
        raw = raw.replace(f"{{{place}}}".encode(), value.encode())
    return raw.replace(b"\n", b"\r\n")


async def unhandled(mailroom: Mailroom) -> list[dict[str, Any]]:
    """What waits for an operator."""
    answer = await mailroom.ask("GET", "/v1/unhandled-mails?limit=200", service="ingest", roles=OPERATORS)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
