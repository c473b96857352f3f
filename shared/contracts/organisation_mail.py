"""Parts of an organisation's configuration about mail: mailboxes, routes, blocked senders, templates."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.contracts.organisation_strict import Strict
from shared.contracts.record import EmailAddress, Language, Name


class PlusMode(StrEnum):
    """How a mailbox reads plus addresses (PA-5, AMB-49)."""

    OFF = "off"
    MIXED = "mixed"
    ONLY = "only"


class Criteria(Strict):
    """What a mail has to meet for a route; all that is given must hold (RT-3)."""

    important: bool | None = None
    attachment_extensions: tuple[str, ...] = ()
    subject_keywords: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()


class Route(Strict):
    """Where mail to one address goes (RT-2). The fallback is the mailbox's own `fallback`."""

    name: Name
    address: EmailAddress
    process: Name
    category: str | None = None
    send_automated_emails: bool = False
    test_mode: bool = False
    enabled: bool = True
    criteria: Criteria = Criteria()


class Fallback(Strict):
    """The last route of a mailbox's primary address: always enabled, without criteria (RT-4)."""

    process: Name
    category: str | None = None
    send_automated_emails: bool = False


class Imap(Strict):
    """Where a mailbox is read. `server` and `password` name a server and a secret in ingest's settings."""

    server: Name
    user: str
    password: Name
    folder: str = "INBOX"
    done_folder: str = "Mailroom/Done"
    keep_days: Annotated[int, Field(ge=1)] = 30


class Smtp(Strict):
    """How a mailbox sends (NT-18). Names a server, and a secret if it wants a login."""

    server: Name
    user: str | None = None
    password: Name | None = None


class MailboxDefinition(Strict):
    """One mailbox: its addresses, how it is read, how it sends, where its mail goes (RT-1)."""

    name: Name
    address: EmailAddress
    display_name: str = ""
    aliases: tuple[EmailAddress, ...] = ()
    plus_addressing: PlusMode = PlusMode.MIXED
    hide_matching_data: bool = False
    imap: Imap
    smtp: Smtp
    routes: tuple[Route, ...] = ()
    fallback: Fallback


class BlockMode(StrEnum):
    """What mail of a blocked sender leads to (BL-1).

    Tickets, or Tickets and Cases, without any automatic mail; or a Ticket that is closed at once, rejected
    as spam.
    """

    TICKETS = "tickets"
    TICKETS_AND_CASES = "tickets_and_cases"
    REJECT = "reject"


class Blocked(Strict):
    """A sender whose mail is not welcome: an address, or `*@domain` for all of a domain (BL-1)."""

    address: str
    mode: BlockMode


class TemplateText(Strict):
    """A template in one language, Jinja's syntax. `html` is made from `text` when it is left out."""

    subject: str
    text: str
    html: str | None = None


class Template(Strict):
    """An automatic mail in the languages it exists in; `en` is the last resort (NT-1)."""

    name: Name
    texts: dict[Language, TemplateText]

    @model_validator(mode="after")
    def _has_english(self) -> Self:
        if "en" not in self.texts:
            raise ValueError(f"template {self.name} has no text in 'en', the last resort")
        return self
