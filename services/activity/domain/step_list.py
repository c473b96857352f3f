"""Every step there is, and those that people are offered."""

from services.activity.domain.link_steps import LinkWith, ShareMail, TakeSharedMail, Unlink
from services.activity.domain.steps import (
    AddNote,
    Assign,
    CreatedByIntegration,
    Edit,
    MailArrived,
    MailReported,
    MailRouted,
    MarkInformation,
    Opening,
    PickUp,
    RejectAsSpam,
    Reopen,
    Resolve,
    Resume,
    SendMail,
    SetToDo,
    StartManually,
    Step,
    Submit,
    TimerDue,
    WaitForMoreInformation,
    WaitUntil,
)

STEPS: tuple[type[Step], ...] = (
    StartManually,
    MailRouted,
    CreatedByIntegration,
    Edit,
    Submit,
    PickUp,
    Assign,
    SetToDo,
    WaitForMoreInformation,
    WaitUntil,
    Resume,
    Resolve,
    RejectAsSpam,
    Reopen,
    AddNote,
    SendMail,
    MarkInformation,
    LinkWith,
    Unlink,
    ShareMail,
    MailArrived,
    TakeSharedMail,
    TimerDue,
    MailReported,
)
"""Every step there is."""

OFFERED = tuple(
    step
    for step in STEPS
    if not issubclass(step, (Opening, MailArrived, TakeSharedMail, TimerDue, MailReported))
)
"""The steps that a person can take on an activity that exists."""
