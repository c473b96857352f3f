"""The main job on real servers as those see it who take part: a customer and an agent."""

from email.message import EmailMessage

from tests.support.mailroom import Mailroom
from tests.support.people import Agent, customer
from tests.support.shared_mailroom import SECOND, with_window

HOUR = 1.0


async def test_a_mail_becomes_a_ticket_that_is_answered_wakes_comes_back_and_closes(
    mailroom: Mailroom,
) -> None:
    """T2, NT-1, T7, T11, T13, T18, T23, T26, T35, IN-14."""
    anna, agent = customer(mailroom), Agent(mailroom)
    await mailroom.configure(with_window(mailroom.definition, hours=HOUR))

    question = await anna.write("Password expired", "I cannot log in.")
    (ticket,) = await agent.finds(anna)
    reference = ticket["reference"]
    assert (ticket["status"], ticket["category"]) == ("to_do", "Access / Password")
    acknowledgement = await anna.receive_answer_to(question)
    assert reference in acknowledgement["Subject"]
    assert acknowledgement["Auto-Submitted"] == "auto-replied"

    await agent.step(reference, "pick_up")
    await agent.step(reference, "reply", text="Which number shall I send the code to?")
    reply = await anna.receive(lambda mail: "Which number" in text_of(mail))
    await agent.step(reference, "wait", days=3)
    await agent.sees(reference, status="wait", owner=agent.name)

    await anna.answer(reply, "To my own, please.")
    await agent.sees(reference, status="to_do", new_information=True)

    await agent.step(reference, "pick_up")
    await agent.step(reference, "resolve", method="with_customer_response")
    await agent.sees(reference, status="resolved")
    await anna.answer(reply, "It still does not work.")
    reopened = await agent.sees(reference, status="to_do", new_information=True)
    assert reopened["reopening"]["by"]["kind"] == "system"

    await mailroom.configure(with_window(mailroom.definition, hours=SECOND))
    await agent.step(reference, "pick_up")
    await agent.step(reference, "resolve", method="with_customer_response")
    await agent.sees(reference, status="closed")
    assert len(await agent.tickets_of(anna)) == 1

    await anna.answer(reply, "And now it has expired again.")
    _, later = await agent.finds(anna, 2)
    (link,) = (await agent.ticket(later["reference"]))["links"]
    assert (link["activity"]["reference"], link["reason"]) == (reference, "closed_match")
    assert later["status"] == "to_do"
    await agent.sees(reference, status="closed")

    ways = [entry["rule"] for entry in await agent.timeline(reference) if entry["status"]]
    assert ways == ["T2", "T7", "T11", "T13", "T7", "T18", "T23", "T7", "T18", "T26"]


def text_of(mail: EmailMessage) -> str:
    """The mail's plain text."""
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body else ""
