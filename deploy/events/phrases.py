"""What sentences are made of: lists, quotations, people, holders, due dates."""

from collections.abc import Iterable

from shared.contracts.activity_activities import Holders
from shared.contracts.activity_due import DueDate
from shared.contracts.mail import Mailbox, RecipientResult

LONGEST = 160
"""Characters of what somebody wrote that a sentence shows."""


def quoted(text: str) -> str:
    flat = " ".join(text.split())
    return f"“{flat if len(flat) <= LONGEST else flat[: LONGEST - 1] + '…'}”"


def listed(things: Iterable[object], nothing: str = "nobody") -> str:
    return ", ".join(str(each) for each in things) or nothing


def words(name: str) -> str:
    return name.replace("_", " ")


def people(*mailboxes: Mailbox) -> str:
    return listed(each.address for each in mailboxes)


def results(recipients: Iterable[RecipientResult]) -> str:
    return listed((f"{each.address} {each.delivery.value}" for each in recipients), "no recipient")


def held(holders: Holders) -> str:
    parts = ("assignee", "owner", "queue")
    return listed((f"{part} {name}" for part in parts if (name := getattr(holders, part))), "held by nobody")


def due(due: DueDate) -> str:
    if due.paused:
        return "its clock stands"
    return f"due {due.at:%Y-%m-%d %H:%M} UTC" if due.at else "without a due date"
