"""A Ticket that continues a closed one takes over its mails, contacts and correspondents (IN-14)."""

from collections import Counter
from typing import Any

import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests import Person
from shared.contracts.ingest_mails import PlusReference
from shared.unit_of_work import Incoming
from tests.support.office import DEFINITION, HELP, Office, addressed, incoming, received, user

CARLA, BEN, DAN = "carla.customer@harbour.test", "ben@harbour.test", "dan@other.test"
FOUR = {"original_requester", "primary_contact", "requester", "subject"}


async def close(office: Office, reference: str) -> None:
    await office.step(asked.TicketResolve, reference, method=asked.ResolutionMethod.REJECTED_AS_SPAM)


def letter(number: int, sender: str = CARLA, answers: int | None = None, **more: Any) -> Incoming[Any]:
    """The mail of this number, an answer to that of another."""
    answered = f"{answers}@harbour.test" if answers else None
    return received(message_id=f"{number}@harbour.test", sender=sender, in_reply_to=answered, **more)


def bare(reference: str) -> PlusReference:
    return PlusReference(
        address=f"help+{reference.lower()}@acme.test", mailbox="help", reference=reference, signed=False
    )


def guess(number: int, sender: str, reference: str) -> Incoming[Any]:
    plus = bare(reference)
    return letter(number, sender, to=[plus.address], plus=[plus], targets=[addressed(HELP)])


async def tags(office: Office, reference: str) -> dict[str, set[str]]:
    """Who is who, by address."""
    rows = await office.pool.fetch(
        """SELECT address, array_agg(tag) AS tags FROM activity_contacts JOIN contacts ON id = contact
        WHERE activity = $1 GROUP BY address""",
        (await office.ticket(reference))["id"],
    )
    return {row["address"]: set(row["tags"]) for row in rows}


async def test_the_sender_leads_and_earlier_contacts_get_copies(office: Office) -> None:
    """IN-14, CT-3, CT-5: and they learn of it by the acknowledgement (NT-1)."""
    await office.take_in(letter(1))
    await close(office, "100001-T")
    await office.take_in(letter(2, BEN, answers=1))
    assert await tags(office, "100001-T") == {CARLA: FOUR}
    assert await tags(office, "100002-T") == {BEN: FOUR, CARLA: {"cc"}}
    acknowledgement = (await office.asked_of_notify())[-1]
    assert [person["address"] for person in acknowledgement["to"]] == [BEN]
    assert [person["address"] for person in acknowledgement["cc"]] == [CARLA]


async def test_without_a_contact_for_the_sender_earlier_ones_keep_their_tags(office: Office) -> None:
    """IN-14, CT-12."""
    await office.take_in(letter(1))
    await close(office, "100001-T")
    rules = DEFINITION.rules.model_copy(update={"automatic_contacts": False})
    await office.configure(DEFINITION.model_copy(update={"rules": rules}), version=2)
    await office.take_in(letter(2, BEN, answers=1))
    assert await tags(office, "100002-T") == {CARLA: FOUR}


async def test_contacts_of_another_company_stay_behind(office: Office) -> None:
    """IN-14, CT-10: though they stay correspondents."""
    await office.take_in(letter(1))
    await close(office, "100001-T")
    await office.pool.execute("UPDATE contacts SET company = 'elsewhere' WHERE address = $1", CARLA)
    await office.take_in(letter(2, BEN, answers=1))
    assert await tags(office, "100002-T") == {BEN: FOUR}


async def test_earlier_participants_are_no_strangers_to_it(office: Office) -> None:
    """IN-14, AMB-38: neither contacts nor who was in Cc; everybody else is."""
    await office.take_in(letter(1, to=[HELP], cc=[DAN]))
    await close(office, "100001-T")
    await office.take_in(letter(2, BEN, answers=1))
    await office.take_in(guess(3, DAN, "100002-T"), guess(4, CARLA, "100002-T"))
    assert len(await office.mails("100002-T")) == 3
    await office.take_in(guess(5, "eve@evil.test", "100002-T"))
    assert len(await office.mails("100002-T")) == 3
    assert len(await office.tickets()) == 3


async def test_every_earlier_mail_stands_in_its_timeline_with_where_it_comes_from(office: Office) -> None:
    """IN-14: what came in, what we sent, and what the closed one had taken over itself."""
    await office.take_in(letter(1), letter(2, answers=1))
    await close(office, "100001-T")
    await office.take_in(letter(3, answers=2))
    await office.step(asked.ActivityReply, "100002-T", text="Once more")
    await close(office, "100002-T")
    await office.take_in(letter(4, answers=3))
    first, second, third = [ticket["id"] for ticket in await office.tickets()]
    stands = await office.pool.fetch("SELECT activity, mail FROM activity_mails WHERE NOT continued")
    on = Counter(row["activity"] for row in stands)
    assert on == {first: 3, second: 3, third: 2}  # letters, acknowledgements, the reply
    told = await office.said("activity.activities.v1", "ticket.mail_continued")
    came = Counter((event["reference"], event["from_reference"]) for event in told)
    # Mail 3 stands on the second Ticket only; all that it took over came with it.
    assert came == {("100002-T", "100001-T"): 3, ("100003-T", "100002-T"): 6}
    ids = [event["mail"] for event in told if event["reference"] == "100003-T"]
    assert ids == sorted(set(ids))


async def test_several_closed_ones_are_continued_together(office: Office) -> None:
    """IN-14: those that one mail finds through one mailbox; each mail comes from where it began."""
    await office.take_in(letter(1, cc=[DAN]))
    await close(office, "100001-T")
    await office.take_in(letter(2, BEN, answers=1))
    await close(office, "100002-T")
    await office.take_in(letter(3, DAN, answers=1))
    links = await office.pool.fetch(
        "SELECT linked FROM links WHERE activity = $1 AND reason = 'closed_match'",
        (await office.ticket("100003-T"))["id"],
    )
    first, second, _ = [ticket["id"] for ticket in await office.tickets()]
    assert {row["linked"] for row in links} == {first, second}
    told = await office.said("activity.activities.v1", "ticket.mail_continued")
    came = Counter(event["from_reference"] for event in told if event["reference"] == "100003-T")
    assert came == {"100001-T": 2, "100002-T": 2}
    assert await tags(office, "100003-T") == {DAN: FOUR, BEN: {"cc"}, CARLA: {"cc"}}


@pytest.mark.parametrize("apart", [True, False])
async def test_a_ticket_is_closed_and_continued_in_the_same_batch(office: Office, apart: bool) -> None:
    """IN-14, design §3: what a batch does to a Ticket is seen by the mails behind it."""
    await office.take_in(letter(1))
    closing = [
        incoming_step("100001-T", 1),
        letter(2, BEN, answers=1),
        incoming_step("100002-T", 2),
        letter(3, DAN, answers=2),
    ]
    for batch in [[record] for record in closing] if apart else [closing]:
        await office.take_in(*batch)
    assert await tags(office, "100003-T") == {DAN: FOUR, BEN: {"cc"}, CARLA: {"cc"}}
    id_ = (await office.ticket("100003-T"))["id"]
    stands = "SELECT continued, count(*) FROM activity_mails WHERE activity = $1 GROUP BY 1"
    assert {row[0]: row[1] for row in await office.pool.fetch(stands, id_)} == {True: 4, False: 2}


async def test_a_reader_of_the_events_knows_contacts_and_mails(office: Office) -> None:
    """Design §4: `activity.activities.v1` is enough to rebuild a Ticket but for its texts."""
    person = Person(address="erin@harbour.test", name="Erin")
    await office.take_in(letter(1))
    await office.step(asked.ActivityEdit, "100001-T", primary_contact=person)
    await close(office, "100001-T")
    await office.take_in(letter(2, BEN, answers=1), letter(3, answers=2))
    await office.step(asked.ActivityReply, "100002-T", text="Hello")
    contacts, mails = set(), set()
    for event in await office.said("activity.activities.v1"):
        key = event["activity"]
        contacts |= {(key, each["tag"], each["contact"]) for each in event.get("contacts", ())}
        if event["type"] == "ticket.contact_tagged":
            change = set.discard if event["removed"] else set.add
            change(contacts, (key, event["tag"], event["contact"]))
        elif event.get("mail"):
            mails.add((key, event["mail"], event["type"] == "ticket.mail_continued"))
    rows = await office.pool.fetch("SELECT activity::text, tag, contact::text FROM activity_contacts")
    assert contacts == {tuple(row) for row in rows}
    rows = await office.pool.fetch("SELECT activity::text, mail::text, continued FROM activity_mails")
    assert mails == {tuple(row) for row in rows}


def incoming_step(reference: str, number: int) -> Incoming[Any]:
    request = asked.TicketResolve(
        actor=user("amelie"), reference=reference, method=asked.ResolutionMethod.REJECTED_AS_SPAM
    )
    return incoming(request, f"close-{number}")
