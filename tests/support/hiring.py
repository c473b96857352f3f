"""A process of Cases for the organisation of `office.py`: who is hired gets a laptop and an account."""

from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionType,
    ActionUse,
    CustomField,
    FieldType,
    FieldUse,
    ProcessKind,
    Queue,
    StepDefinition,
    Template,
    TemplateText,
    User,
    WaitReason,
)
from shared.contracts.organisation_cases import ApprovalLevel, Needed
from tests.support.office import DEFINITION, process

HIRING = process(
    "hiring",
    kind=ProcessKind.CASE,
    categories=(),
    split=None,
    no_response=None,
    wait_reasons=("papers",),
    fields=(FieldUse(field="device"),),
    actions=(
        ActionDefinition(name="laptop", title="Prepare the laptop", queue="store", checklist=("Encrypted",)),
        ActionDefinition(name="account", title="Create the account"),
        ActionDefinition(name="call", title="Welcome call", type=ActionType.PEER_REVIEW),
        ActionDefinition(name="extra", title="Extra equipment", launched_by_hand=True),
        ActionDefinition(
            name="consent",
            title="Agree to the costs",
            type=ActionType.APPROVAL,
            template="please",
            launched_by_hand=True,
            approval=(
                ApprovalLevel(approvers=("amelie", "bruno")),
                ApprovalLevel(approvers=("clara", "bruno"), needed=Needed.ONE, when="device == 'laptop'"),
            ),
        ),
    ),
    steps=(
        StepDefinition(
            name="prepare",
            title="Prepare",
            actions=(ActionUse(action="laptop", when="device == 'laptop'"), ActionUse(action="account")),
        ),
        StepDefinition(
            name="ship", title="Ship", when="device == 'ship'", actions=(ActionUse(action="call"),)
        ),
        StepDefinition(name="welcome", title="Welcome", actions=(ActionUse(action="call"),)),
    ),
)
PLEASE = Template(name="please", texts={"en": TemplateText(subject="Please decide", text="{{ link }}")})
WITH_CASES = DEFINITION.model_copy(
    update={
        "processes": (*DEFINITION.processes, HIRING),
        "fields": (CustomField(name="device", title="Device", type=FieldType.SHORT_TEXT),),
        "queues": (*DEFINITION.queues, Queue(name="store", title="Store")),
        "wait_reasons": (WaitReason(name="papers", title="Papers"),),
        "templates": (*DEFINITION.templates, PLEASE),
        "users": (
            *(
                each.model_copy(
                    update={
                        "processes": (*each.processes, "hiring"),
                        "leads": ("hiring",),
                        "address": f"{each.name}@people.test",
                    }
                )
                for each in DEFINITION.users
            ),
            User(name="r2", title="R2", robot=True, processes=("hiring",)),
        ),
    }
)
