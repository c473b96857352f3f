"""The organisation's configuration as the rules of the domain want it."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

from services.activity.domain.action_steps import LaunchAction
from services.activity.domain.activity import Activity
from services.activity.domain.approvals import ApprovalLevel, Needed
from services.activity.domain.context import ProcessRules
from services.activity.domain.flow import ActionKind, ActionType, ActionUse, Flow, FlowField, FlowStep
from services.activity.domain.mail_facts import ClosedMatch, MatchingRules
from services.activity.domain.steps import Step
from services.activity.domain.task import Task
from services.activity.domain.vocabulary import Purpose
from services.activity.due_rules import due_rule, due_rule_called
from shared.contracts.activity_organisation import MailboxDefinition, PlusMode, Process, ProcessKind
from shared.contracts.ingest_mails import Routed
from shared.field_values import FieldRule
from shared.organisation import Organisation, Unknown
from shared.permissions import Role, rights_of


@lru_cache(maxsize=1024)
def process_rules(organisation: Organisation, name: str, mailbox: str | None) -> ProcessRules:
    """The rules of a process for an activity that works from `mailbox`. Raises `Unknown`.

    Without a mailbox to send from there are no automatic mails.
    """
    process = organisation.process(name)
    sends = sending_mailbox(organisation, name, mailbox) is not None
    return ProcessRules(
        name=process.name,
        queue=process.queue,
        categories=frozenset(category.path for category in process.categories),
        feedback_window=timedelta(hours=process.feedback_window_hours),
        resolution_guard=process.note_required_to_resolve,
        contacts_mandatory=process.kind is ProcessKind.TICKET or process.contacts_mandatory,
        startable=organisation.is_startable(process.name),
        templates=frozenset(
            purpose for purpose, template in _templates(process).items() if template and sends
        ),
        autoreply_wakes=organisation.rules.autoreply_wakes,
        fields=field_rules(organisation, name),
        workers=frozenset(
            each.name
            for each in organisation.users
            if rights_of(organisation, each.name).has(Role.WORKER, name)
        ),
        wait_reasons=frozenset(process.wait_reasons),
        robots=frozenset(each.name for each in organisation.users if each.robot),
        due_date=due_rule(organisation, name),
        due_dates={
            each.path: rule
            for each in process.categories
            if each.due_date and (rule := due_rule(organisation, name, each.path))
        },
    )


def task_in(activity: Activity | None, step: Step) -> Task | None:
    """What an Action is to do: one that there is, or one that the step launches."""
    if activity is not None:
        return activity.task
    return step.task if isinstance(step, LaunchAction) else None


def rules_for(
    organisation: Organisation, process: str, mailbox: str | None, task: Task | None
) -> ProcessRules:
    """The rules of an activity's process; an Action has its own queue and due-date rule. Raises `Unknown`."""
    rules = process_rules(organisation, process, mailbox)
    if task is None or (task.queue is None and task.due_date is None):
        return rules
    return _rules_of_task(organisation, process, mailbox, task.queue, task.due_date)


@lru_cache(maxsize=1024)
def _rules_of_task(
    organisation: Organisation, process: str, mailbox: str | None, queue: str | None, due_date: str | None
) -> ProcessRules:
    rules = process_rules(organisation, process, mailbox)
    due = due_rule_called(organisation, due_date) if due_date else rules.due_date
    return replace(rules, queue=queue or rules.queue, due_date=due)


def flow_of(organisation: Organisation, process: Process) -> Flow | None:
    """What a Case of the process runs through from now on; None for a process of Tickets."""
    return _flow(organisation, process.name) if process.kind is ProcessKind.CASE else None


@lru_cache(maxsize=256)
def _flow(organisation: Organisation, name: str) -> Flow:
    process = organisation.process(name)
    return Flow(
        actions=tuple(
            ActionType(
                name=each.name,
                title=each.title,
                kind=ActionKind(each.type.value),
                queue=each.queue,
                due_date=each.due_date,
                checklist=each.checklist,
                instructions=each.instructions,
                launched_by_hand=each.launched_by_hand,
                template=each.template,
                process=each.process,
                call=each.call,
                answer_within_minutes=each.answer_within_minutes,
                retry_after_minutes=each.retry_after_minutes,
                approval=tuple(
                    ApprovalLevel(level.approvers, Needed(level.needed.value), level.when)
                    for level in each.approval
                ),
            )
            for each in process.actions
        ),
        steps=tuple(
            FlowStep(
                name=each.name,
                title=each.title,
                when=each.when,
                actions=tuple(ActionUse(use.action, use.when) for use in each.actions),
            )
            for each in process.steps
        ),
        fields=tuple(FlowField(each.name, each.type.value) for each in field_rules(organisation, name)),
    )


def field_rules(organisation: Organisation, process: str) -> tuple[FieldRule, ...]:
    """The custom fields of a process's activities, in its own order. Raises `Unknown`."""
    rules = []
    for use in organisation.process(process).fields:
        field = organisation.custom_field(use.field)
        rules.append(FieldRule(field.name, field.title, field.type, field.options, use.mandatory))
    return tuple(rules)


def template_for(organisation: Organisation, activity: Activity, purpose: Purpose) -> str | None:
    """The template of an automatic mail: its process's, or of what an Action writes its own (A20, A25)."""
    if purpose in (Purpose.ACTION, Purpose.APPROVAL):
        return activity.task.template if activity.task else None
    return _templates(organisation.process(activity.process)).get(purpose)


def _templates(process: Process) -> dict[Purpose, str | None]:
    return {
        Purpose.ACKNOWLEDGEMENT: process.acknowledgement,
        Purpose.NO_RESPONSE: process.no_response,
        Purpose.SPLIT: process.split,
        Purpose.CASE_LAUNCHED: process.case_launched,
    }


def sending_mailbox(
    organisation: Organisation, process: str, mailbox: str | None
) -> MailboxDefinition | None:
    """The mailbox that an activity's mails go out from: its own, or else its process's (NT-10)."""
    for name in (mailbox, organisation.process(process).default_mailbox):
        if name is not None:
            try:
                return organisation.mailbox(name)
            except Unknown:
                continue
    return None


@lru_cache(maxsize=64)
def matching_rules(organisation: Organisation) -> MatchingRules:
    """How mails find their activities here (AMB-4, PA-5)."""
    return MatchingRules(
        closed_match=ClosedMatch(organisation.rules.closed_match),
        plus_only=frozenset(
            mailbox.name for mailbox in organisation.mailboxes if mailbox.plus_addressing is PlusMode.ONLY
        ),
    )


def process_of(organisation: Organisation, routed: Routed | None, mailbox: str) -> Process | None:
    """The route's process; if a newer configuration took it away, that of the mailbox's last route (RT-4).

    None without a route, or where the mailbox is gone too.
    """
    if routed is None:
        return None
    try:
        return organisation.process(routed.process)
    except Unknown:
        with suppress(Unknown):
            return organisation.process(organisation.mailbox(mailbox).fallback.process)
    return None
