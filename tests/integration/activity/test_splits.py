"""A Ticket is split into others and ends with them (T27, T28, T29, IN-8)."""

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests import SplitPart
from shared.contracts.ingest_mails import PlusReference
from shared.unit_of_work import Incoming
from tests.support.office import CARLA, NOON, Office, received

PARTS = (
    SplitPart(title="The printer", description="It burns.", category="Hardware"),
    SplitPart(title="A new key", description="Mine is lost.", category="Other"),
)
ORIGINAL, PRINTER, KEY = "100001-T", "100002-T", "100003-T"


def letter(number: int, answers: str | None = None, **more: Any) -> Incoming[Any]:
    return received(message_id=f"{number}@harbour.test", in_reply_to=answers, **more)


def to(number: int, reference: str) -> Incoming[Any]:
    """A mail to the signed plus address of a Ticket."""
    address = f"help+{reference.lower()}@acme.test"
    plus = PlusReference(address=address, mailbox="help", reference=reference, signed=True)
    return letter(number, to=[address, "help@acme.test"], plus=[plus])


async def split(office: Office, parts: tuple[SplitPart, ...] = PARTS, **more: Any) -> Any:
    await office.take_in(letter(1))
    return await office.step(asked.TicketSplit, ORIGINAL, parts=parts, **more)


async def close(office: Office, reference: str) -> Any:
    return await office.step(asked.TicketResolve, reference, method="rejected_as_spam")


async def statuses(office: Office) -> list[str]:
    return [ticket["status"] for ticket in await office.tickets()]


async def test_a_ticket_waits_for_those_it_was_split_into(office: Office) -> None:
    """T27: the answer names them, and the timelines of both sides do."""
    answer = await split(office)
    assert (answer["type"], answer["reference"], answer["status"]) == ("request.accepted", ORIGINAL, "wait")
    told = [(other["reference"], other["status"]) for other in answer["others"]]
    assert told == [(PRINTER, "to_do"), (KEY, "to_do")]
    original, printer, key = await office.tickets()
    assert (original["wait"], original["wait_until"], original["owner"]) == ("split", None, "amelie")
    assert [each["title"] for each in (printer, key)] == ["The printer", "A new key"]
    assert {each["parent"] for each in (printer, key)} == {original["id"]}
    assert {each["started_by"] for each in (printer, key)} == {"ticket"}
    (event,) = await office.said("activity.activities.v1", "ticket.split_into")
    assert [part["reference"] for part in event["into"]] == [PRINTER, KEY]
    opened = await office.said("activity.activities.v1", "ticket.opened")
    assert [event["parent"] and event["parent"]["reference"] for event in opened] == [
        None,
        ORIGINAL,
        ORIGINAL,
    ]


async def test_the_parts_begin_with_what_the_original_had(office: Office) -> None:
    """T27, LK-1, LK-6, SL-6: its contacts, links, mails, correspondents and beginning; what comes later is
    each one's own."""
    await office.take_in(letter(1), letter(2, cc=["dan@harbour.test"]))
    await office.step(asked.ActivityReply, ORIGINAL, text="Which one?")
    await close(office, "100002-T")
    await office.take_in(letter(3, answers="2@harbour.test", to=["help@acme.test"]))
    await office.advance(days=1)
    original = await office.ticket("100003-T")
    mails = "SELECT mail, mailbox FROM activity_mails WHERE activity = $1 ORDER BY 1, 2"
    before = await office.pool.fetch(mails, original["id"])
    answer = await office.step(asked.TicketSplit, "100003-T", parts=PARTS)
    for other in answer["others"]:
        part = await office.ticket(other["reference"])
        assert (part["started_at"], part["created_at"]) == (NOON, NOON + timedelta(days=1))
        for table, columns in {
            "activity_contacts": "tag, contact",
            "links": "linked",
            "activity_mails": "mail, mailbox",
            "correspondents": "address, mailbox",
        }.items():
            query = f"SELECT {columns} FROM {table} WHERE activity = $1 ORDER BY 1, 2"
            query = query.replace(", 2", "") if table == "links" else query
            expected = await office.pool.fetch(query, original["id"])
            assert expected
            found = await office.pool.fetch(query, part["id"])
            if table == "activity_mails":
                # What told of the split came after it.
                assert (found, len(expected)) == (before, len(before) + 1)
            elif table == "correspondents":
                assert {tuple(row) for row in expected} <= {tuple(row) for row in found}
            else:
                assert found == expected
    await office.step(asked.ActivityEdit, answer["others"][0]["reference"], title="Another title")
    assert (await office.ticket("100003-T"))["title"] == "My printer"


@pytest.mark.parametrize(
    ("parts", "missing"),
    [
        (PARTS[:1], ["parts"]),
        ((), ["parts"]),
        ((PARTS[0], SplitPart(title=" ", description="x", category="Other")), ["parts.2.title"]),
        (
            (SplitPart(title="x", category="Plumbing"), PARTS[1]),
            ["parts.1.description", "parts.1.known_category"],
        ),
        ((PARTS[0], SplitPart(title="x", description="x")), ["parts.2.category"]),
    ],
)
async def test_half_a_split_is_none(office: Office, parts: tuple[SplitPart, ...], missing: list[str]) -> None:
    """T27: it is refused with which part lacks what, and nothing has changed."""
    refusal = await split(office, parts)
    assert (refusal["code"], refusal["missing"]) == ("incomplete_split", missing)
    assert "part" in refusal["detail"]
    assert await statuses(office) == ["to_do"]
    assert (await office.ticket(ORIGINAL))["version"] == 2
    # No reference was given in vain.
    await office.take_in(letter(9))
    assert (await office.tickets())[-1]["reference"] == "100002-T"


async def test_the_primary_contact_is_told_into_which(office: Office) -> None:
    """NT-1: where the process has the template."""
    await split(office)
    compose = (await office.asked_of_notify())[-1]
    assert (compose["template"], compose["reference"], compose["cc"]) == ("parts", ORIGINAL, [])
    assert [each["address"] for each in compose["to"]] == [CARLA.lower()]
    assert compose["variables"]["tickets"] == f"{PRINTER}, {KEY}"
    assert compose["in_reply_to"] == "1@harbour.test"


async def test_the_original_is_closed_with_the_last_of_its_parts(office: Office) -> None:
    """T28, AMB-16: whatever closes it, and resolved when the last part was."""
    await split(office)
    await office.advance(hours=1)
    await close(office, KEY)
    assert await statuses(office) == ["wait", "to_do", "closed"]
    await office.advance(hours=1)
    await office.step(asked.TicketResolve, PRINTER, method="rejected")
    assert await statuses(office) == ["wait", "resolved", "closed"]
    last = (await office.ticket(PRINTER))["resolution"]["at"]
    await office.advance(days=3)
    await office.step(asked.ActivityReopen, PRINTER)
    await office.step(asked.TicketResolve, PRINTER, method="rejected_as_spam")
    original = await office.ticket(ORIGINAL)
    assert (original["status"], original["resolution"]["method"]) == ("closed", "split")
    assert original["resolution"]["at"] == (await office.ticket(PRINTER))["resolution"]["at"] != last
    event = (await office.history(ORIGINAL))[-1]
    assert (event["rule"], event["reason"]) == ("T28", "all_split_tickets_completed")
    assert event["actor_kind"] == "system"


async def test_a_mail_for_one_of_them_goes_to_every_part(office: Office) -> None:
    """T29, IN-8: by its own status each, once; the original waits on."""
    await split(office)
    await office.step(asked.TicketWait, PRINTER, days=2)
    for number, reference in enumerate((ORIGINAL, PRINTER, KEY), 2):
        await office.take_in(to(number, reference))
    assert await statuses(office) == ["wait", "to_do", "to_do"]
    assert len(await office.mails(PRINTER)) == len(await office.mails(KEY)) == 3
    assert len(await office.mails(ORIGINAL)) == 2
    assert [rule for _, rule in await office.rules(PRINTER)].count("T13") == 3
    assert ("mail_appended", "T29") in await office.rules(ORIGINAL)
    ways = {
        event["matched_by"] for event in await office.said("activity.activities.v1", "ticket.mail_appended")
    }
    assert ways == {"signed_address", "split"}


async def test_an_answer_to_what_came_before_the_split_reaches_each_once(office: Office) -> None:
    """IN-8, IN-2: the mail stands on all of them."""
    await split(office)
    await office.take_in(letter(2, answers="1@harbour.test"))
    assert [len(await office.mails(each)) for each in (ORIGINAL, PRINTER, KEY)] == [2, 1, 1]
    assert len(await office.tickets()) == 3


async def test_a_mail_to_a_closed_part_opens_a_new_ticket_beside(office: Office) -> None:
    """IN-8, IN-14: the other parts get it too; a mail for the original alone opens none."""
    await split(office)
    await close(office, KEY)
    await office.take_in(to(2, ORIGINAL))
    assert len(await office.tickets()) == 3
    await office.take_in(to(3, KEY))
    assert await statuses(office) == ["wait", "to_do", "closed", "to_do"]
    assert len(await office.mails(PRINTER)) == 2
    links = await office.pool.fetch("SELECT linked FROM links WHERE reason = 'closed_match'")
    assert (await office.ticket(KEY))["id"] in {row["linked"] for row in links}


async def test_a_part_can_be_split_again(office: Office) -> None:
    """T27, T28, T29: mail goes to what is open at the bottom, and the end comes up step by step."""
    await split(office)
    await office.step(asked.TicketSplit, KEY, parts=PARTS)
    await office.take_in(to(2, PRINTER))
    assert [len(await office.mails(f"10000{each}-T")) for each in range(1, 6)] == [1, 1, 0, 1, 1]
    for reference in (PRINTER, "100004-T", "100005-T"):
        assert await statuses(office) != ["closed"] * 5
        await close(office, reference)
    assert await statuses(office) == ["closed"] * 5
