"""Who takes part in the demonstration, and what has come of it so far."""

from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from deploy.demo.agent import Agent
from deploy.demo.customer import Customer
from deploy.demo.stage import Stage
from deploy.demo.waiting import eventually

HELP = "help@mailroom.test"


@dataclass
class Scene:
    """`reference` is what the act is about; `reply` the mail that the customer is going to answer.

    `drawing` is the file in which a Case is drawn.
    """

    customer: Customer
    agent: Agent
    robot: Agent
    stage: Stage
    drawing: Path
    reference: str = ""
    reply: EmailMessage = field(default_factory=EmailMessage)

    def seen_when(self, reference: str | None = None, **expected: Any) -> dict[str, Any]:
        """Wait until it is as expected, and show it. Without a reference it is what the act is about."""
        called = reference or self.reference

        def look() -> dict[str, Any] | None:
            seen = self.agent.activity(called)
            return seen if all(seen[name] == value for name, value in expected.items()) else None

        wanted = ", ".join(f"{name} = {value}" for name, value in expected.items())
        seen = eventually(look, f"{called} with {wanted}")
        self.stage.activity(seen)
        return seen

    def received(self, subject: str, text: str) -> EmailMessage:
        """Wait for a mail in the customer's own mailbox."""

        def expected(mail: EmailMessage) -> bool:
            body = mail.get_body(("plain",))
            return subject in mail["Subject"] and body is not None and text in body.get_content()

        return self.customer.receive(expected)
