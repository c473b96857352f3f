"""Processes whose Cases run under others, for tests: equipment is ordered, and a badge for it printed.

The organisation has the people and the mailbox of `approvals.py`, too.
"""

from dataclasses import replace
from typing import Any

from services.activity.domain.flow import ActionKind, ActionType, ActionUse, Flow, FlowStep
from shared.contracts.activity_organisation import (
    ActionDefinition,
    ApprovalLevel,
    Company,
    CustomField,
    FieldType,
    FieldUse,
    Process,
    ProcessKind,
    StepDefinition,
)
from shared.contracts.activity_organisation import ActionType as Type
from shared.contracts.activity_organisation import ActionUse as Use
from tests.unit.activity import approvals


def _process(name: str, *actions: ActionDefinition, **more: Any) -> Process:
    given = {
        "title": name.capitalize(),
        "kind": ProcessKind.CASE,
        "company": "harbour",
        "contract": "support",
        "service": "it",
        "queue": "it",
        "actions": actions,
        "steps": tuple(
            StepDefinition(name=each.name, title=each.title, actions=(Use(action=each.name),))
            for each in actions
        ),
    }
    return Process(name=name, **(given | more))


ORGANISATION = replace(
    approvals.ORGANISATION,
    fields=(CustomField(name="go", title="Go", type=FieldType.CHECK_BOX),),
    companies=(Company(name="harbour", title="Harbour"), Company(name="canal", title="Canal")),
    processes=(
        _process("it-requests", ActionDefinition(name="do", title="Do it"), default_mailbox="info"),
        _process("equip", ActionDefinition(name="order", title="Order")),
        _process(
            "parcel",
            ActionDefinition(name="pack", title="Pack"),
            ActionDefinition(name="send", title="Send"),
            fields=(FieldUse(field="go"),),
            steps=(
                StepDefinition(name="pack", title="Pack", actions=(Use(action="pack"),)),
                StepDefinition(name="send", title="Send", when="go ?? false", actions=(Use(action="send"),)),
            ),
        ),
        _process(
            "agreed",
            ActionDefinition(
                name="agree",
                title="Agree",
                type=Type.APPROVAL,
                template=approvals.TEMPLATE,
                approval=(
                    ApprovalLevel(approvers=("alice",), when="go ?? false"),
                    ApprovalLevel(approvers=("bob",)),
                ),
            ),
            fields=(FieldUse(field="go"),),
            default_mailbox="info",
        ),
        _process("badge", ActionDefinition(name="print", title="Print")),
        _process("drafted", ActionDefinition(name="draft", title="Draft"), live=False),
        _process("abroad", ActionDefinition(name="go", title="Go"), company="canal"),
        _process("question", kind=ProcessKind.TICKET, actions=(), steps=()),
    ),
)


def starting(name: str, process: str) -> ActionType:
    """An Action that starts a Case."""
    return ActionType(name=name, title=name.capitalize(), kind=ActionKind.START_CASE, process=process)


def waiting(name: str, process: str | None = None) -> ActionType:
    """An Action that waits for such Cases, or for all."""
    return ActionType(name=name, title=name.capitalize(), kind=ActionKind.WAIT_FOR_SUB_CASES, process=process)


def stepwise(*actions: tuple[ActionType, ...]) -> Flow:
    """A flow with a step for each of these; what no step has is launched by hand."""
    return Flow(
        actions=tuple(dict.fromkeys(each for step in actions for each in step)),
        steps=tuple(
            FlowStep(
                name=str(number),
                title=str(number),
                actions=tuple(ActionUse(each.name) for each in step if not each.launched_by_hand),
            )
            for number, step in enumerate(actions, 1)
        ),
    )
