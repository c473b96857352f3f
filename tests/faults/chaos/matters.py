"""Matters that are Cases: their processes, and who does what in them.

A Case has three steps, of Actions of every kind that goes on by itself: it starts another one under it, an
errand, waits for that, calls another system, and asks for an approval. What is left is for robots.
"""

from collections.abc import Iterator, Mapping

from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionType,
    ActionUse,
    ApprovalLevel,
    Criteria,
    CustomField,
    Definition,
    FieldType,
    FieldUse,
    MailboxDefinition,
    Process,
    ProcessKind,
    Route,
    StepDefinition,
    Template,
    TemplateText,
    User,
)

SUBJECT = "A case of"
"""What the subject of a mail begins with that opens a Case."""
ROBOTS = ("runner-1", "runner-2", "runner-3", "runner-4")
APPROVERS = ("lena", "karim")
"""Who is asked in each level of an approval, one after the other."""
MATTER, ERRAND = "matter", "errand"
"""Processes: of what mails open, and of what is started under that."""
PARCEL = "parcel"
"""The custom field that the answer to a call writes on the Case: the id of the call."""
START, AWAIT, ORDER, AGREE = "start-errand", "await-errand", "order", "agree"
CALL = "order-parcel"
_YEAR_OF_HOURS = 24.0 * 365
_MONTH_OF_MINUTES = 30 * 24 * 60
_PLEASE = "please-agree"

_ACTIONS: Mapping[str, ActionDefinition] = {
    each.name: each
    for each in (
        *(ActionDefinition(name=name, title=name.title()) for name in ("check", "prepare", "call", "fetch")),
        ActionDefinition(name=START, title="Start the errand", type=ActionType.START_CASE, process=ERRAND),
        ActionDefinition(
            name=AWAIT, title="Wait for the errand", type=ActionType.WAIT_FOR_SUB_CASES, process=ERRAND
        ),
        # Nobody is too late, however clocks jump.
        ActionDefinition(
            name=ORDER,
            title="Order a parcel",
            type=ActionType.EXTERNAL_CALL,
            call=CALL,
            answer_within_minutes=_MONTH_OF_MINUTES,
        ),
        ActionDefinition(
            name=AGREE,
            title="Agree to it",
            type=ActionType.APPROVAL,
            template=_PLEASE,
            approval=tuple(ApprovalLevel(approvers=(each,)) for each in APPROVERS),
        ),
    )
}
# The errand has to run still when it is waited for: the step behind its start is entered at once.
STEPS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    MATTER: (("check", "prepare"), (START,), ("call", AWAIT, ORDER, AGREE)),
    ERRAND: (("fetch",),),
}
"""The Actions of each step of each process: those of one step run side by side."""


def with_cases(definition: Definition) -> Definition:
    """The organisation with processes of Cases, routes to them by subject, and who works on them."""
    people = [
        each.model_copy(update={"processes": (*each.processes, *STEPS)})
        for each in definition.users
        if not each.robot
    ]
    robots = [
        people[0].model_copy(
            update={"name": name, "robot": True, "processes": tuple(STEPS), "leads": (), "address": None}
        )
        for name in ROBOTS
    ]
    approvers = [User(name=each, title=each, address=f"{each}@approvers.test") for each in APPROVERS]
    parcel = CustomField(name=PARCEL, title="Parcel", type=FieldType.SHORT_TEXT)
    please = Template(
        name=_PLEASE, texts={"en": TemplateText(subject="Please agree [{{ reference }}]", text="{{ link }}")}
    )
    return definition.model_copy(
        update={
            "processes": (*definition.processes, *_processes(definition.processes[0])),
            "fields": (*definition.fields, parcel),
            "mailboxes": tuple(_routed(each) for each in definition.mailboxes),
            "templates": (*definition.templates, please),
            "users": (*(each for each in definition.users if each.robot), *people, *robots, *approvers),
        }
    )


def _processes(like: Process) -> Iterator[Process]:
    """A Case that a mail opened can come back for so long that none is closed while anybody writes.

    However clocks jump; and what is under it is closed at once, because it waits for that.
    """
    for name, steps in STEPS.items():
        yield like.model_copy(
            update={
                "name": name,
                "title": f"{name} in steps",
                "kind": ProcessKind.CASE,
                "categories": (),
                "fields": (FieldUse(field=PARCEL),),
                "due_date": None,
                "no_response": None,
                "split": None,
                "case_launched": None,
                "note_required_to_resolve": False,
                "feedback_window_hours": _YEAR_OF_HOURS if name == MATTER else 0,
                "actions": tuple(_ACTIONS[each] for step in steps for each in step),
                "steps": tuple(
                    StepDefinition(
                        name=f"step-{number}",
                        title=f"Step {number}",
                        actions=tuple(ActionUse(action=each) for each in step),
                    )
                    for number, step in enumerate(steps, start=1)
                ),
            }
        )


def _routed(mailbox: MailboxDefinition) -> MailboxDefinition:
    route = Route(
        name=MATTER,
        address=mailbox.address,
        process=MATTER,
        send_automated_emails=True,
        criteria=Criteria(subject_keywords=(SUBJECT,)),
    )
    return mailbox.model_copy(update={"routes": (route, *mailbox.routes)})
