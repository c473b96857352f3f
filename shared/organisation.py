"""An organisation's configuration as a service sees it: one version at a time, whole (design §10).

activity owns it and stores each version; the other services keep a copy that `on_organisation` makes from
`activity.organisation.v1`. Both lie in the same two tables, so that reading is the same everywhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, TypeVar

from shared.contracts.activity_organisation import (
    Category,
    Company,
    Contract,
    Definition,
    MailboxDefinition,
    MailboxesSection,
    OrganisationApplied,
    OrganisationRecord,
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
from shared.postgres import Connection, columns
from shared.topics import ACTIVITY_ORGANISATION
from shared.unit_of_work import Batch

Thing = TypeVar("Thing")

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
    """A record was decided with a version that has not arrived here yet: the work waits for it."""


@dataclass(frozen=True)
class Organisation:
    """One version of one organisation's configuration, with its things by name."""

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

    def __init__(self) -> None:
        self._known: dict[str, Organisation] = {}

    async def current(self, connection: Connection, organisation: str) -> Organisation:
        """The version that is applied now. Raises `NoConfiguration`."""
        version = await connection.fetchval(
            "SELECT version FROM organisation_applied WHERE organisation = $1", organisation
        )
        if version is None:
            raise NoConfiguration(f"organisation {organisation!r} has no configuration yet")
        return await self._version(connection, organisation, version)

    async def at_least(self, connection: Connection, organisation: str, version: int) -> Organisation:
        """The version applied now, which is `version` or later. Raises `ConfigurationBehind`."""
        current = await self.current(connection, organisation)
        if current.version < version:
            raise ConfigurationBehind(
                f"organisation {organisation!r} is at version {current.version} here, {version} is needed"
            )
        return current

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


async def store(connection: Connection, records: Sequence[tuple[str, Record]]) -> None:
    """Keep sections and applied versions, given as (organisation, record).

    A repeated or older record changes nothing. Sections that no version in use needs are dropped.
    """
    sections = [
        (organisation, record.type, record.version, record.model_dump(mode="json"))
        for organisation, record in records
        if isinstance(record, Section)
    ]
    applied = [
        (organisation, record.version, record.digest)
        for organisation, record in records
        if isinstance(record, OrganisationApplied)
    ]
    await connection.execute(
        """
        INSERT INTO organisation_sections (organisation, section, version, content)
        SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::jsonb[])
        ON CONFLICT DO NOTHING
        """,
        *columns(sections, 4),
    )
    if not applied:
        return
    await connection.execute(
        """
        INSERT INTO organisation_applied AS known (organisation, version, digest)
        SELECT DISTINCT ON (organisation) * FROM unnest($1::text[], $2::int[], $3::text[])
            AS new (organisation, version, digest)
        ORDER BY organisation, version DESC
        ON CONFLICT (organisation) DO UPDATE
        SET version = excluded.version, digest = excluded.digest, applied_at = now()
        WHERE known.version < excluded.version
        """,
        *columns(applied, 3),
    )
    await connection.execute(
        """
        DELETE FROM organisation_sections AS old
        USING organisation_applied AS applied, organisation_sections AS newer
        WHERE applied.organisation = old.organisation AND newer.organisation = old.organisation
          AND newer.section = old.section
          AND old.version < newer.version AND newer.version <= applied.version
          AND old.organisation = ANY($1::text[])
        """,
        [organisation for organisation, _, _ in applied],
    )


async def on_organisation(batch: Batch[OrganisationRecord]) -> None:
    """Keep this service's copy: the handler of `activity.organisation.v1`."""
    await store(
        batch.connection,
        [(incoming.envelope.organisation, incoming.message) for incoming in batch.records],
    )
