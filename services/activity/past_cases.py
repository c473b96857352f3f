"""Records about Cases and Actions as the events that they tell of: `announce_cases.py`, read backwards."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import convert

from services.activity.domain.approval_events import ApprovalAsked, ApprovalGiven
from services.activity.domain.approvals import ApprovalLevel
from services.activity.domain.call_events import CallAnswered, Called
from services.activity.domain.calls import Call
from services.activity.domain.course import Launched, SubCase
from services.activity.domain.events import (
    ActionEnded,
    ActionLaunched,
    AttentionMarked,
    CaseNotStarted,
    ChecklistAnswered,
    Event,
    NoSubCase,
    NotSent,
    ReviewAsked,
    Reworked,
    Stamp,
    StepEntered,
    SubCaseEnded,
    SubCaseStarted,
)
from services.activity.domain.flow import ActionKind, Flow
from services.activity.domain.links import Other
from services.activity.domain.task import Answer, Answered, Task
from services.activity.domain.vocabulary import CallOutcome, Reason
from shared import references
from shared.contracts import activity_activities as said
from shared.contracts.activity_approvals import ActionApprovalAsked, ActionApprovalGiven


def flow_of(record: said.Flow) -> Flow:
    """The process that a Case runs through."""
    return convert(record.model_dump(mode="json"), Flow)


def task_of(record: said.Task) -> Task:
    """What an Action is to do."""
    return Task(
        type=record.action,
        kind=ActionKind(record.kind),
        step=record.step,
        by_hand=record.by_hand,
        queue=record.queue,
        due_date=record.due_date,
        checklist=record.checklist,
        template=record.template,
        process=record.process,
        approval=tuple(convert(each.model_dump(mode="json"), ApprovalLevel) for each in record.approval),
        call=_call(record),
    )


def _call(record: said.Task) -> Call | None:
    if record.call is None or record.answer_within_minutes is None:
        return None
    return Call(
        name=record.call,
        answer_within_minutes=record.answer_within_minutes,
        retry_after_minutes=record.retry_after_minutes,
    )


def other_of(other: said.OtherActivity) -> Other:
    """The activity that a record names beside its own. Raises `ValueError` for what is no reference."""
    found = references.parse(other.reference)
    if found is None:
        raise ValueError(f"{other.reference!r} is no reference")
    return Other(other.activity, found)


EVENTS_OF_CASES: Mapping[type[said.ActivityRecord], Callable[[Stamp, Any], Event]] = {
    said.CaseStepEntered: lambda stamp, record: StepEntered(stamp=stamp, step=record.step),
    said.CaseActionLaunched: lambda stamp, record: ActionLaunched(
        stamp=stamp,
        launched=Launched(other_of(record.launched), record.action, record.step, record.by_hand),
    ),
    said.CaseActionEnded: lambda stamp, record: ActionEnded(
        stamp=stamp, action=other_of(record.ended), person=record.person
    ),
    said.CaseAttentionMarked: lambda stamp, record: AttentionMarked(
        stamp=stamp, needed=record.needed, because=record.because
    ),
    said.CaseReworked: lambda stamp, record: Reworked(
        stamp=stamp,
        step=record.step,
        action=record.action,
        keeper=record.keeper,
        ended=tuple(other_of(each) for each in record.ended),
    ),
    said.ActionChecklistAnswered: lambda stamp, record: ChecklistAnswered(
        stamp=stamp, answers=tuple(Answered(each.point, Answer(each.answer)) for each in record.answers)
    ),
    said.ActionCalled: lambda stamp, record: Called(
        stamp=stamp,
        call=record.call,
        attempt=record.attempt,
        retry=record.retry,
        answer_by=record.answer_by,
    ),
    said.ActionCallAnswered: lambda stamp, record: CallAnswered(
        stamp=stamp,
        attempt=record.attempt,
        outcome=CallOutcome(record.outcome),
        again_at=record.again_at,
    ),
    said.ActionNotSent: lambda stamp, record: NotSent(stamp=stamp),
    said.CaseSubCaseStarted: lambda stamp, record: SubCaseStarted(
        stamp=stamp,
        started=SubCase(other_of(record.started), record.process, record.by and other_of(record.by)),
    ),
    said.CaseSubCaseEnded: lambda stamp, record: SubCaseEnded(stamp=stamp, sub_case=other_of(record.ended)),
    said.ActionCaseNotStarted: lambda stamp, record: CaseNotStarted(stamp=stamp, why=record.why),
    said.ActionNoSubCase: lambda stamp, record: NoSubCase(stamp=stamp, reason=Reason(record.reason)),
    ActionApprovalAsked: lambda stamp, record: ApprovalAsked(
        stamp=stamp, round=record.round, level=record.level, approvers=record.approvers
    ),
    ActionApprovalGiven: lambda stamp, record: ApprovalGiven(
        stamp=stamp, round=record.round, level=record.level, approved=record.approved
    ),
    said.ActionReviewAsked: lambda stamp, record: ReviewAsked(stamp=stamp, done_by=record.done_by),
}
