"""Processes of Cases for the organisation of `office.py`: who is hired gets a laptop and an account.

Further equipment is a Case of its own, which an Action starts and another one waits for.
"""

from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionType,
    ActionUse,
    ApprovalLevel,
    Calendar,
    CustomField,
    FieldType,
    FieldUse,
    Needed,
    ProcessKind,
    Queue,
    Schedule,
    StepDefinition,
    Template,
    TemplateText,
    User,
    WaitReason,
    Weekday,
)
from tests.support.office import DEFINITION, process

EQUIPPING = process(
    "equipping",
    kind=ProcessKind.CASE,
    categories=(),
    split=None,
    no_response=None,
    feedback_window_hours=0,
    wait_reasons=("papers",),
    fields=(FieldUse(field="device"),),
    actions=(
        ActionDefinition(name="order", title="Order it"),
        ActionDefinition(name="pack", title="Pack it"),
    ),
    steps=(
        StepDefinition(name="order", title="Order", actions=(ActionUse(action="order"),)),
        StepDefinition(
            name="pack", title="Pack", when="device == 'ship'", actions=(ActionUse(action="pack"),)
        ),
    ),
)
HIRING = process(
    "hiring",
    kind=ProcessKind.CASE,
    categories=(),
    split=None,
    no_response=None,
    wait_reasons=("papers",),
    fields=(FieldUse(field="device"),),
    schedules=(
        Schedule(
            name="hourly",
            title="Look who comes",
            cron="0 * * * *",
            calendar="office",
            description="At the door.",
            fields={"device": "laptop"},
        ),
    ),
    actions=(
        ActionDefinition(name="laptop", title="Prepare the laptop", queue="store", checklist=("Encrypted",)),
        ActionDefinition(name="account", title="Create the account"),
        ActionDefinition(name="call", title="Welcome call", type=ActionType.PEER_REVIEW),
        ActionDefinition(name="extra", title="Extra equipment", launched_by_hand=True),
        ActionDefinition(
            name="equip",
            title="Start the equipment",
            type=ActionType.START_CASE,
            process="equipping",
            instructions="Whatever the desk needs.",
            launched_by_hand=True,
        ),
        ActionDefinition(
            name="equipped",
            title="Wait for the equipment",
            type=ActionType.WAIT_FOR_SUB_CASES,
            process="equipping",
            launched_by_hand=True,
        ),
        ActionDefinition(
            name="order",
            title="Order in the shop",
            type=ActionType.EXTERNAL_CALL,
            call="order",
            answer_within_minutes=60,
            retry_after_minutes=(30,),
            launched_by_hand=True,
        ),
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
        "processes": (*DEFINITION.processes, EQUIPPING, HIRING),
        "fields": (CustomField(name="device", title="Device", type=FieldType.SHORT_TEXT),),
        "queues": (*DEFINITION.queues, Queue(name="store", title="Store")),
        "wait_reasons": (WaitReason(name="papers", title="Papers"),),
        "templates": (*DEFINITION.templates, PLEASE),
        "calendars": (
            Calendar(
                name="office",
                title="Office hours",
                time_zone="Europe/Brussels",
                hours={Weekday.MONDAY: ("09:00-17:00",)},
            ),
        ),
        "users": (
            *(
                each.model_copy(
                    update={
                        "processes": (*each.processes, "hiring", "equipping"),
                        "leads": ("hiring", "equipping"),
                        "address": f"{each.name}@people.test",
                    }
                )
                for each in DEFINITION.users
            ),
            User(name="r2", title="R2", robot=True, processes=("hiring", "equipping")),
        ),
    }
)
