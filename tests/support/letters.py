"""Outgoing mail for tests: requests as the domain sees them, and an organisation that may send them."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from services.notify.domain.mail import Asked, OrganisationView, Person, SendingMailbox, TemplateText
from shared.keyring import Keyring
from shared.references import ticket

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEYRING = Keyring(1, {1: bytes(range(32))})
MAIL = UUID("0199d3a0-6400-7b2c-9d3e-4f5a6b7c8d9e")
CONVERSATION = "9f3c5a7e1b2d4f60"
HELP = SendingMailbox("help@mailroom.test", "Service desk")
ANNA = Person("anna@harbour.test", "Anna Berg")
TEMPLATES = {
    "acknowledgement": {
        "en": TemplateText("Request {{ reference }}", "Hello,\nyour request is {{ reference }}.\n"),
        "fr": TemplateText("Demande {{ reference }}", "Bonjour,\nvotre demande est {{ reference }}.\n"),
    }
}


def organisation(**changes: Any) -> OrganisationView:
    """acme, which sends from help@mailroom.test."""
    fields: dict[str, Any] = {
        "name": "acme",
        "mailboxes": {"help": HELP},
        "templates": TEMPLATES,
        "own_mailbox": lambda address: "help" if address.casefold() == HELP.address else None,
        "hourly_limit": 20,
    }
    return OrganisationView(**(fields | changes))


def reply(**changes: Any) -> Asked:
    """A mail that an agent wrote to Anna."""
    fields: dict[str, Any] = {
        "mail": MAIL,
        "reference": ticket(101203),
        "conversation": CONVERSATION,
        "mailbox": "help",
        "to": (ANNA,),
        "automatic": False,
        "subject": "Printer",
        "text": "Please switch it on.\n",
    }
    return Asked(**(fields | changes))


def acknowledgement(**changes: Any) -> Asked:
    """The automatic answer to Anna's mail."""
    fields: dict[str, Any] = {
        "automatic": True,
        "subject": None,
        "text": None,
        "template": "acknowledgement",
        "in_reply_to": "1@harbour.test",
        "references": ("1@harbour.test",),
    }
    return reply(**(fields | changes))


def parsed(mime: bytes) -> EmailMessage:
    """A mail as its recipient's program reads it."""
    message = message_from_bytes(mime, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(mime: bytes, subtype: str) -> str:
    """The text of the mail's `plain` or `html` part."""
    found = parsed(mime).get_body((subtype,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")
