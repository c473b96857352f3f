"""Outgoing mail as its rules see it: what is asked for, what the organisation allows, what is sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.references import Reference


@dataclass(frozen=True, slots=True)
class Person:
    """An address with the name shown before it; `name` may be empty."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with a mail; its bytes lie in the blob store, as `object`."""

    object: str
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A mail that is to be composed. Message-IDs come without angle brackets, oldest first.

    Either `template` names a template of the organisation, or `text` is what a person wrote.
    """

    mail: UUID
    reference: Reference
    conversation: str
    mailbox: str
    to: tuple[Person, ...]
    automatic: bool
    cc: tuple[Person, ...] = ()
    subject: str | None = None
    template: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    language: str = "en"
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    attachments: tuple[File, ...] = ()

    @property
    def recipients(self) -> tuple[Person, ...]:
        return self.to + self.cc


@dataclass(frozen=True, slots=True)
class SendingMailbox:
    """The mailbox that a mail goes out from.

    `plus` says whether its server takes plus addresses (PA-5), `hide` whether they stay out of From (PA-6).
    """

    address: str
    name: str = ""
    plus: bool = True
    hide: bool = False


@dataclass(frozen=True, slots=True)
class TemplateText:
    """A template in one language, in Jinja's syntax. Without `html`, that part is made from `text`."""

    subject: str
    text: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """An organisation as far as outgoing mail is concerned.

    `templates` are by name and language. `own_mailbox` names the mailbox that an address belongs to.
    `hourly_limit` is how many automatic mails one address gets in an hour (AMB-37).
    """

    name: str
    mailboxes: Mapping[str, SendingMailbox]
    templates: Mapping[str, Mapping[str, TemplateText]]
    own_mailbox: Callable[[str], str | None]
    hourly_limit: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a mail is not sent: `code` is for programs, `detail` a sentence for people."""

    code: str
    detail: str


class Refused(Exception):
    """Raised where composing meets a rule that forbids the mail."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.refusal = Refusal(code, detail)


@dataclass(frozen=True, slots=True)
class ComposedMail:
    """A mail ready to be sent. `message_id` has no angle brackets.

    `home` is where answers come, and failures where they are wanted at all. `to` and `cc` hold each address
    once, as SMTP takes it. `mime` has CRLF line ends; where files go with it, these are still to follow.
    """

    asked: Asked
    message_id: str
    sender: Person
    home: str
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    needs_smtputf8: bool
    subject: str
    text: str
    mime: bytes
    composed_at: datetime

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(person.address for person in self.to + self.cc)
