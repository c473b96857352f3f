"""The organisation's configuration as the rules of the domain want it."""

from contextlib import suppress
from datetime import timedelta
from functools import lru_cache

from services.activity.domain.context import ProcessRules
from services.activity.domain.custom_fields import FieldRule, FieldType
from services.activity.domain.mail_facts import ClosedMatch, MatchingRules
from services.activity.domain.vocabulary import Purpose
from services.activity.due_rules import due_rule
from shared.contracts.activity_organisation import MailboxDefinition, PlusMode, Process
from shared.contracts.ingest_mails import Routed
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


def field_rules(organisation: Organisation, process: str) -> tuple[FieldRule, ...]:
    """The custom fields of a process's activities, in its own order. Raises `Unknown`."""
    rules = []
    for use in organisation.process(process).fields:
        field = organisation.custom_field(use.field)
        rules.append(
            FieldRule(field.name, field.title, FieldType(field.type.value), field.options, use.mandatory)
        )
    return tuple(rules)


def template_for(organisation: Organisation, process: str, purpose: Purpose) -> str | None:
    """The process's template for an automatic mail."""
    return _templates(organisation.process(process)).get(purpose)


def _templates(process: Process) -> dict[Purpose, str | None]:
    return {
        Purpose.ACKNOWLEDGEMENT: process.acknowledgement,
        Purpose.NO_RESPONSE: process.no_response,
        Purpose.SPLIT: process.split,
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
