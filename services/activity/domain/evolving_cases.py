"""How far a Case has come, and an Action with what it is to do, after an event of theirs."""

from typing import TypeAlias, assert_never

from msgspec.structs import replace

from services.activity.domain.approval_events import ApprovalAsked, ApprovalGiven
from services.activity.domain.approvals import Round, Verdict
from services.activity.domain.call_events import CallAnswered, Called
from services.activity.domain.course import Course, Restart
from services.activity.domain.events import (
    ActionEnded,
    ActionLaunched,
    AttentionMarked,
    ChecklistAnswered,
    MailRequested,
    Reworked,
    StepEntered,
    SubCaseEnded,
    SubCaseStarted,
)
from services.activity.domain.task import Task

OfCourse: TypeAlias = (
    StepEntered | ActionLaunched | ActionEnded | AttentionMarked | Reworked | SubCaseStarted | SubCaseEnded
)
OfTask: TypeAlias = ChecklistAnswered | Called | CallAnswered | MailRequested | ApprovalAsked | ApprovalGiven


def course_after(course: Course, event: OfCourse) -> Course:
    """The course of a Case after an event of it."""
    match event:
        case StepEntered(step=step):
            return replace(course, step=step, restart=None)
        case ActionLaunched(launched=launched):
            return course.with_launched(launched)
        case ActionEnded(action=action, person=person):
            return course.without(action, person)
        case AttentionMarked(needed=needed, because=because):
            return replace(course, attention=needed, because=because)
        case Reworked(step=step, action=only, keeper=keeper, ended=ended):
            gone = {each.activity for each in ended}
            running = tuple(each for each in course.running if each.action.activity not in gone)
            restart = Restart(only, keeper) if only or keeper else None
            course = course.without_sub_cases(gone)
            return replace(course, step=step - 1, running=running, restart=restart, over=False)
        case SubCaseStarted(started=started):
            return course.with_sub_case(started)
        case SubCaseEnded(sub_case=ended_case):
            return course.without_sub_cases({ended_case.activity})
    assert_never(event)


def task_after(task: Task, event: OfTask) -> Task:
    """What an Action is to do after an event of it. Raises `ValueError` for one that it cannot have."""
    match event:
        case ChecklistAnswered(answers=answers):
            known = {each.point: each for each in (*task.answers, *answers)}
            return replace(task, answers=tuple(known[point] for point in task.checklist if point in known))
        case Called() | CallAnswered():
            return _called(task, event)
        case MailRequested() | ApprovalAsked() | ApprovalGiven():
            return replace(task, round=_asked(task.round, event))
    assert_never(event)


def _called(task: Task, event: Called | CallAnswered) -> Task:
    if task.call is None:
        raise ValueError(f"an Action of type {task.type} calls no external system")
    match event:
        case Called(attempt=attempt, retry=retry, answer_by=until):
            call = replace(task.call, attempt=attempt, retry=retry, until=until, pauses=False)
        case CallAnswered(again_at=again):
            call = replace(task.call, until=again, pauses=again is not None)
    return replace(task, call=call)


def _asked(last: Round | None, event: MailRequested | ApprovalAsked | ApprovalGiven) -> Round:
    if isinstance(event, ApprovalAsked):
        kept = last.verdicts if last and last.number == event.round else ()
        return Round(event.round, event.level, event.approvers, verdicts=kept)
    if last is None:
        raise ValueError("an approval that has asked nobody has no answer")
    if isinstance(event, MailRequested):
        return replace(last, mails=(*last.mails, event.mail))
    said = Verdict(event.level, event.stamp.by.id, event.approved, event.stamp.at)
    return replace(last, verdicts=(*last.verdicts, said))
