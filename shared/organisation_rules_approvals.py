"""Rules about approvals: in which levels people are asked, and who can be (A25)."""

from collections.abc import Iterator
from contextlib import suppress

from jinja2 import TemplateSyntaxError, meta
from jinja2.sandbox import SandboxedEnvironment

from shared.conditions import check
from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionType,
    ApprovalLevel,
    Definition,
    Template,
    User,
)
from shared.organisation_finding import Finding, Path, Rule, repeated
from shared.template_variables import LINK

MOST_LEVELS = 3


def approvals_have_levels(definition: Definition) -> Iterator[Finding]:
    """One to three; and what is no approval has none."""
    for where, action in _actions(definition):
        place: Path = (*where, "approval")
        if action.type is not ActionType.APPROVAL:
            if action.approval:
                yield Finding(place, f"{action.name!r} is of type {action.type}, which asks nobody")
        elif not action.approval:
            yield Finding(where, f"{action.name!r} asks for an approval: say in which levels whom")
        elif len(action.approval) > MOST_LEVELS:
            yield Finding((*place, MOST_LEVELS), f"an approval has at most {MOST_LEVELS} levels")


def approvers_can_be_asked(definition: Definition) -> Iterator[Finding]:
    """People at work, with an address, each once in a level. That they exist is looked at elsewhere."""
    users = {user.name: user for user in definition.users}
    for place, level in _levels(definition):
        where: Path = (*place, "approvers")
        yield from repeated(where, level.approvers, "the level")
        for index, name in enumerate(level.approvers):
            if name in users and (why := _why_not(users[name])):
                yield Finding((*where, index), f"{name!r} cannot be asked for an approval: {why}")


def _why_not(user: User) -> str:
    if user.robot:
        return "it is a robot"
    if user.retired:
        return "who is retired gets nothing any more"
    return "" if user.address else "there is no address to write to"


def levels_have_conditions_that_can_be_worked_out(definition: Definition) -> Iterator[Finding]:
    """Like those of steps: about custom fields that the process uses."""
    fields = {field.name: field for field in definition.fields}
    for place, level in _levels(definition):
        process = definition.processes[int(place[1])]
        known = tuple(fields[use.field] for use in process.fields if use.field in fields)
        if level.when is not None and (wrong := check(level.when, known)):
            yield Finding((*place, "when"), wrong)


def mails_that_ask_have_their_link(definition: Definition) -> Iterator[Finding]:
    """The template of an approval says where to answer, in every language; no other can (A25)."""
    actions = list(_actions(definition))
    asking = {each.template for _, each in actions if each.type is ActionType.APPROVAL}
    others = {each.template for _, each in actions if each.type is not ActionType.APPROVAL}
    for process in definition.processes:
        others |= {process.acknowledgement, process.no_response, process.split, process.case_launched}
    for index, template in enumerate(definition.templates):
        if template.name in asking & others:
            yield Finding(
                ("templates", index, "name"),
                f"{template.name!r} asks for an approval, and is a template of other mails, too",
            )
        for where, used in _variables(index, template) if template.name in asking | others else ():
            subject = where[-1] == "subject"
            if template.name in asking and not subject and LINK not in used:
                yield Finding(where, f"it asks for an approval: say {{{{ {LINK} }}}} in it")
            elif LINK in used and (subject or template.name not in asking):
                yield Finding(where, f"only the text of an approval's mail has a {LINK}")


def _variables(index: int, template: Template) -> Iterator[tuple[Path, set[str]]]:
    """What each part of each text uses; whether it is a template at all is looked at elsewhere."""
    environment = SandboxedEnvironment()
    for language, texts in template.texts.items():
        for part, source in texts:
            if source is not None:
                with suppress(TemplateSyntaxError):
                    used = meta.find_undeclared_variables(environment.parse(source))
                    yield ("templates", index, "texts", language, part), used


def _actions(definition: Definition) -> Iterator[tuple[Path, ActionDefinition]]:
    for index, process in enumerate(definition.processes):
        for position, action in enumerate(process.actions):
            yield ("processes", index, "actions", position), action


def _levels(definition: Definition) -> Iterator[tuple[Path, ApprovalLevel]]:
    for where, action in _actions(definition):
        for position, level in enumerate(action.approval):
            yield (*where, "approval", position), level


RULES: tuple[Rule, ...] = (
    approvals_have_levels,
    approvers_can_be_asked,
    levels_have_conditions_that_can_be_worked_out,
    mails_that_ask_have_their_link,
)
