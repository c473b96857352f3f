"""From the contract's words to the domain's: one line per step that can be asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.activity.domain import steps, work_steps
from services.activity.domain.contacts import Tagged
from services.activity.domain.custom_fields import FieldValue
from services.activity.domain.file_steps import AddFile, EditFile, RemoveFile
from services.activity.domain.files import File
from services.activity.domain.vocabulary import Method
from services.activity.domain.work_steps import SetDueDate
from services.activity.uploads import TicketAddFile
from shared.contracts import activity_requests as asked
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


def _called(request: asked.TicketEditFile, file: File) -> str | None:
    return request.name and safe_name(request.name, file.media_type, "file")


SPLITS_AND_MERGES: tuple[type[asked.OnTicket], ...] = (
    asked.TicketSplit,
    asked.TicketMergeInto,
    asked.TicketMerge,
)
"""Requests whose steps `splits_and_merges.py` makes."""


def also_named(request: asked.Request) -> tuple[str, ...]:
    """The references that a request names beside the Ticket that it is about."""
    match request:
        case asked.TicketMergeInto(into=into):
            return (into,)
        case asked.TicketMerge(sources=sources):
            return sources
    return ()


MakesStep: TypeAlias = Callable[[Any, Named], steps.Step]

STEPS: Mapping[type[asked.OnTicket], MakesStep] = {
    asked.TicketEdit: lambda r, named: steps.Edit(
        title=r.title,
        description=r.description,
        category=r.category,
        tag=named.tags,
        untag=named.untags,
        extra=named.extra,
        fields=named.fields,
    ),
    asked.TicketSubmit: lambda r, _: steps.Submit(r.keep_with_me),
    asked.TicketPickUp: lambda r, _: steps.PickUp(r.take_over),
    asked.TicketAssign: lambda r, _: steps.Assign(r.assignee, r.note is not None),
    asked.TicketSetToDo: lambda r, _: steps.SetToDo(),
    asked.TicketWait: lambda r, _: steps.WaitForMoreInformation(
        r.days, r.close_if_no_response, r.reason, r.category
    ),
    asked.TicketWaitUntil: lambda r, _: steps.WaitUntil(r.until, r.reason, r.category),
    asked.TicketResume: lambda r, _: steps.Resume(steps.ResumeTo(r.to)),
    asked.TicketResolve: lambda r, _: _resolve(r),
    asked.TicketReopen: lambda r, _: steps.Reopen(r.keep_with_me),
    asked.TicketSetDueDate: lambda r, _: SetDueDate(r.due),
    asked.TicketNote: lambda r, _: steps.AddNote(),
    asked.TicketReply: lambda r, _: steps.SendMail(r.subject or "", r.text),
    asked.TicketMarkInformation: lambda r, _: steps.MarkInformation(r.new),
    asked.TicketKeepWithMe: lambda r, _: work_steps.KeepWithMe(r.keep),
    asked.TicketRejectWork: lambda r, _: work_steps.RejectWork(),
    asked.TicketNext: lambda r, _: work_steps.TakeNext(),
    asked.TicketSendAndResolve: lambda r, _: work_steps.SendAndResolve(Method(r.method), r.category),
    asked.TicketFeedback: lambda r, _: work_steps.GiveFeedback(r.rating, r.comment is not None),
    asked.TicketEditFile: lambda r, named: EditFile(named.the_file, _called(r, named.the_file), r.tags),
    asked.TicketRemoveFile: lambda r, named: RemoveFile(named.the_file),
}
"""Each request with what makes its step; the contacts and fields that it names are read before."""

WITH_BYTES: Mapping[type[asked.OnTicket], MakesStep] = {
    TicketAddFile: lambda _, named: AddFile(named.the_file),
}
"""The same for what comes over HTTP only (`uploads.py`)."""

ALL_STEPS: Mapping[type[asked.OnTicket], MakesStep] = {**STEPS, **WITH_BYTES}
"""Both: whatever a request may be once it is here."""

OF_SEVERAL: tuple[type[asked.OnTicket], ...] = (
    *(asked.TicketLink, asked.TicketUnlink, asked.TicketShareMail, asked.TicketNewFromMail),
    *SPLITS_AND_MERGES,
)
"""The requests that are about more than one Ticket: what makes their steps are modules of their own."""


def note_of(request: asked.Request) -> str | None:
    """The text that a request has written as a note: by itself, or beside what else it does."""
    match request:
        case asked.TicketNote(text=text) | asked.TicketRejectWork(reason=text):
            return text
        case asked.TicketAssign(note=note) | asked.TicketFeedback(comment=note):
            return note
    return None
