"""The main job as a story of small steps: each does one thing as a user would, and looks at what came of it.

Nothing is faked: the customer has a mailbox, the agent a token, and Mailroom runs as in production, but for
a feedback window of seconds. A step that does not see what it waits for raises, and the demo has failed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from deploy.demo.agent import Agent
from deploy.demo.customer import Customer
from deploy.demo.stage import Stage
from deploy.demo.waiting import eventually

HELP = "help@mailroom.test"

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


@dataclass
class Scene:
    """Who takes part, and what has come of it so far."""

    customer: Customer
    agent: Agent
    stage: Stage
    reference: str = ""
    reply: EmailMessage = field(default_factory=EmailMessage)

    def ticket_when(self, **expected: Any) -> dict[str, Any]:
        """Wait until the Ticket is as expected, and show it."""

        def look() -> dict[str, Any] | None:
            ticket = self.agent.ticket(self.reference)
            return ticket if all(ticket[name] == value for name, value in expected.items()) else None

        wanted = ", ".join(f"{name} = {value}" for name, value in expected.items())
        ticket = eventually(look, f"{self.reference} with {wanted}")
        self.stage.ticket(ticket)
        return ticket

    def received(self, subject: str, text: str) -> EmailMessage:
        """Wait for a mail in the customer's own mailbox."""

        def expected(mail: EmailMessage) -> bool:
            body = mail.get_body(("plain",))
            return subject in mail["Subject"] and body is not None and text in body.get_content()

        return self.customer.receive(expected)


def a_mail_comes_in(scene: Scene) -> None:
    """A customer writes to the service desk, over SMTP"""
    mail = scene.customer.write(HELP, "Password expired", QUESTION)
    scene.customer.send(mail)
    scene.stage.mail(mail, ("From", "To", "Subject", "Message-ID"))


def it_is_a_ticket(scene: Scene) -> None:
    """It has become a Ticket, with its reference and contacts"""
    opened = eventually(lambda: next(iter(scene.agent.tickets()), None), "the Ticket")
    scene.reference = opened["reference"]
    ticket = scene.ticket_when(status="to_do", category="Access / Password")
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
    scene.ticket_when(status="in_progress", assignee=scene.agent.name)


def the_agent_answers(scene: Scene) -> None:
    """… answers, and the answer arrives"""
    scene.agent.take_step(scene.reference, "reply", text=ANSWER)
    scene.reply = scene.received("Password expired", "Which number")
    scene.stage.mail(scene.reply, ("From", "To", "Subject", "Message-ID", "In-Reply-To", "References"))


def the_agent_waits(scene: Scene) -> None:
    """… and waits for information, three days at most"""
    scene.agent.take_step(scene.reference, "wait", days=3)
    scene.ticket_when(status="wait", owner=scene.agent.name)


def the_customer_answers(scene: Scene) -> None:
    """The customer answers the signed address"""
    mail = scene.customer.answer(scene.reply, NUMBER)
    scene.customer.send(mail)
    scene.stage.mail(mail, ("From", "To", "Subject", "In-Reply-To"))


def the_ticket_wakes(scene: Scene) -> None:
    """The Ticket is back in To Do, with new information, and there is only one"""
    scene.ticket_when(status="to_do", new_information=True)
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
    scene.ticket_when(new_information=False)


def it_closes(scene: Scene) -> None:
    """The feedback window passes without an answer, and it closes"""
    scene.ticket_when(status="closed")


def all_is_on_record(scene: Scene) -> None:
    """Its timeline"""
    scene.stage.timeline(scene.agent.timeline(scene.reference)[::-1])


STORY: tuple[Callable[[Scene], None], ...] = (
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


def play(scene: Scene) -> None:
    """All steps in order. Raises at the first that does not see what it waits for."""
    for step in STORY:
        scene.stage.title(step.__doc__ or step.__name__)
        step(scene)
