"""Matters that are Cases: their process of two steps, and what each of them has to come to."""

from collections.abc import Iterator

from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionUse,
    Criteria,
    Definition,
    MailboxDefinition,
    ProcessKind,
    Route,
    StepDefinition,
)

SUBJECT = "A case of"
"""What the subject of a mail begins with that opens a Case."""
ROBOTS = ("runner-1", "runner-2", "runner-3", "runner-4")
STEPS = (("check", "prepare"), ("call",))
"""The Actions of each step: those of the first run side by side."""
_PROCESS = "matter"
_YEAR_OF_HOURS = 24.0 * 365


def with_cases(definition: Definition) -> Definition:
    """The organisation with a process of Cases, routes to it by subject, and robots that work on them.

    A Case can come back for so long that none is closed while anybody writes, however clocks jump.
    """
    process = definition.processes[0].model_copy(
        update={
            "name": _PROCESS,
            "title": "Matter in steps",
            "kind": ProcessKind.CASE,
            "categories": (),
            "fields": (),
            "due_date": None,
            "no_response": None,
            "split": None,
            "case_launched": None,
            "note_required_to_resolve": False,
            "feedback_window_hours": _YEAR_OF_HOURS,
            "actions": tuple(
                ActionDefinition(name=each, title=each.title()) for step in STEPS for each in step
            ),
            "steps": tuple(
                StepDefinition(
                    name=f"step-{number}",
                    title=f"Step {number}",
                    actions=tuple(ActionUse(action=each) for each in step),
                )
                for number, step in enumerate(STEPS, start=1)
            ),
        }
    )
    people = [
        each.model_copy(update={"processes": (*each.processes, _PROCESS)})
        for each in definition.users
        if not each.robot
    ]
    robots = [
        people[0].model_copy(
            update={"name": name, "robot": True, "processes": (_PROCESS,), "leads": (), "address": None}
        )
        for name in ROBOTS
    ]
    return definition.model_copy(
        update={
            "processes": (*definition.processes, process),
            "mailboxes": tuple(_routed(each) for each in definition.mailboxes),
            "users": (*(each for each in definition.users if each.robot), *people, *robots),
        }
    )


def _routed(mailbox: MailboxDefinition) -> MailboxDefinition:
    route = Route(
        name=_PROCESS,
        address=mailbox.address,
        process=_PROCESS,
        send_automated_emails=True,
        criteria=Criteria(subject_keywords=(SUBJECT,)),
    )
    return mailbox.model_copy(update={"routes": (route, *mailbox.routes)})


def facts() -> Iterator[str]:
    """What has to be true of each Case in the end, each exactly once."""
    for number, step in enumerate(STEPS, start=1):
        yield entered(number)
        for action in step:
            yield launched(number, action)
            yield completed(number, action)
    yield ENDED


def entered(step: int) -> str:
    return f"step {step} entered"


def launched(step: int, action: str) -> str:
    return f"{action} of step {step} launched"


def completed(step: int, action: str) -> str:
    return f"{action} of step {step} completed"


ENDED = "ended"
