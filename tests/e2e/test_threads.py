"""Which Ticket a mail belongs to, seen from outside: mailboxes, colleagues, plus addresses, forgers."""

from typing import Any

from tests.support.mailroom import Mailroom
from tests.support.people import Agent, customer


async def test_one_mail_to_two_mailboxes_is_two_tickets_with_one_acknowledgement_each(
    mailroom: Mailroom,
) -> None:
    """RT-6, AMB-9: one mail, two targets."""
    anna, agent = customer(mailroom), Agent(mailroom)
    both = f"{mailroom.address('help')}, {mailroom.address('billing')}"
    mail = await anna.write("Laptop and invoice", to=both)
    tickets = await agent.finds(anna, 2)
    await mailroom.settled()
    assert {ticket["process"] for ticket in tickets} == {"IT request", "Question about an invoice"}
    acknowledgements = await anna.inbox()
    assert {each["In-Reply-To"] for each in acknowledgements} == {mail["Message-ID"]}
    named = sorted(
        ticket["reference"]
        for each in acknowledgements
        for ticket in tickets
        if ticket["reference"] in each["Subject"]
    )
    assert named == sorted(ticket["reference"] for ticket in tickets)
    assert len(acknowledgements) == 2


async def test_a_colleague_in_cc_who_answers_is_on_the_same_ticket(mailroom: Mailroom) -> None:
    """IN-4: the colleague answers Anna's mail, which we know, and has never written to us."""
    anna, ben, agent = customer(mailroom), customer(mailroom, "Ben Ahl"), Agent(mailroom)
    mail = await anna.write("Projector", cc=ben.address)
    (ticket,) = await agent.finds(anna)
    seen = await ben.receive(lambda each: each["Message-ID"] == mail["Message-ID"])
    answer = ben.person.answer(seen, "It has no picture either.")
    answer["Cc"] = mailroom.address()
    await mailroom.send(answer)
    await agent.sees(ticket["reference"], new_information=True)
    await mailroom.settled()
    assert len(await agent.tickets_of(anna)) == 1
    assert {each["reference"] for each in await agent.tickets_of(ben)} <= {ticket["reference"]}
    assert texts(await agent.timeline(ticket["reference"])) == ["Please help.", "It has no picture either."]


async def test_the_plus_address_alone_leads_home(mailroom: Mailroom) -> None:
    """PA-7: the mail program has dropped In-Reply-To and References, and Ben answers in Anna's place."""
    anna, ben, agent = customer(mailroom), customer(mailroom, "Ben Ahl"), Agent(mailroom)
    mail = await anna.write("Headset")
    acknowledgement = await anna.receive_answer_to(mail)
    await ben.answer(acknowledgement, "I am her deputy.", without=("In-Reply-To", "References"))
    (ticket,) = await agent.finds(anna)
    await agent.sees(ticket["reference"], new_information=True)
    await mailroom.settled()
    assert len(await agent.tickets_of(anna)) == 1
    assert texts(await agent.timeline(ticket["reference"])) == ["Please help.", "I am her deputy."]


async def test_a_forged_plus_address_leads_a_stranger_nowhere(mailroom: Mailroom) -> None:
    """AMB-38: references can be guessed, so a bare one, or one with a made-up token, opens another Ticket."""
    anna, agent = customer(mailroom), Agent(mailroom)
    await anna.write("Confidential")
    (ticket,) = await agent.finds(anna)
    reference = ticket["reference"].lower()
    forged = {
        "bare": f"help+{reference}@{mailroom.domain}",
        "made up": f"help+{reference}.{'a' * 30}@{mailroom.domain}",
    }
    for how, address in forged.items():
        eve = customer(mailroom, "Eve Adams")
        await eve.write("Let me in", to=address)
        (own,) = await agent.finds(eve)
        assert own["reference"] != ticket["reference"], how
        (opened, *_) = [entry for entry in await agent.timeline(own["reference"]) if entry["mail"]]
        assert opened["mail"]["doubts"] == [f"stranger {address}"], how
    await mailroom.settled()
    assert texts(await agent.timeline(ticket["reference"])) == ["Please help."]


async def test_what_goes_on_after_a_closed_ticket_has_its_people_mails_and_files(mailroom: Mailroom) -> None:
    """IN-14, T35: Ben, who was in Cc, writes again; Anna comes along, and is believed at the new Ticket."""
    anna, ben, agent = customer(mailroom), customer(mailroom, "Ben Ahl"), Agent(mailroom)
    mail = await anna.write("Scanner", cc=ben.address)
    (ended,) = await agent.finds(anna)
    await anna.receive_answer_to(mail)
    await agent.step(ended["reference"], "resolve", method="rejected_as_spam")
    seen = await ben.receive(lambda each: each["Message-ID"] == mail["Message-ID"])
    answer = ben.person.answer(seen, "It is broken again.")
    answer["Cc"] = mailroom.address()
    await mailroom.send(answer)
    _, ticket = await agent.finds(anna, 2)
    reference = ticket["reference"]
    contacts = (await agent.ticket(reference))["contacts"]
    who = {(each["tag"], each["address"]) for each in contacts}
    assert {("primary_contact", ben.address), ("cc", anna.address)} <= who

    earlier = [e for e in await agent.timeline(reference) if e["type"] == "ticket.mail_continued"]
    assert {entry["details"]["from_reference"] for entry in earlier} == {ended["reference"]}
    assert {entry["mail"]["direction"] for entry in earlier} == {"in", "out"}
    (question,) = (entry["mail"] for entry in earlier if entry["mail"]["direction"] == "in")
    assert question["text"].strip() == "Please help."
    assert question["at"] < ticket["opened"]
    page = await mailroom.ask("GET", question["html"])
    assert "Please help." in page.text
    (picture,) = question["attachments"]
    assert reference in picture["href"]
    file = await mailroom.ask("GET", picture["href"])
    assert (file.status_code, len(file.content)) == (200, picture["size"])

    await anna.write("Me too", to=f"help+{reference.lower()}@{mailroom.domain}")
    await agent.sees(reference, new_information=True)
    await mailroom.settled()
    assert len(await agent.tickets_of(anna)) == 2


def texts(timeline: list[dict[str, Any]]) -> list[str]:
    """What came in, in order."""
    mails = [entry["mail"] for entry in timeline if entry["mail"] and entry["mail"]["direction"] == "in"]
    return [mail["text"].strip() for mail in mails]
