"""A process of Cases for the organisation of `office.py`: who is hired gets a laptop and an account."""

from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionType,
    ActionUse,
    Calendar,
    CustomField,
    FieldType,
    FieldUse,
    ProcessKind,
    Queue,
    Schedule,
    StepDefinition,
    User,
    WaitReason,
    Weekday,
)
from tests.support.office import DEFINITION, process

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
WITH_CASES = DEFINITION.model_copy(
    update={
        "processes": (*DEFINITION.processes, HIRING),
        "fields": (CustomField(name="device", title="Device", type=FieldType.SHORT_TEXT),),
        "queues": (*DEFINITION.queues, Queue(name="store", title="Store")),
        "wait_reasons": (WaitReason(name="papers", title="Papers"),),
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
                each.model_copy(update={"processes": (*each.processes, "hiring"), "leads": ("hiring",)})
                for each in DEFINITION.users
            ),
            User(name="r2", title="R2", robot=True, processes=("hiring",)),
        ),
    }
)
