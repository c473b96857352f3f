"""Rules about schedules: each has times that come, and what Cases of its process need to begin (CA-1)."""

from collections.abc import Iterator

from shared import cron, field_values
from shared.contracts.activity_organisation import CustomField, Definition, Process, Schedule
from shared.field_values import FieldRule
from shared.organisation_finding import Finding, Path, Rule


def schedules_have_names_of_their_own(definition: Definition) -> Iterator[Finding]:
    for where, process, schedule in _schedules(definition):
        first = next(each for each in process.schedules if each.name == schedule.name)
        if first is not schedule:
            yield Finding(
                (*where, "name"), f"{schedule.name!r} is defined twice in schedules of {process.name!r}"
            )


def schedules_come(definition: Definition) -> Iterator[Finding]:
    for where, _, schedule in _schedules(definition):
        if wrong := cron.wrong_with(schedule.cron):
            yield Finding((*where, "cron"), f"{schedule.cron!r} says no times: {wrong}")


def schedules_begin_whole_cases(definition: Definition) -> Iterator[Finding]:
    """Nobody is there to fill in what is missing, so each begins with all that its process wants (C2)."""
    known = {field.name: field for field in definition.fields}
    for where, process, schedule in _schedules(definition):
        if not schedule.title.strip():
            yield Finding((*where, "title"), "its Cases have no title, and could not begin")
        if process.contacts_mandatory:
            yield Finding(
                (*where, "name"),
                f"{process.name!r} has contacts_mandatory, and Cases begin without contacts by a schedule",
            )
        rules = [
            _rule(known[use.field], mandatory=use.mandatory) for use in process.fields if use.field in known
        ]
        values, faults = field_values.read(rules, schedule.fields)
        for fault in faults:
            yield Finding((*where, "fields", fault.field), fault.sentence.removesuffix("."))
        faulty = {fault.field for fault in faults}
        for rule in field_values.empty(rules, values):
            if rule.name not in faulty:
                yield Finding(
                    (*where, "fields"), f"{rule.name!r} is mandatory, and its Cases would begin without it"
                )


def _rule(field: CustomField, *, mandatory: bool) -> FieldRule:
    return FieldRule(field.name, field.title, field.type, field.options, mandatory)


def _schedules(definition: Definition) -> Iterator[tuple[Path, Process, Schedule]]:
    for index, process in enumerate(definition.processes):
        for position, schedule in enumerate(process.schedules):
            yield ("processes", index, "schedules", position), process, schedule


RULES: tuple[Rule, ...] = (
    schedules_have_names_of_their_own,
    schedules_come,
    schedules_begin_whole_cases,
)
