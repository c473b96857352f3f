"""Every step there is, and those that people are offered."""

from services.activity.domain.contact_steps import EraseContact, ExchangeContact
from services.activity.domain.family_steps import MergeInto, PartsClosed, Split, SplitOff, TakeOver
from services.activity.domain.file_steps import AddFile, EditFile, RemoveFile
from services.activity.domain.link_steps import (
    LinkWith,
    MarkDeparture,
    ShareMail,
    StartNew,
    TakeSharedMail,
    Unlink,
)
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
from services.activity.domain.work_steps import (
    GiveFeedback,
    KeepWithMe,
    RejectWork,
    SendAndResolve,
    SetDueDate,
    TakeNext,
)

STEPS: tuple[type[Step], ...] = (
    StartManually,
    MailRouted,
    CreatedByIntegration,
    SplitOff,
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
    SetDueDate,
    Split,
    PartsClosed,
    MergeInto,
    TakeOver,
    AddNote,
    SendMail,
    MarkInformation,
    LinkWith,
    Unlink,
    ShareMail,
    StartNew,
    MailArrived,
    TakeSharedMail,
    MarkDeparture,
    TimerDue,
    MailReported,
    KeepWithMe,
    RejectWork,
    TakeNext,
    SendAndResolve,
    GiveFeedback,
    ExchangeContact,
    EraseContact,
    AddFile,
    EditFile,
    RemoveFile,
)
"""Every step there is."""

NOT_FOR_PEOPLE = (
    Opening,
    PartsClosed,
    MailArrived,
    TakeSharedMail,
    MarkDeparture,
    TimerDue,
    MailReported,
    RejectWork,
    GiveFeedback,
    ExchangeContact,
    EraseContact,
)
"""What others do to an activity: mails, timers, reports, robots, customers, and what becomes of contacts."""

OFFERED = tuple(step for step in STEPS if not issubclass(step, NOT_FOR_PEOPLE))
"""The steps that a person can take on an activity that exists."""
