"""Waits, feedback windows and the timers that end them.

A generation belongs to one wait or window: it changes when one is entered, left or re-dated, and with
nothing else, so that a note or a mail that leaves the wait alone does not disarm it (AMB-44, design §5).
"""

from datetime import datetime, timedelta

from services.activity.domain.action_steps import SendItself
from services.activity.domain.activity import Activity, Timer, Wait
from services.activity.domain.approval_steps import AskApprovers
from services.activity.domain.approvals import Asking
from services.activity.domain.case_steps import Pause, WaitForAnswer
from services.activity.domain.context import ProcessRules
from services.activity.domain.family_steps import Convert, Split
from services.activity.domain.states import State, WaitType
from services.activity.domain.steps import Step, TimerDue, WaitForMoreInformation, WaitUntil
from services.activity.domain.sub_case_steps import AwaitSubCases
from services.activity.domain.task import Task


def wait_of(step: Step, now: datetime, to: State, task: Task | None) -> Wait | None:
    """The wait that a step begins: days are 24 hours each, from now (AMB-7).

    What an Action that calls an external system waits for is said by its call: the answer, or the next try.
    """
    if task and task.call and to is State.WAIT_MORE_INFO:
        reason = step.reason if isinstance(step, WaitForAnswer) else None
        return Wait(WaitType.MORE_INFO, task.call.until, reason=reason)
    match step:
        case WaitForMoreInformation(days=days, close_if_no_response=closes, reason=reason):
            return Wait(WaitType.MORE_INFO, now + timedelta(days=days), days, closes, reason)
        case WaitUntil(until=until, reason=reason):
            return Wait(WaitType.UNTIL, until, reason=reason)
        case WaitForAnswer(reason=reason):
            return Wait(WaitType.MORE_INFO, reason=reason)
        case SendItself() | AwaitSubCases() | AskApprovers(asking=Asking()):
            return Wait(WaitType.MORE_INFO)
        case Pause():
            return Wait(WaitType.PAUSE)
        case Convert():
            return Wait(WaitType.CASE_LAUNCHED)
        case Split():
            return Wait(WaitType.SPLIT)
    return None


def next_timer(
    activity: Activity, to: State, wait: Wait | None, process: ProcessRules, now: datetime
) -> tuple[int, Timer | None]:
    """Generation and timer of an activity that changes to this state and wait at `now`."""
    due_at, closes = _due(to, wait, process, now)
    if due_at is None:
        return activity.generation + (activity.timer is not None), None
    generation = activity.generation + 1
    return generation, Timer(due_at, generation, closes)


def is_due(activity: Activity | None, step: TimerDue, now: datetime) -> bool:
    """Whether this timer is the present one and its time has come; any other is dropped (AMB-44)."""
    timer = activity.timer if activity else None
    return timer is not None and timer.generation == step.generation and timer.due_at <= now


def _due(to: State, wait: Wait | None, process: ProcessRules, now: datetime) -> tuple[datetime | None, bool]:
    if wait:
        return wait.until, wait.close_if_no_response
    if to is State.RESOLVED and process.feedback_window:
        return now + process.feedback_window, True
    return None, False
