"""From the contract's words to the domain's: one line per step that can be asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.activity.domain import action_steps, approval_steps, case_steps, steps, work_steps
from services.activity.domain.call_steps import AnswerCall
from services.activity.domain.contacts import Tagged
from services.activity.domain.file_steps import AddFile, EditFile, RemoveFile
from services.activity.domain.files import File
from services.activity.domain.task import Answer
from services.activity.domain.vocabulary import CallOutcome, Method
from services.activity.domain.work_steps import SetDueDate
from services.activity.uploads import ActivityAddFile
from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests_approvals import ActionApprove, ActionDecline
from shared.field_values import FieldValue
from shared.file_names import safe_name


@dataclass(frozen=True, slots=True)
class Named:
    """What a request names, as the domain knows it; `extra` are default tags of contacts (CT-17)."""

    tags: tuple[Tagged, ...] = ()
    untags: tuple[Tagged, ...] = ()
    extra: tuple[Tagged, ...] = ()
    fields: tuple[FieldValue, ...] = ()
    file: File | None = None

    @property
    def the_file(self) -> File:
        """The file that a request about one names."""
        assert self.file is not None, "who asks for something else does not look"
        return self.file


def _resolve(request: asked.TicketResolve) -> steps.Step:
    if request.method is asked.ResolutionMethod.REJECTED_AS_SPAM:
        return steps.RejectAsSpam()
    return steps.Resolve(Method(request.method.value), request.category)


def _called(request: asked.ActivityEditFile, file: File) -> str | None:
    return request.name and safe_name(request.name, file.media_type, "file")


SPLITS_AND_MERGES: tuple[type[asked.OnActivity], ...] = (
    asked.TicketSplit,
    asked.TicketMergeInto,
    asked.ActivityMerge,
)
"""Requests whose steps `splits_and_merges.py` makes."""


def _question(request: ActionApprove | ActionDecline) -> approval_steps.Question:
    return approval_steps.Question(request.round, request.level)


def also_named(request: asked.Request) -> tuple[str, ...]:
    """The references that a request names beside the Ticket that it is about."""
    match request:
        case asked.TicketMergeInto(into=into):
            return (into,)
        case asked.ActivityMerge(sources=sources):
            return sources
    return ()


MakesStep: TypeAlias = Callable[[Any, Named], steps.Step]

STEPS: Mapping[type[asked.OnActivity], MakesStep] = {
    asked.ActivityEdit: lambda r, named: steps.Edit(
        title=r.title,
        description=r.description,
        category=r.category,
        tag=named.tags,
        untag=named.untags,
        extra=named.extra,
        fields=named.fields,
    ),
    asked.ActivitySubmit: lambda r, _: steps.Submit(r.keep_with_me),
    asked.ActivityPickUp: lambda r, _: steps.PickUp(r.take_over),
    asked.ActivityAssign: lambda r, _: steps.Assign(r.assignee, r.note is not None),
    asked.ActivitySetToDo: lambda r, _: steps.SetToDo(),
    asked.TicketWait: lambda r, _: steps.WaitForMoreInformation(
        r.days, r.close_if_no_response, r.reason, r.category
    ),
    asked.ActivityWaitUntil: lambda r, _: steps.WaitUntil(r.until, r.reason, r.category),
    asked.ActivityResume: lambda r, _: steps.Resume(steps.ResumeTo(r.to)),
    asked.TicketResolve: lambda r, _: _resolve(r),
    asked.ActivityReopen: lambda r, _: steps.Reopen(r.keep_with_me),
    asked.ActivitySetDueDate: lambda r, _: SetDueDate(r.due),
    asked.ActivityNote: lambda r, _: steps.AddNote(),
    asked.ActivityReply: lambda r, _: steps.SendMail(r.subject or "", r.text),
    asked.ActivityMarkInformation: lambda r, _: steps.MarkInformation(r.new),
    asked.ActivityKeepWithMe: lambda r, _: work_steps.KeepWithMe(r.keep),
    asked.ActivityRejectWork: lambda r, _: work_steps.RejectWork(),
    asked.ActivityNext: lambda r, _: work_steps.TakeNext(),
    asked.TicketSendAndResolve: lambda r, _: work_steps.SendAndResolve(Method(r.method), r.category),
    asked.ActivityFeedback: lambda r, _: work_steps.GiveFeedback(r.rating, r.comment is not None),
    asked.CaseWait: lambda r, _: case_steps.WaitForAnswer(r.reason),
    asked.CasePause: lambda r, _: case_steps.Pause(),
    asked.CaseResolve: lambda r, _: case_steps.Complete(),
    asked.CaseAbandon: lambda r, _: case_steps.Abandon(),
    asked.CaseRework: lambda r, _: case_steps.Rework(
        r.step, r.action, r.by_hand_too, r.keep_with_me, r.sub_cases_too
    ),
    asked.ActionAnswerChecklist: lambda r, _: action_steps.AnswerChecklist(
        tuple((each.point, Answer(each.answer)) for each in r.answers)
    ),
    asked.ActionComplete: lambda r, _: action_steps.CompleteAction(),
    asked.ActionGiveUp: lambda r, _: action_steps.GiveUp(reason=True),
    asked.ActionAnswerCall: lambda r, named: AnswerCall(
        r.attempt, CallOutcome(r.outcome), r.detail is not None, named.fields
    ),
    ActionApprove: lambda r, _: approval_steps.Approve(r.comment is not None, _question(r)),
    ActionDecline: lambda r, _: approval_steps.Decline(comment=True, question=_question(r)),
    asked.ActivityEditFile: lambda r, named: EditFile(named.the_file, _called(r, named.the_file), r.tags),
    asked.ActivityRemoveFile: lambda r, named: RemoveFile(named.the_file),
}
"""Each request with what makes its step; the contacts and fields that it names are read before."""

WITH_BYTES: Mapping[type[asked.OnActivity], MakesStep] = {
    ActivityAddFile: lambda _, named: AddFile(named.the_file),
}
"""The same for what comes over HTTP only (`uploads.py`)."""

ALL_STEPS: Mapping[type[asked.OnActivity], MakesStep] = {**STEPS, **WITH_BYTES}
"""Both: whatever a request may be once it is here."""

OF_SEVERAL: tuple[type[asked.OnActivity], ...] = (
    *(asked.ActivityLink, asked.ActivityUnlink, asked.ActivityShareMail, asked.ActivityNewFromMail),
    *(asked.CaseLaunch, asked.CaseStartSubCase, asked.TicketConvert),
    *SPLITS_AND_MERGES,
)
"""The requests that are about more than one activity: what makes their steps are modules of their own."""


def note_of(request: asked.Request) -> str | None:
    """The text that a request has written as a note: by itself, or beside what else it does."""
    match request:
        case asked.ActivityNote(text=text) | asked.ActivityRejectWork(reason=text):
            return text
        case asked.ActionGiveUp(reason=reason):
            return reason
        case asked.ActionAnswerCall(detail=detail):
            return detail
        case ActionApprove(comment=comment) | ActionDecline(comment=comment):
            return comment
        case asked.ActivityAssign(note=note) | asked.ActivityFeedback(comment=note):
            return note
    return None
