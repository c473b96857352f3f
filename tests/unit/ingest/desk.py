"""A small organisation and its mail, for the rules' tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from services.ingest.domain.mail import Address, ParsedMail
from services.ingest.domain.mailboxes import Fallback, Mailbox, Mailboxes, PlusMode, Route
from shared.keyring import Keyring
from shared.references import Reference
from shared.tokens import message_id, reply_address

DATA = Path(__file__).parents[2] / "data"
MAILS = DATA / "mails"
ORGANISATION = "acme"
KEYRING = Keyring(1, {1: b"k" * 32})
CONVERSATION = "00112233445566ff"
MAIL_ID = UUID("01890000-0000-7000-8000-000000000001")

INFO = Mailbox(
    name="info",
    address="info@desk.example",
    aliases=("help@desk.example", "old@desk.example"),
    routes=(Route("help desk", "help@desk.example", "help", category="questions"),),
    fallback=Fallback("general", send_automated_emails=True),
)
SALES = Mailbox(name="sales", address="sales@desk.example", fallback=Fallback("offers"))
DESK = Mailboxes.of(ORGANISATION, [INFO, SALES])


def raw(name: str) -> bytes:
    """One mail of the corpus."""
    return (MAILS / f"{name}.eml").read_bytes()


def addresses(*written: str) -> tuple[Address, ...]:
    return tuple(Address(one) for one in written)


def mail(*, to: tuple[str, ...] = (), cc: tuple[str, ...] = (), **fields: Any) -> ParsedMail:
    """A parsed mail from a customer; `digest` follows from the fields unless it is given."""
    headers: Mapping[str, str] = fields.pop("headers", {})
    defaults: dict[str, Any] = {
        "size": 100,
        "digest": str(sorted((name, str(value)) for name, value in fields.items())),
        "message_id": "m1@customer.example",
        "sender": Address("jane@customer.example"),
        "headers": {name: (value,) for name, value in headers.items()},
    }
    return ParsedMail(**{**defaults, **fields, "to": addresses(*to), "cc": addresses(*cc)})


def desk_with(mode: PlusMode) -> Mailboxes:
    """The info mailbox alone, reading plus addresses in this mode."""
    return Mailboxes.of(ORGANISATION, [Mailbox("info", INFO.address, plus_mode=mode, fallback=INFO.fallback)])


def signed(mailbox: str, reference: Reference | None, organisation: str = ORGANISATION) -> str:
    """A plus address as we would write it."""
    return reply_address(KEYRING, organisation, mailbox, CONVERSATION, reference)


def our_message_id(reference: Reference | None = None, organisation: str = ORGANISATION) -> str:
    """A Message-ID of ours, without its angle brackets."""
    return message_id(KEYRING, organisation, "desk.example", MAIL_ID, CONVERSATION, reference).strip("<>")
