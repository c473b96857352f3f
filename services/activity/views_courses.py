"""Cases and Actions as HTTP shows them beside what every activity has: the course, and the task."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from services.activity.domain.activity import Activity
from services.activity.domain.evolving import course_of
from services.activity.domain.flow import Flow
from services.activity.domain.states import ENDED, State
from services.activity.domain.task import Task
from services.activity.store_views import Under
from shared.contracts.activity_requests import Actor


@dataclass(frozen=True, slots=True)
class Seen:
    """What a caller sees: these processes whole (None for all), of others header data (AMB-34)."""

    processes: Collection[str] | None = None
    hides_titles: bool = False


ALL = Seen()


class CourseView(BaseModel):
    """How far a Case has come: the step that it is in, counted from 1, of so many.

    `step` is 0 and `title` null before the first. With `attention` it needs its owner's, `because` of the
    Action of this reference, or of what the sentence says (C6, CA-5). `running` are the Actions that run,
    `sub_cases` the Cases under it that are not closed (CA-4).
    """

    step: int
    steps: int
    title: str | None
    attention: bool
    because: str | None
    running: list[str]
    sub_cases: list[str]


class PointView(BaseModel):
    """A point of a checklist; `answer` is yes, no, not_applicable, or null (A10)."""

    point: str
    answer: str | None


class CallView(BaseModel):
    """What an Action asks of an external system (A23): its name, and which try is the latest.

    The answer is waited for until `until`; where it `pauses`, the next try.
    """

    name: str
    attempt: int
    pauses: bool
    until: datetime | None


class ApproverView(BaseModel):
    """Somebody who is asked for an approval; `approved` is null as long as he has not answered (A25)."""

    user: str
    approved: bool | None


class ApprovalView(BaseModel):
    """Whom an approval has asked last: in which round, and which of how many levels (A25).

    `waits` says whether they can answer still; both counts are 0 while nobody was asked.
    """

    round: int
    level: int
    levels: int
    waits: bool
    approvers: list[ApproverView]


class TaskView(BaseModel):
    """What an Action is to do. While somebody else has to look at it, `done_by` is who did it (A24).

    `approval` is there for an approval alone (A25).
    """

    action: str
    kind: str
    step: int
    by_hand: bool
    checklist: list[PointView]
    done_by: str | None
    call: CallView | None
    approval: ApprovalView | None


class ActionLine(BaseModel):
    """An Action in the course of its Case: who had it last, and how and when it ended."""

    reference: str
    action: str
    title: str
    by_hand: bool
    status: str
    assignee: str | None
    owner: str | None
    queue: str | None
    due_at: datetime | None
    launched: datetime
    method: str | None
    ended_by: Actor | None
    ended_at: datetime | None


class StepLine(BaseModel):
    """A step of a Case with all the Actions that were ever launched in it.

    `state` is `done`, `current`, `to_come` or `passed_over`; a rework lets what was done be to come again,
    and in a Case that is over nothing is to come.
    """

    number: int
    name: str
    title: str
    when: str | None
    state: str
    actions: list[ActionLine]


class SubCaseLine(BaseModel):
    """A Case under a Case: who is responsible for it, and how and when it ended (CA-7).

    Of one whose process the caller may not see, there is header data alone (AMB-34).
    """

    reference: str
    process: str
    title: str | None
    status: str
    owner: str | None
    started: datetime
    method: str | None
    ended_at: datetime | None


class CourseDocument(BaseModel):
    """The whole course of a Case: its steps, their Actions, who did them and when (C17, CA-5).

    `parent` is the Case that it is under, `sub_cases` are those under it, whether closed or not (CA-7).
    """

    reference: str
    title: str
    status: str
    owner: str | None
    attention: bool
    because: str | None
    parent: str | None
    steps: list[StepLine]
    sub_cases: list[SubCaseLine]


def course_view(case: Activity) -> CourseView | None:
    """How far a Case has come; None for what is none."""
    if case.course is None or case.flow is None:
        return None
    step = case.flow.step(case.course.step)
    return CourseView(
        step=case.course.step,
        steps=len(case.flow.steps),
        title=step.title if step else None,
        attention=case.course.attention,
        because=case.course.because,
        running=[str(each.action.reference) for each in case.course.running],
        sub_cases=[str(each.case.reference) for each in case.course.sub_cases],
    )


def task_view(action: Activity) -> TaskView | None:
    """What an Action is to do; None for what is none."""
    task = action.task
    if task is None:
        return None
    answers = {each.point: each.answer.value for each in task.answers}
    call = task.call
    return TaskView(
        action=task.type,
        kind=task.kind.value,
        step=task.step,
        by_hand=task.by_hand,
        checklist=[PointView(point=point, answer=answers.get(point)) for point in task.checklist],
        done_by=task.done_by,
        call=call and CallView(name=call.name, attempt=call.attempt, pauses=call.pauses, until=call.until),
        approval=_approval(action, task) if task.asks else None,
    )


def _approval(action: Activity, task: Task) -> ApprovalView:
    last, waits = task.round, action.state is State.WAIT_MORE_INFO
    if last is None:
        return ApprovalView(round=0, level=0, levels=len(task.approval), waits=waits, approvers=[])
    verdicts = {each: last.verdict(each, last.level) for each in last.approvers}
    return ApprovalView(
        round=last.number,
        level=last.level,
        levels=len(task.approval),
        waits=waits,
        approvers=[
            ApproverView(user=user, approved=said.approved if said else None)
            for user, said in verdicts.items()
        ],
    )


def course_document(case: Activity, under: Under, seen: Seen = ALL) -> CourseDocument:
    """The whole course of a Case; of Sub-Cases as much as the caller may see."""
    course, flow = course_of(case), case.flow or Flow(actions=(), steps=())
    by_step: dict[int, list[ActionLine]] = {}
    for row in under.actions:
        by_step.setdefault(row["step"], []).append(_line(row))
    return CourseDocument(
        reference=str(case.reference),
        title=case.title,
        status=case.status.value,
        owner=case.holders.person,
        attention=course.attention,
        because=course.because,
        steps=[
            StepLine(
                number=number,
                name=step.name,
                title=step.title,
                when=step.when,
                state=_state(
                    case, number, launched=any(not each.by_hand for each in by_step.get(number, ()))
                ),
                actions=by_step.get(number, []),
            )
            for number, step in enumerate(flow.steps, 1)
        ],
        parent=under.parent,
        sub_cases=[_sub_case(row, seen) for row in under.sub_cases],
    )


def _state(case: Activity, number: int, *, launched: bool) -> str:
    course = course_of(case)
    if number > course.step:
        return "passed_over" if course.over or case.status in ENDED else "to_come"
    if number == course.step and any(each.step == number and not each.by_hand for each in course.running):
        return "current"
    return "done" if launched else "passed_over"


def _sub_case(row: Any, seen: Seen) -> SubCaseLine:
    permitted = seen.processes is None or row["process"] in seen.processes
    resolution = (row["resolution"] or {}) if permitted else {}
    return SubCaseLine(
        reference=row["reference"],
        process=row["process"],
        title=row["title"] if permitted or not seen.hides_titles else None,
        status=row["status"],
        owner=row["assignee"] or (row["owner"] if permitted else None),
        started=row["created_at"],
        method=resolution.get("method"),
        ended_at=resolution.get("at"),
    )


def _line(row: Any) -> ActionLine:
    resolution = row["resolution"] or {}
    return ActionLine(
        reference=row["reference"],
        action=row["action"],
        title=row["title"],
        by_hand=row["by_hand"],
        status=row["status"],
        assignee=row["assignee"],
        owner=row["owner"],
        queue=row["queue"],
        due_at=row["due_at"],
        launched=row["created_at"],
        method=resolution.get("method"),
        ended_by=resolution.get("by"),
        ended_at=resolution.get("at"),
    )
