"""An organisation's configuration as a service sees it: one version at a time, whole (design §10).

activity owns it and stores each version; the other services keep a copy of what `activity.organisation.v1`
says (`shared/organisation_copy.py`). Both lie in the same two tables, so that reading is the same everywhere.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, TypeAlias, TypeVar

from shared.contracts.activity_organisation import (
    Category,
    Company,
    Contract,
    Definition,
    MailboxDefinition,
    MailboxesSection,
    PeopleSection,
    Process,
    ProcessesSection,
    Queue,
    Rules,
    RulesSection,
    Section,
    Service,
    Template,
    TemplatesSection,
    User,
)
from shared.contracts.record import Record
from shared.failure import Transient
from shared.organisation_copy import Announcements, called
from shared.postgres import Connection
from shared.topics import ACTIVITY_ORGANISATION

Thing = TypeVar("Thing")

Wanted: TypeAlias = tuple[str, int]
"""An organisation and the version that is needed at least; 0 for whichever there is."""

SECTIONS: tuple[type[Section], ...] = (
    MailboxesSection,
    ProcessesSection,
    PeopleSection,
    TemplatesSection,
    RulesSection,
)

KINDS: tuple[str, ...] = tuple(kind for kind in Definition.model_fields if kind != "organisation")


class Unknown(LookupError):
    """The configuration has nothing of this name."""


class NoConfiguration(Transient):
    """Nothing has been applied for this organisation yet. It may still arrive, so the work waits."""


class ConfigurationBehind(Transient):
    """A record names a version, or an organisation, that may not have arrived here yet: the work waits."""


@dataclass(frozen=True, eq=False)
class Organisation:
    """One version of one organisation's configuration, with its things by name.

    It is equal to nothing but itself: what follows from one may be remembered under it.
    """

    name: str
    version: int
    mailboxes: tuple[MailboxDefinition, ...] = ()
    companies: tuple[Company, ...] = ()
    contracts: tuple[Contract, ...] = ()
    services: tuple[Service, ...] = ()
    processes: tuple[Process, ...] = ()
    queues: tuple[Queue, ...] = ()
    users: tuple[User, ...] = ()
    templates: tuple[Template, ...] = ()
    rules: Rules = field(default_factory=Rules)

    @classmethod
    def of(cls, name: str, version: int, sections: Iterable[Record]) -> Self:
        """Put together from its sections."""
        found: dict[str, Any] = {}
        for section in sections:
            found |= {kind: value for kind, value in section if kind not in ("type", "version")}
        return cls(name, version, **found)

    def definition(self) -> Definition:
        """The same without its version, as people write it."""
        return Definition(organisation=self.name, **{kind: getattr(self, kind) for kind in KINDS})

    def mailbox(self, name: str) -> MailboxDefinition:
        return _named(self._mailboxes, "mailbox", name)

    def process(self, name: str) -> Process:
        return _named(self._processes, "process", name)

    def company(self, name: str) -> Company:
        return _named(self._companies, "company", name)

    def user(self, name: str) -> User:
        return _named(self._users, "user", name)

    def queue(self, name: str) -> Queue:
        return _named(self._queues, "queue", name)

    def template(self, name: str) -> Template:
        return _named(self._templates, "template", name)

    def category(self, process: str, path: str) -> Category:
        """The category at `path` of a process; `Unknown` where it has none such."""
        for category in self.process(process).categories:
            if category.path.casefold() == path.casefold():
                return category
        raise Unknown(f"process {process} has no category {path!r}")

    def mailbox_of(self, address: str) -> str | None:
        """The mailbox that an address belongs to, as primary or alias, with or without a plus part."""
        local, _, domain = address.casefold().rpartition("@")
        plain = f"{local}@{domain}"
        return self._addresses.get(plain) or self._addresses.get(f"{local.rpartition('+')[0]}@{domain}")

    @cached_property
    def _addresses(self) -> Mapping[str, str]:
        return {
            address.casefold(): mailbox.name
            for mailbox in self.mailboxes
            for address in (mailbox.address, *mailbox.aliases)
        }

    @cached_property
    def _mailboxes(self) -> Mapping[str, MailboxDefinition]:
        return {each.name: each for each in self.mailboxes}

    @cached_property
    def _companies(self) -> Mapping[str, Company]:
        return {each.name: each for each in self.companies}

    @cached_property
    def _processes(self) -> Mapping[str, Process]:
        return {each.name: each for each in self.processes}

    @cached_property
    def _users(self) -> Mapping[str, User]:
        return {each.name: each for each in self.users}

    @cached_property
    def _queues(self) -> Mapping[str, Queue]:
        return {each.name: each for each in self.queues}

    @cached_property
    def _templates(self) -> Mapping[str, Template]:
        return {each.name: each for each in self.templates}


def _named(things: Mapping[str, Thing], kind: str, name: str) -> Thing:
    try:
        return things[name]
    except KeyError:
        raise Unknown(f"the configuration has no {kind} named {name!r}") from None


class Organisations:
    """The organisations of a service, read again only when a version has changed."""

    def __init__(self, announcements: Announcements | None = None) -> None:
        """Without `announcements` whatever is missing may still arrive, so that `find` waits for it."""
        self._known: dict[str, Organisation] = {}
        self._announcements = announcements

    async def current(self, connection: Connection, organisation: str) -> Organisation:
        """The version that is applied now. Raises `NoConfiguration`."""
        version = await connection.fetchval(
            "SELECT version FROM organisation_applied WHERE organisation = $1", organisation
        )
        if version is None:
            raise NoConfiguration(f"organisation {organisation!r} has no configuration yet")
        return await self._version(connection, organisation, version)

    async def applied(self, connection: Connection, wanted: Collection[Wanted]) -> dict[Wanted, Organisation]:
        """The version applied now of each that is wanted, where it is that version or a later one."""
        rows = await connection.fetch(
            "SELECT organisation, version FROM organisation_applied WHERE organisation = ANY($1)",
            sorted({name for name, _ in wanted}),
        )
        current = {name: await self._version(connection, name, version) for name, version in rows}
        return {
            (name, version): current[name]
            for name, version in wanted
            if name in current and version <= current[name].version
        }

    async def find(self, connection: Connection, wanted: Collection[Wanted]) -> dict[Wanted, Organisation]:
        """The same, once nothing that is wanted can arrive any more.

        What is left out was never announced. Raises `ConfigurationBehind` while it may still arrive.
        """
        found = await self.applied(connection, wanted)
        for name, version in wanted:
            if (name, version) in found:
                continue
            if self._announcements is None or not await self._announcements.all_known(connection):
                raise ConfigurationBehind(f"{called(name, version)} has not arrived here yet")
            return await self.applied(connection, wanted)  # it may have arrived between the two looks
        return found

    async def all(self, connection: Connection) -> list[Organisation]:
        """Every organisation, in order of name."""
        rows = await connection.fetch(
            "SELECT organisation, version FROM organisation_applied ORDER BY organisation"
        )
        return [await self._version(connection, row["organisation"], row["version"]) for row in rows]

    async def _version(self, connection: Connection, organisation: str, version: int) -> Organisation:
        known = self._known.get(organisation)
        if known is None or known.version != version:
            known = await load(connection, organisation)
            if known is None:
                raise NoConfiguration(f"organisation {organisation!r} has no configuration any more")
            self._known[organisation] = known
        return known


def sections_of(definition: Definition, version: int) -> tuple[Record, ...]:
    """A definition taken apart into the sections of one version."""
    return tuple(
        section.model_construct(
            version=version,
            **{kind: getattr(definition, kind) for kind in KINDS if kind in section.model_fields},
        )
        for section in SECTIONS
    )


async def load(connection: Connection, organisation: str) -> Organisation | None:
    """Read the version that is applied now: of each section the newest that is not newer than it.

    One statement, which sees one moment: a version that is replaced meanwhile loses its sections.
    """
    rows = await connection.fetch(
        """
        SELECT applied.version, part.section, part.content
        FROM organisation_applied AS applied
        LEFT JOIN LATERAL (
            SELECT DISTINCT ON (section) section, content
            FROM organisation_sections AS known
            WHERE known.organisation = applied.organisation AND known.version <= applied.version
            ORDER BY section, known.version DESC
        ) AS part ON true
        WHERE applied.organisation = $1
        """,
        organisation,
    )
    if not rows:
        return None
    models = ACTIVITY_ORGANISATION.models
    sections = [models[row["section"]].model_validate(row["content"]) for row in rows if row["section"]]
    return Organisation.of(organisation, rows[0]["version"], sections)
