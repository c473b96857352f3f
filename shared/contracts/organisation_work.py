"""Parts of an organisation's configuration about work: for whom, what, with which data, by whom."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.field_types import FieldType
from shared.contracts.organisation_cases import ActionDefinition, ProcessKind, Schedule, StepDefinition
from shared.contracts.organisation_strict import Strict, Titled
from shared.contracts.record import EmailAddress, Language, Name


class Company(Titled):
    """A customer; its parent's contacts are usable on its activities, not the reverse (CT-10)."""

    domains: tuple[str, ...] = ()
    parent: Name | None = None


class Contract(Titled):
    """What was agreed with a company."""

    company: Name


class Service(Titled):
    """What is done under a contract."""

    contract: Name


class ProcessGroup(Titled):
    """Processes that stand together in the creation menu, under a service (GL-3)."""

    service: Name


class Category(Strict):
    """A Ticket category; `path` joins its levels, at most three, with ` / `.

    Its due-date rule wins over its process's.
    """

    path: str
    due_date: Name | None = None


class Entity(StrEnum):
    """What a custom field may relate an activity to: a thing of the configuration, by its name."""

    COMPANY = "company"
    CONTRACT = "contract"
    SERVICE = "service"
    USER = "user"


class Column(Titled):
    """A column of a custom field that is a table; its cells are neither tables nor relationships."""

    type: FieldType
    options: tuple[str, ...] = ()


class CustomField(Titled):
    """Data that an organisation wants on its activities (BK-14).

    `options` are what a list offers, and of a multi-level list the whole paths, their levels joined with
    ` / `: what is not among them cannot be chosen. `columns` are a table's, `entity` is a relationship's.
    """

    type: FieldType
    options: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    entity: Entity | None = None


class FieldUse(Strict):
    """A custom field on a process's activities, and whether they have to have it (BK-16)."""

    field: Name
    mandatory: bool = False


class WaitReason(Titled):
    """Why an activity waits, beside what for."""


class Process(Titled):
    """What its Tickets or Cases need, where they go, how long they may come back.

    Live, or not live but startable in test mode (`test`), or neither: a draft (GL-5). Only Cases have
    actions, steps and schedules; only Tickets have categories.
    """

    kind: ProcessKind = ProcessKind.TICKET

    company: Name
    contract: Name
    service: Name
    group: Name | None = None
    queue: Name
    language: Language = "en"
    live: bool = True
    test: bool = False
    startable: bool = True
    default_mailbox: Name | None = None
    categories: tuple[Category, ...] = ()
    fields: tuple[FieldUse, ...] = ()
    due_date: Name | None = None
    wait_reasons: tuple[Name, ...] = ()
    feedback_window_hours: Annotated[float, Field(ge=0)] = 0
    """0 means none: resolved is closed at once (ST-14)."""
    note_required_to_resolve: bool = False
    acknowledgement: Name | None = None
    no_response: Name | None = None
    split: Name | None = None
    case_launched: Name | None = None
    contacts_mandatory: bool = False
    actions: tuple[ActionDefinition, ...] = ()
    steps: tuple[StepDefinition, ...] = ()
    schedules: tuple[Schedule, ...] = ()


class Team(Titled):
    """People who work from the same queues."""


class Queue(Titled):
    """Where Tickets wait for the people of a team."""

    team: Name | None = None


class User(Titled):
    """A person or robot. Leading a process includes working on it, and that includes reading.

    A suspended one gets no work, a retired one is kept for what the past says (ST-20). `company` is set for
    those who stand at a customer's.
    """

    address: EmailAddress | None = None
    robot: bool = False
    suspended: bool = False
    retired: bool = False
    company: Name | None = None
    teams: tuple[Name, ...] = ()
    reads: tuple[Name, ...] = ()
    processes: tuple[Name, ...] = ()
    leads: tuple[Name, ...] = ()
