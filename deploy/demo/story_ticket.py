"""The first act: one mail's whole way, from the customer's mail to the closed Ticket."""

from collections.abc import Callable

from deploy.demo.scene import HELP, Scene
from deploy.demo.waiting import eventually

QUESTION = """Hello,

my password has expired and I cannot log in any more. The picture shows what it says.

Best regards
Anna
"""

ANSWER = """Hello Anna,

I can reset it. Which number shall I send the code to?

Amélie
"""

NUMBER = """Please use +33 1 23 45 67 89. Thank you!

Anna
"""

DONE = """Hello Anna,

the code is on its way, and your password works again.

Amélie
"""


def a_mail_comes_in(scene: Scene) -> None:
    """A customer writes to the service desk, over SMTP"""
    mail = scene.customer.write(HELP, "Password expired", QUESTION)
    scene.customer.send(mail)
    scene.stage.mail(mail, ("From", "To", "Subject", "Message-ID"))


def it_is_a_ticket(scene: Scene) -> None:
    """It has become a Ticket, with its reference and contacts"""
    opened = eventually(lambda: next(iter(scene.agent.tickets()), None), "the Ticket")
    scene.reference = opened["reference"]
    ticket = scene.seen_when(status="to_do", category="Access / Password")
    scene.stage.contacts(ticket)


def it_is_acknowledged(scene: Scene) -> None:
    """The acknowledgement lies in the customer's own mailbox, over IMAP"""
    mail = scene.received(scene.reference, scene.reference)
    scene.stage.mail(
        mail, ("From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "Auto-Submitted")
    )


def an_agent_takes_it(scene: Scene) -> None:
    """An agent picks it up"""
    scene.agent.take_step(scene.reference, "pick_up")
    scene.seen_when(status="in_progress", assignee=scene.agent.name)


def the_agent_answers(scene: Scene) -> None:
    """… answers, and the answer arrives"""
    scene.agent.take_step(scene.reference, "reply", text=ANSWER)
    scene.reply = scene.received("Password expired", "Which number")
    scene.stage.mail(scene.reply, ("From", "To", "Subject", "Message-ID", "In-Reply-To", "References"))


def the_agent_waits(scene: Scene) -> None:
    """… and waits for information, three days at most"""
    scene.agent.take_step(scene.reference, "wait", days=3)
    scene.seen_when(status="wait", owner=scene.agent.name)


def the_customer_answers(scene: Scene) -> None:
    """The customer answers the signed address"""
    mail = scene.customer.answer(scene.reply, NUMBER)
    scene.customer.send(mail)
    scene.stage.mail(mail, ("From", "To", "Subject", "In-Reply-To"))


def the_ticket_wakes(scene: Scene) -> None:
    """The Ticket is back in To Do, with new information, and there is only one"""
    scene.seen_when(status="to_do", new_information=True)
    tickets = scene.agent.tickets()
    if len(tickets) != 1:
        raise AssertionError(f"There are {len(tickets)} Tickets for one conversation.")


def it_is_resolved(scene: Scene) -> None:
    """The agent says that it is done, and resolves it"""
    scene.agent.take_step(scene.reference, "pick_up")
    scene.agent.take_step(scene.reference, "mark_information", new=False)
    scene.agent.take_step(scene.reference, "reply", text=DONE)
    scene.received("Password expired", "works again")
    scene.agent.take_step(scene.reference, "resolve", method="with_customer_response")
    scene.seen_when(new_information=False)


def it_closes(scene: Scene) -> None:
    """The feedback window passes without an answer, and it closes"""
    scene.seen_when(status="closed")


def all_is_on_record(scene: Scene) -> None:
    """Its timeline"""
    scene.stage.timeline(scene.agent.timeline(scene.reference)[::-1])


FROM_MAIL_TO_TICKET: tuple[Callable[[Scene], None], ...] = (
    a_mail_comes_in,
    it_is_a_ticket,
    it_is_acknowledged,
    an_agent_takes_it,
    the_agent_answers,
    the_agent_waits,
    the_customer_answers,
    the_ticket_wakes,
    it_is_resolved,
    it_closes,
    all_is_on_record,
)
