"""Events of Cases and Actions as records of `activity.activities.v1`."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec import to_builtins

from services.activity.announce_links import Fields, other_record
from services.activity.domain.approval_events import ApprovalAsked, ApprovalGiven
from services.activity.domain.approvals import ApprovalLevel
from services.activity.domain.call_events import CallAnswered, Called
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
    StepEntered,
    SubCaseEnded,
    SubCaseStarted,
)
from services.activity.domain.flow import Flow
from services.activity.domain.task import Task
from shared.contracts import activity_activities as said
from shared.contracts.activity_approvals import ActionApprovalAsked, ActionApprovalGiven
from shared.contracts.activity_cases import FlowLevel, PointAnswered


@lru_cache(maxsize=256)
def flow_record(flow: Flow) -> said.Flow:
    """The process that a Case runs through, as the contract says it: both have the same shape."""
    return said.Flow.model_validate(to_builtins(flow))


def task_record(task: Task) -> said.Task:
    """What an Action is to do when it is launched."""
    return said.Task(
        action=task.type,
        kind=task.kind.value,
        step=task.step,
        by_hand=task.by_hand,
        queue=task.queue,
        due_date=task.due_date,
        checklist=task.checklist,
        template=task.template,
        process=task.process,
        call=task.call and task.call.name,
        answer_within_minutes=task.call and task.call.answer_within_minutes,
        retry_after_minutes=task.call.retry_after_minutes if task.call else (),
        approval=_levels(task.approval),
    )


@lru_cache(maxsize=256)
def _levels(levels: tuple[ApprovalLevel, ...]) -> tuple[FlowLevel, ...]:
    return tuple(FlowLevel.model_validate(to_builtins(each)) for each in levels)


def _launched(happened: ActionLaunched, _: int) -> dict[str, Any]:
    launched = happened.launched
    return {
        "launched": other_record(launched.action),
        "action": launched.type,
        "step": launched.step,
        "by_hand": launched.by_hand,
    }


def _reworked(happened: Reworked, _: int) -> dict[str, Any]:
    return {
        "step": happened.step,
        "action": happened.action,
        "keeper": happened.keeper,
        "ended": tuple(other_record(each) for each in happened.ended),
    }


OF_CASES: Mapping[type[Event], tuple[type[said.ActivityRecord], Fields]] = {
    StepEntered: (said.CaseStepEntered, lambda happened, _: {"step": happened.step}),
    ActionLaunched: (said.CaseActionLaunched, _launched),
    ActionEnded: (
        said.CaseActionEnded,
        lambda happened, _: {"ended": other_record(happened.action), "person": happened.person},
    ),
    AttentionMarked: (
        said.CaseAttentionMarked,
        lambda happened, _: {"needed": happened.needed, "because": happened.because},
    ),
    Reworked: (said.CaseReworked, _reworked),
    ChecklistAnswered: (
        said.ActionChecklistAnswered,
        lambda happened, _: {
            "answers": tuple(
                PointAnswered(point=each.point, answer=each.answer.value) for each in happened.answers
            )
        },
    ),
    Called: (
        said.ActionCalled,
        lambda happened, _: {
            "call": happened.call,
            "attempt": happened.attempt,
            "retry": happened.retry,
            "answer_by": happened.answer_by,
        },
    ),
    CallAnswered: (
        said.ActionCallAnswered,
        lambda happened, _: {
            "attempt": happened.attempt,
            "outcome": happened.outcome.value,
            "again_at": happened.again_at,
        },
    ),
    NotSent: (said.ActionNotSent, lambda happened, _: {}),
    SubCaseStarted: (
        said.CaseSubCaseStarted,
        lambda happened, _: {
            "started": other_record(happened.started.case),
            "process": happened.started.process,
            "by": happened.started.by and other_record(happened.started.by),
        },
    ),
    SubCaseEnded: (said.CaseSubCaseEnded, lambda happened, _: {"ended": other_record(happened.sub_case)}),
    CaseNotStarted: (said.ActionCaseNotStarted, lambda happened, _: {"why": happened.why}),
    NoSubCase: (said.ActionNoSubCase, lambda happened, _: {"reason": happened.reason.value}),
    ReviewAsked: (said.ActionReviewAsked, lambda happened, _: {"done_by": happened.done_by}),
    ApprovalAsked: (
        ActionApprovalAsked,
        lambda happened, _: {
            "round": happened.round,
            "level": happened.level,
            "approvers": happened.approvers,
        },
    ),
    ApprovalGiven: (
        ActionApprovalGiven,
        lambda happened, _: {
            "round": happened.round,
            "level": happened.level,
            "approved": happened.approved,
        },
    ),
}
