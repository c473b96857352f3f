"""An organisation's configuration as a service sees it: one version at a time, whole (design §10).

activity owns it and stores each version; the other services keep a copy of what `activity.organisation.v1`
says (`shared/organisation_copy.py`). Both lie in the same two tables, so that reading is the same everywhere.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, Self, TypeAlias, TypeVar

from shared.contracts import activity_organisation as configured
from shared.contracts.record import Record
from shared.failure import Transient
from shared.organisation_copy import Announcements, called
from shared.postgres import Connection
from shared.topics import ACTIVITY_ORGANISATION


class Named(Protocol):
    """Whatever configuration calls by a name."""

    @property
    def name(self) -> str: ...


Thing = TypeVar("Thing", bound=Named)

Wanted: TypeAlias = tuple[str, int]
"""An organisation and the version that is needed at least; 0 for whichever there is."""

SECTIONS: tuple[type[configured.Section], ...] = (
    configured.MailboxesSection,
    configured.ProcessesSection,
    configured.FieldsSection,
    configured.TimesSection,
    configured.PeopleSection,
    configured.TemplatesSection,
    configured.RulesSection,
)

KINDS: tuple[str, ...] = tuple(kind for kind in configured.Definition.model_fields if kind != "organisation")


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
    mailboxes: tuple[configured.MailboxDefinition, ...] = ()
    companies: tuple[configured.Company, ...] = ()
    contracts: tuple[configured.Contract, ...] = ()
    services: tuple[configured.Service, ...] = ()
    process_groups: tuple[configured.ProcessGroup, ...] = ()
    processes: tuple[configured.Process, ...] = ()
    wait_reasons: tuple[configured.WaitReason, ...] = ()
    fields: tuple[configured.CustomField, ...] = ()
    calendars: tuple[configured.Calendar, ...] = ()
    due_dates: tuple[configured.DueDateRule, ...] = ()
    teams: tuple[configured.Team, ...] = ()
    queues: tuple[configured.Queue, ...] = ()
    users: tuple[configured.User, ...] = ()
    blocked: tuple[configured.Blocked, ...] = ()
    templates: tuple[configured.Template, ...] = ()
    rules: configured.Rules = field(default_factory=configured.Rules)

    @classmethod
    def of(cls, name: str, version: int, sections: Iterable[Record]) -> Self:
        """Put together from its sections."""
        found: dict[str, Any] = {}
        for section in sections:
            found |= {kind: value for kind, value in section if kind not in ("type", "version")}
        return cls(name, version, **found)

    def definition(self) -> configured.Definition:
        """The same without its version, as people write it."""
        return configured.Definition(organisation=self.name, **{kind: getattr(self, kind) for kind in KINDS})

    def mailbox(self, name: str) -> configured.MailboxDefinition:
        return self._called("mailbox", self.mailboxes, name)

    def process(self, name: str) -> configured.Process:
        return self._called("process", self.processes, name)

    def company(self, name: str) -> configured.Company:
        return self._called("company", self.companies, name)

    def user(self, name: str) -> configured.User:
        return self._called("user", self.users, name)

    def team(self, name: str) -> configured.Team:
        return self._called("team", self.teams, name)

    def queue(self, name: str) -> configured.Queue:
        return self._called("queue", self.queues, name)

    def template(self, name: str) -> configured.Template:
        return self._called("template", self.templates, name)

    def custom_field(self, name: str) -> configured.CustomField:
        return self._called("custom field", self.fields, name)

    def calendar(self, name: str) -> configured.Calendar:
        return self._called("calendar", self.calendars, name)

    def wait_reason(self, name: str) -> configured.WaitReason:
        return self._called("wait reason", self.wait_reasons, name)

    def category(self, process: str, path: str) -> configured.Category:
        """The category at `path` of a process; `Unknown` where it has none such."""
        for category in self.process(process).categories:
            if category.path.casefold() == path.casefold():
                return category
        raise Unknown(f"process {process} has no category {path!r}")

    def due_date(self, process: str, category: str | None = None) -> configured.DueDateRule | None:
        """The rule for due dates of a process's activities: its category's, or else its own (SL-1)."""
        found = self.process(process)
        paths = {each.path.casefold(): each.due_date for each in found.categories}
        name = paths.get((category or "").casefold()) or found.due_date
        return self._called("due-date rule", self.due_dates, name) if name else None

    def is_startable(self, process: str) -> bool:
        """Whether people may begin its activities: live, or in test while the organisation is (GL-5)."""
        return self.process(process).startable and self.takes_work(process, in_test=True)

    def takes_work(self, process: str, *, in_test: bool) -> bool:
        """Whether anything may begin an activity: the process is live; for tests, in test mode, in test.

        False where there is no such process.
        """
        try:
            found = self.process(process)
        except Unknown:
            return False
        return found.live or (in_test and self.is_in_test(process))

    def is_in_test(self, process: str) -> bool:
        """Whether all that begins in a process is for testing: it is in test, and so is the organisation."""
        try:
            found = self.process(process)
        except Unknown:
            return False
        return not found.live and found.test and self.rules.test_mode

    def company_and_parents(self, name: str) -> tuple[str, ...]:
        """A company and those that it stands under, the nearest first: whose contacts it may use (CT-10)."""
        found: list[str] = []
        at: str | None = name
        while at is not None:
            found.append(at)
            at = self.company(at).parent
        return tuple(found)

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
    def _by_name(self) -> dict[str, Mapping[str, Any]]:
        return {}

    def _called(self, word: str, things: tuple[Thing, ...], name: str) -> Thing:
        """The one of `things` with this name; they are put in order of name once, under `word`."""
        known = self._by_name.get(word)
        if known is None:
            known = self._by_name[word] = {each.name: each for each in things}
        found: Thing | None = known.get(name)
        if found is None:
            raise Unknown(f"the configuration has no {word} named {name!r}")
        return found


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


def sections_of(definition: configured.Definition, version: int) -> tuple[Record, ...]:
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
    sections = [
        models[row["section"]].model_validate(row["content"], extra="ignore")
        for row in rows
        if row["section"]
    ]
    return Organisation.of(organisation, rows[0]["version"], sections)
