"""A timer is due: the rules say what comes of it, a stale one is dropped (AMB-44)."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from services.activity.domain.steps import TimerDue
from services.activity.needs import Needs
from services.activity.taking_steps import step_of, take
from services.activity.workspace import Workspace
from shared import metrics
from shared.contracts.envelope import Envelope
from shared.contracts.record import Record
from shared.unit_of_work import Incoming

SOURCE = "/mailroom/activity/timers"


class TimerFired(Record):
    """A timer whose time has come. It never travels: the cause of a step that nobody asked for."""

    type: Literal["timer.fired"] = "timer.fired"
    activity: UUID
    generation: int
    closes: bool


def fired(
    organisation: str, activity: UUID, generation: int, due_at: datetime, *, closes: bool
) -> Incoming[TimerFired]:
    """The record of a due timer; whoever finds it makes the same one."""
    envelope = Envelope(
        id=f"{activity}/{generation}",
        source=SOURCE,
        type="timer.fired",
        time=due_at,
        organisation=organisation,
    )
    return Incoming(envelope, TimerFired(activity=activity, generation=generation, closes=closes))


def gather(incoming: Incoming[TimerFired], needs: Needs) -> None:
    """The activity, and where the timer closes it, the mail that word of its end would answer."""
    key = (incoming.envelope.organisation, incoming.message.activity)
    needs.activities.add(key)
    if incoming.message.closes:
        needs.threads.add(key)


def perform(workspace: Workspace, incoming: Incoming[TimerFired]) -> None:
    """What the timer was armed for."""
    cause, timer = incoming.envelope, incoming.message
    activity = workspace.activities.get((cause.organisation, timer.activity))
    if activity is not None:
        left = take(workspace, cause, activity, step_of(activity, TimerDue(timer.generation), cause))
        if left is not activity:
            workspace.counts.append(metrics.TIMERS_FIRED)
