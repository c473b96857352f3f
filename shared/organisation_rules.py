"""What has to hold between the parts of an organisation's configuration, beyond each part's own form.

The same rules judge a folder of YAML and what arrives over HTTP. Each finding says where (the path of keys
and indexes into the definition) and what, in a sentence.
"""

import re
from collections.abc import Iterator

from jinja2 import TemplateSyntaxError, meta
from jinja2.sandbox import SandboxedEnvironment

from shared import organisation_rules_approvals as of_approvals
from shared import organisation_rules_cases as of_cases
from shared import organisation_rules_fields as of_fields
from shared import organisation_rules_people as of_people
from shared import organisation_rules_schedules as of_schedules
from shared import organisation_rules_time as of_time
from shared import organisation_rules_work as of_work
from shared.contracts.activity_organisation import Definition, Fallback, ProcessKind, Route
from shared.organisation_finding import Finding, Path, Rule
from shared.template_variables import AUTOMATIC_VARIABLES

_BLOCKED = re.compile(r"(\*|[^\s@*]{1,64})@[^\s@*.]+(\.[^\s@*.]+)*")

__all__ = ["RULES", "Finding", "Path", "Rule", "findings"]


def findings(definition: Definition) -> list[Finding]:
    """All that is wrong, in the order of the rules. Empty means that it can be applied."""
    return [finding for rule in RULES for finding in rule(definition)]


def addresses_belong_to_one_mailbox(definition: Definition) -> Iterator[Finding]:
    owner: dict[str, str] = {}
    for index, mailbox in enumerate(definition.mailboxes):
        places: list[tuple[Path, str]] = [(("address",), mailbox.address)]
        places += [(("aliases", position), alias) for position, alias in enumerate(mailbox.aliases)]
        for place, address in places:
            known = owner.setdefault(address.casefold(), mailbox.name)
            if known != mailbox.name:
                yield Finding(("mailboxes", index, *place), f"{address} belongs to mailbox {known!r} already")
            if "+" in address.partition("@")[0]:
                yield Finding(
                    ("mailboxes", index, *place),
                    f"{address} has a '+', which is kept for plus addresses (PA-7)",
                )


def mailboxes_are_read_once(definition: Definition) -> Iterator[Finding]:
    """Two definitions that read the same folder would each take the other's mail."""
    seen: dict[tuple[str, str, str], str] = {}
    for index, mailbox in enumerate(definition.mailboxes):
        place = (mailbox.imap.server, mailbox.imap.user.casefold(), mailbox.imap.folder)
        known = seen.setdefault(place, mailbox.name)
        if known != mailbox.name:
            yield Finding(
                ("mailboxes", index, "imap", "user"), f"mailbox {known!r} reads this folder already"
            )
        if mailbox.imap.folder == mailbox.imap.done_folder:
            yield Finding(
                ("mailboxes", index, "imap", "done_folder"), "it has to be another folder than the one read"
            )


def routes_lead_to_a_process(definition: Definition) -> Iterator[Finding]:
    """Every route and fallback names a process and, if any, one of its categories; Cases have none (RT-2)."""
    cases = {process.name for process in definition.processes if process.kind is ProcessKind.CASE}
    categories = {
        process.name: {each.path.casefold() for each in process.categories}
        for process in definition.processes
    }
    for index, mailbox in enumerate(definition.mailboxes):
        ways: list[tuple[Path, Route | Fallback]] = [(("fallback",), mailbox.fallback)]
        ways += [(("routes", position), route) for position, route in enumerate(mailbox.routes)]
        for place, way in ways:
            where: Path = ("mailboxes", index, *place)
            if way.process not in categories:
                yield Finding((*where, "process"), f"there is no process {way.process!r}")
            elif way.category is not None and way.process in cases:
                yield Finding(
                    (*where, "category"), f"process {way.process!r} is of Cases, and these have no category"
                )
            elif way.category is not None and way.category.casefold() not in categories[way.process]:
                yield Finding(
                    (*where, "category"), f"process {way.process!r} has no category {way.category!r}"
                )


def routes_are_for_their_mailbox(definition: Definition) -> Iterator[Finding]:
    """A route is for an address of its own mailbox, and its name is unique there (RT-1)."""
    for index, mailbox in enumerate(definition.mailboxes):
        own = {address.casefold() for address in (mailbox.address, *mailbox.aliases)}
        seen: set[str] = set()
        for position, route in enumerate(mailbox.routes):
            where: Path = ("mailboxes", index, "routes", position)
            if route.address.casefold() not in own:
                yield Finding(
                    (*where, "address"), f"{route.address} is no address of mailbox {mailbox.name!r}"
                )
            if route.name in seen:
                yield Finding((*where, "name"), f"{route.name!r} is defined twice in {mailbox.name!r}")
            seen.add(route.name)


def last_routes_lead_to_processes_that_take_work(definition: Definition) -> Iterator[Finding]:
    """Mail that no other route takes has to go somewhere (RT-4); in test mode a process in test will do."""
    taking = {
        each.name: each.live or (each.test and definition.rules.test_mode) for each in definition.processes
    }
    for index, mailbox in enumerate(definition.mailboxes):
        process = mailbox.fallback.process
        if not taking.get(process, True):
            yield Finding(
                ("mailboxes", index, "fallback", "process"),
                f"process {process!r} is not live, and mail has to go somewhere",
            )


def blocked_senders_are_addresses_or_domains(definition: Definition) -> Iterator[Finding]:
    """Each is `local@domain` or `*@domain`, stands there once, and is none of our mailboxes (BL-1)."""
    own = {
        address.casefold()
        for mailbox in definition.mailboxes
        for address in (mailbox.address, *mailbox.aliases)
    }
    seen: set[str] = set()
    for index, blocked in enumerate(definition.blocked):
        where: Path = ("blocked", index, "address")
        address = blocked.address.casefold()
        if _BLOCKED.fullmatch(address) is None:
            yield Finding(
                where, f"{blocked.address!r} is neither an address, such as ann@spam.test, nor *@spam.test"
            )
        elif address in own:
            yield Finding(where, f"{blocked.address} belongs to a mailbox of ours")
        elif address in seen:
            yield Finding(where, f"{blocked.address} is blocked twice")
        seen.add(address)


def templates_can_be_rendered(definition: Definition) -> Iterator[Finding]:
    """Every text is Jinja that parses, and uses only what automatic mail may say (NT-1, AMB-37)."""
    environment = SandboxedEnvironment()
    for index, template in enumerate(definition.templates):
        for language, texts in template.texts.items():
            for part, source in texts:
                where: Path = ("templates", index, "texts", language, part)
                try:
                    used = meta.find_undeclared_variables(environment.parse(source or ""))
                except TemplateSyntaxError as error:
                    yield Finding(where, f"it is no template: {error.message} (its line {error.lineno})")
                    continue
                for variable in sorted(used - AUTOMATIC_VARIABLES):
                    known = ", ".join(sorted(AUTOMATIC_VARIABLES))
                    yield Finding(where, f"there is no variable {variable!r}; there are {known}")


RULES: tuple[Rule, ...] = (
    *of_work.RULES,
    *of_people.RULES,
    *of_fields.RULES,
    *of_cases.RULES,
    *of_approvals.RULES,
    *of_schedules.RULES,
    *of_time.RULES,
    addresses_belong_to_one_mailbox,
    mailboxes_are_read_once,
    routes_lead_to_a_process,
    routes_are_for_their_mailbox,
    last_routes_lead_to_processes_that_take_work,
    blocked_senders_are_addresses_or_domains,
    templates_can_be_rendered,
)
