"""Rules about names, and about how companies, services, processes and categories stand to each other."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from shared.contracts.activity_organisation import Definition
from shared.organisation_finding import Finding, Path, Rule, level_is_bad, levels, repeated

MOST_LEVELS = 3
"""Of a category (T37)."""

_NAMED = (
    "companies",
    "contracts",
    "services",
    "process_groups",
    "processes",
    "wait_reasons",
    "fields",
    "calendars",
    "due_dates",
    "teams",
    "queues",
    "users",
    "mailboxes",
    "templates",
)

# Kind of thing, field that names another or several of them, kind that is named. A field of the things in a
# list of its own stands behind that list.
_REFERENCES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("companies", ("parent",), "companies"),
    ("contracts", ("company",), "companies"),
    ("services", ("contract",), "contracts"),
    ("process_groups", ("service",), "services"),
    ("processes", ("company",), "companies"),
    ("processes", ("contract",), "contracts"),
    ("processes", ("service",), "services"),
    ("processes", ("group",), "process_groups"),
    ("processes", ("queue",), "queues"),
    ("processes", ("default_mailbox",), "mailboxes"),
    ("processes", ("categories", "due_date"), "due_dates"),
    ("processes", ("fields", "field"), "fields"),
    ("processes", ("due_date",), "due_dates"),
    ("processes", ("wait_reasons",), "wait_reasons"),
    ("processes", ("actions", "queue"), "queues"),
    ("processes", ("actions", "due_date"), "due_dates"),
    ("processes", ("acknowledgement",), "templates"),
    ("processes", ("no_response",), "templates"),
    ("processes", ("split",), "templates"),
    ("processes", ("case_launched",), "templates"),
    ("processes", ("actions", "template"), "templates"),
    ("processes", ("actions", "approval", "approvers"), "users"),
    ("processes", ("schedules", "calendar"), "calendars"),
    ("due_dates", ("calendar",), "calendars"),
    ("queues", ("team",), "teams"),
    ("users", ("company",), "companies"),
    ("users", ("teams",), "teams"),
    ("users", ("reads",), "processes"),
    ("users", ("processes",), "processes"),
    ("users", ("leads",), "processes"),
)


def names_are_unique(definition: Definition) -> Iterator[Finding]:
    for kind in _NAMED:
        seen: Counter[str] = Counter()
        for index, thing in enumerate(getattr(definition, kind)):
            seen[thing.name] += 1
            if seen[thing.name] == 2:
                yield Finding((kind, index, "name"), f"{thing.name!r} is defined twice in {kind}")


def references_lead_somewhere(definition: Definition) -> Iterator[Finding]:
    names = {kind: {thing.name for thing in getattr(definition, kind)} for kind in _NAMED}
    for kind, fields, target in _REFERENCES:
        for index, thing in enumerate(getattr(definition, kind)):
            for path, name in _named((kind, index), thing, fields):
                if name not in names[target]:
                    yield Finding(path, f"there is no {name!r} in {target}")


def _named(path: Path, thing: Any, fields: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Each name that the field holds, with where it stands."""
    field, *rest = fields
    value = getattr(thing, field)
    if rest:
        for position, part in enumerate(value):
            yield from _named((*path, field, position), part, tuple(rest))
    elif isinstance(value, tuple):
        yield from (((*path, field, position), name) for position, name in enumerate(value))
    elif value is not None:
        yield (*path, field), value


def companies_have_no_circle_of_parents(definition: Definition) -> Iterator[Finding]:
    """Going up from a company comes to an end (CT-10)."""
    parents = {company.name: company.parent for company in definition.companies}
    for index, company in enumerate(definition.companies):
        way, at = [company.name], company.parent
        while at is not None and at not in way:
            way.append(at)
            at = parents.get(at)
        if at == company.name:
            yield Finding(
                ("companies", index, "parent"), f"it stands under itself: {' < '.join((*way, company.name))}"
            )


def hierarchy_agrees(definition: Definition) -> Iterator[Finding]:
    """A process stands under a service of a contract of its company, its group under that service (GL-3)."""
    contracts = {contract.name: contract for contract in definition.contracts}
    services = {service.name: service for service in definition.services}
    groups = {group.name: group for group in definition.process_groups}
    for index, process in enumerate(definition.processes):
        contract, service = contracts.get(process.contract), services.get(process.service)
        group = groups.get(process.group or "")
        where = ("processes", index)
        if contract and contract.company != process.company:
            yield Finding((*where, "contract"), f"contract {contract.name!r} is with {contract.company!r}")
        if service and service.contract != process.contract:
            yield Finding((*where, "service"), f"service {service.name!r} is under {service.contract!r}")
        if group and group.service != process.service:
            yield Finding((*where, "group"), f"process group {group.name!r} is under {group.service!r}")


def processes_are_live_or_in_test(definition: Definition) -> Iterator[Finding]:
    """Live, in test, or neither, which is a draft (GL-5)."""
    for index, process in enumerate(definition.processes):
        if process.live and process.test:
            yield Finding(
                ("processes", index, "test"), "a process that is live is in test no more: say live or test"
            )


def categories_have_three_levels_at_most(definition: Definition) -> Iterator[Finding]:
    """And each stands there once, whatever its case, with a name on every level."""
    for index, process in enumerate(definition.processes):
        where: Path = ("processes", index, "categories")
        yield from repeated(where, (each.path for each in process.categories), f"process {process.name!r}")
        for position, category in enumerate(process.categories):
            if level_is_bad(category.path):
                yield Finding((*where, position, "path"), f"{category.path!r} is not written as 'A / B / C'")
            elif len(levels(category.path)) > MOST_LEVELS:
                yield Finding(
                    (*where, position, "path"), f"{category.path!r} has more than {MOST_LEVELS} levels"
                )


def wait_reasons_are_named_once(definition: Definition) -> Iterator[Finding]:
    for index, process in enumerate(definition.processes):
        where: Path = ("processes", index, "wait_reasons")
        yield from repeated(where, process.wait_reasons, f"process {process.name!r}")


RULES: tuple[Rule, ...] = (
    names_are_unique,
    references_lead_somewhere,
    companies_have_no_circle_of_parents,
    hierarchy_agrees,
    processes_are_live_or_in_test,
    categories_have_three_levels_at_most,
    wait_reasons_are_named_once,
)
