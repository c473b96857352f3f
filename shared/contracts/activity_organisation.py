"""An organisation's configuration (`activity.organisation.v1`), compacted.

It travels in sections. A reader keeps each section it reads beside what it uses, and changes over when
`organisation.applied` arrives, which always comes after the sections of its version (design §10).
Secrets are never in it: it names them.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from shared.contracts.record import EmailAddress, Language, Name, Part, Record


class Strict(Part):
    """A part that people write by hand: a field nobody knows is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


class Category(Strict):
    """A Ticket category; `path` joins its levels with ` / `."""

    path: str


class Process(Strict):
    """A Ticket process: what its Tickets need, where they go, how long they may come back."""

    name: Name
    title: str
    company: Name
    contract: Name
    service: Name
    queue: Name
    language: Language = "en"
    live: bool = True
    startable: bool = True
    default_mailbox: Name | None = None
    categories: tuple[Category, ...] = ()
    feedback_window_hours: Annotated[float, Field(ge=0)] = 0
    """0 means none: resolved is closed at once (ST-14)."""
    note_required_to_resolve: bool = False
    acknowledgement: Name | None = None
    no_response: Name | None = None


class Queue(Strict):
    """Where Tickets wait for the people of a team."""

    name: Name
    title: str


class User(Strict):
    """A person or robot who works on Tickets, and on which processes."""

    name: Name
    title: str
    address: EmailAddress | None = None
    robot: bool = False
    processes: tuple[Name, ...] = ()


class Company(Strict):
    """A customer."""

    name: Name
    title: str
    domains: tuple[str, ...] = ()


class Contract(Strict):
    """What was agreed with a company."""

    name: Name
    title: str
    company: Name


class Service(Strict):
    """What is done under a contract."""

    name: Name
    title: str
    contract: Name


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


class Rules(Strict):
    """Settings of the organisation as a whole."""

    closed_match: Literal["new_activity", "open_parent"] = "new_activity"
    autoreply_wakes: bool = True
    automatic_contacts: bool = True
    sender_mails_per_hour: Annotated[int, Field(ge=1)] = 20
    """Automatic mails to one address in an hour; more are refused, so that loops starve (AMB-37)."""


class Definition(Strict):
    """A whole organisation as people write it, before it has a version.

    Every list holds things with unique names; `shared/organisation_rules.py` says what else has to hold.
    """

    organisation: Name
    companies: tuple[Company, ...] = ()
    contracts: tuple[Contract, ...] = ()
    services: tuple[Service, ...] = ()
    processes: tuple[Process, ...] = ()
    queues: tuple[Queue, ...] = ()
    users: tuple[User, ...] = ()
    mailboxes: tuple[MailboxDefinition, ...] = ()
    templates: tuple[Template, ...] = ()
    rules: Rules = Rules()


class Section(Record):
    """A part of one version."""

    version: int


class MailboxesSection(Section):
    """Where mail comes in and goes out."""

    type: Literal["organisation.mailboxes"] = "organisation.mailboxes"
    mailboxes: tuple[MailboxDefinition, ...]


class ProcessesSection(Section):
    """What is done for whom."""

    type: Literal["organisation.processes"] = "organisation.processes"
    companies: tuple[Company, ...]
    contracts: tuple[Contract, ...]
    services: tuple[Service, ...]
    processes: tuple[Process, ...]


class PeopleSection(Section):
    """Who does it."""

    type: Literal["organisation.people"] = "organisation.people"
    queues: tuple[Queue, ...]
    users: tuple[User, ...]


class TemplatesSection(Section):
    """What automatic mail says."""

    type: Literal["organisation.templates"] = "organisation.templates"
    templates: tuple[Template, ...]


class RulesSection(Section):
    """What holds for the organisation as a whole."""

    type: Literal["organisation.rules"] = "organisation.rules"
    rules: Rules


class OrganisationApplied(Record):
    """The configuration's version is complete: readers change over to it."""

    type: Literal["organisation.applied"] = "organisation.applied"
    version: int
    digest: str


OrganisationRecord = Annotated[
    MailboxesSection
    | ProcessesSection
    | PeopleSection
    | TemplatesSection
    | RulesSection
    | OrganisationApplied,
    Field(discriminator="type"),
]
