"""An organisation's configuration (`activity.organisation.v1`), compacted.

It travels in sections. A reader keeps each section it reads beside what it uses, and changes over when
`organisation.applied` arrives, which always comes after the sections of its version (design §10).
Secrets are never in it: it names them.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.field_types import FieldType
from shared.contracts.organisation_cases import (
    ActionDefinition,
    ActionType,
    ActionUse,
    ApprovalLevel,
    Needed,
    ProcessKind,
    Schedule,
    StepDefinition,
)
from shared.contracts.organisation_mail import (
    Blocked,
    BlockMode,
    Criteria,
    Fallback,
    Imap,
    MailboxDefinition,
    PlusMode,
    Route,
    Smtp,
    Template,
    TemplateText,
)
from shared.contracts.organisation_strict import Strict, Titled
from shared.contracts.organisation_time import (
    Calendar,
    DueDateMethod,
    DueDateRule,
    DueDateUnit,
    Halt,
    OpenHours,
    Weekday,
)
from shared.contracts.organisation_work import (
    Category,
    Column,
    Company,
    Contract,
    CustomField,
    Entity,
    FieldUse,
    Process,
    ProcessGroup,
    Queue,
    Service,
    Team,
    User,
    WaitReason,
)
from shared.contracts.record import Name, Record

__all__ = [
    "ActionDefinition",
    "ActionType",
    "ActionUse",
    "ApprovalLevel",
    "BlockMode",
    "Blocked",
    "Calendar",
    "Category",
    "Column",
    "Company",
    "ContactScope",
    "Contract",
    "Criteria",
    "CustomField",
    "Definition",
    "DueDateMethod",
    "DueDateRule",
    "DueDateUnit",
    "Entity",
    "Fallback",
    "FieldType",
    "FieldUse",
    "FieldsSection",
    "Halt",
    "Imap",
    "MailboxDefinition",
    "MailboxesSection",
    "Needed",
    "OpenHours",
    "OrganisationApplied",
    "OrganisationRecord",
    "PeopleSection",
    "PlusMode",
    "Process",
    "ProcessGroup",
    "ProcessKind",
    "ProcessesSection",
    "Queue",
    "Route",
    "Rules",
    "RulesSection",
    "Schedule",
    "Section",
    "Service",
    "Smtp",
    "StepDefinition",
    "Strict",
    "Team",
    "Template",
    "TemplateText",
    "TemplatesSection",
    "TimesSection",
    "Titled",
    "User",
    "WaitReason",
    "Weekday",
]


class ContactScope(StrEnum):
    """To whom contacts that Mailroom makes by itself belong: their company, or all of them (CT-10)."""

    LOCAL = "local"
    GLOBAL = "global"


class Rules(Strict):
    """Settings of the organisation as a whole.

    In test mode processes that are in test are startable, too (GL-5).
    """

    closed_match: Literal["new_activity", "open_parent"] = "new_activity"
    autoreply_wakes: bool = True
    automatic_contacts: bool = True
    sender_mails_per_hour: Annotated[int, Field(ge=1)] = 20
    """Automatic mails to one address in an hour; more are refused, so that loops starve (AMB-37)."""
    test_mode: bool = False
    contact_scope: ContactScope = ContactScope.GLOBAL
    hide_titles: bool = False
    """Whether those who may not open an activity do not see its title either (AMB-34)."""
    largest_file_mb: Annotated[int, Field(ge=1, le=100)] = 100
    """Of a file that is put on an activity, in MB of 1 048 576 bytes (NT-15, AMB-40)."""
    largest_mail_mb: Annotated[int, Field(ge=1, le=100)] = 25
    """Of a mail that is sent, as it is sent: its files take a third more than their own size (NT-15)."""


class Definition(Strict):
    """A whole organisation as people write it, before it has a version.

    Every list holds things with unique names; `shared/organisation_rules.py` says what else has to hold.
    """

    organisation: Name
    companies: tuple[Company, ...] = ()
    contracts: tuple[Contract, ...] = ()
    services: tuple[Service, ...] = ()
    process_groups: tuple[ProcessGroup, ...] = ()
    processes: tuple[Process, ...] = ()
    wait_reasons: tuple[WaitReason, ...] = ()
    fields: tuple[CustomField, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    due_dates: tuple[DueDateRule, ...] = ()
    teams: tuple[Team, ...] = ()
    queues: tuple[Queue, ...] = ()
    users: tuple[User, ...] = ()
    mailboxes: tuple[MailboxDefinition, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    templates: tuple[Template, ...] = ()
    rules: Rules = Rules()


class Section(Record):
    """A part of one version."""

    version: int


class MailboxesSection(Section):
    """Where mail comes in and goes out, and whose is not welcome."""

    type: Literal["organisation.mailboxes"] = "organisation.mailboxes"
    mailboxes: tuple[MailboxDefinition, ...]
    blocked: tuple[Blocked, ...] = ()


class ProcessesSection(Section):
    """What is done for whom."""

    type: Literal["organisation.processes"] = "organisation.processes"
    companies: tuple[Company, ...]
    contracts: tuple[Contract, ...]
    services: tuple[Service, ...]
    process_groups: tuple[ProcessGroup, ...] = ()
    processes: tuple[Process, ...]
    wait_reasons: tuple[WaitReason, ...] = ()


class FieldsSection(Section):
    """Which data activities carry beside their own."""

    type: Literal["organisation.fields"] = "organisation.fields"
    fields: tuple[CustomField, ...]


class TimesSection(Section):
    """When there is work, and until when it has to be done."""

    type: Literal["organisation.times"] = "organisation.times"
    calendars: tuple[Calendar, ...]
    due_dates: tuple[DueDateRule, ...]


class PeopleSection(Section):
    """Who does it."""

    type: Literal["organisation.people"] = "organisation.people"
    teams: tuple[Team, ...] = ()
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
    | FieldsSection
    | TimesSection
    | PeopleSection
    | TemplatesSection
    | RulesSection
    | OrganisationApplied,
    Field(discriminator="type"),
]
