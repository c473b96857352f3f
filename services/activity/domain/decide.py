"""The one door to the rules: a step meets an activity and makes events, or is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, reduce
from typing import Any

from msgspec.structs import replace

from services.activity.domain import due_dates, timers
from services.activity.domain.actions import ACTION
from services.activity.domain.activity import Activity, Wait
from services.activity.domain.cases import CASE
from services.activity.domain.context import Context, Occasion, Situation
from services.activity.domain.due_dates import Due
from services.activity.domain.events import Event, HoldersChanged, StatusChanged
from services.activity.domain.evolving import evolve
from services.activity.domain.family_steps import PartsClosed
from services.activity.domain.holders import Standing, settle
from services.activity.domain.refusals import Refusal, lacking, no_such_row, out_of_date
from services.activity.domain.states import State
from services.activity.domain.step_list import OFFERED, STEPS
from services.activity.domain.steps import Opening, Resolving, Step, TimerDue
from services.activity.domain.tickets import TICKET
from services.activity.domain.transitions import Transition
from services.activity.domain.vocabulary import REASON_BY_ACTOR, Method
from shared.references import ReferenceKind

TABLES: Mapping[ReferenceKind, Sequence[Transition[Any]]] = {
    ReferenceKind.TICKET: TICKET,
    ReferenceKind.CASE: CASE,
    ReferenceKind.ACTION: ACTION,
}
"""One table per kind of activity."""

_ROWS: Mapping[tuple[ReferenceKind, State, type[Step]], Sequence[Transition[Any]]] = {
    (kind, state, step): tuple(row for row in table if row.starts(state, step))
    for kind, table in TABLES.items()
    for state in State
    for step in STEPS
}


def decide(
    activity: Activity | None, step: Step, context: Context, now: datetime
) -> tuple[Event, ...] | Refusal:
    """What `step` does to `activity`, which is None while it does not exist: its events, or why not.

    No events and no refusal means that nothing is left to do: a timer of an earlier wait (AMB-44), a change
    to what is there already.
    """
    expected = context.expected_version
    if activity and expected is not None and not activity.still_as_in(expected):
        return out_of_date(activity, step, expected)
    if isinstance(step, TimerDue) and not timers.is_due(activity, step, now):
        return ()
    occasion: Occasion[Any] = Occasion(present=activity, context=context, now=now, step=step)
    rows = _rows(activity, occasion.state, step)
    row = next((row for row in rows if row.when(occasion)), None)
    if row is None:
        return no_such_row(activity, occasion.state, step)
    occasion = replace(occasion, rule=row.id, to=row.to)
    missing = [
        *(lack for guard in row.guards for lack in guard(occasion)),
        *(lack for check in row.checks for lack in check(occasion)),
    ]
    if missing:
        return lacking(activity, occasion.state, step, missing)
    return _carry_out(row, replace(occasion, person=row.person(occasion)))


@dataclass(frozen=True, slots=True)
class Offer:
    """Whether a step can be taken now, and if not, why. What the step itself has to say is not judged."""

    step: str
    refusal: Refusal | None

    @property
    def allowed(self) -> bool:
        return self.refusal is None


def allowed(activity: Activity, context: Context, now: datetime) -> tuple[Offer, ...]:
    """Every step that a person can take on an existing activity, with what stands in its way."""
    situation = Situation(present=activity, context=context, now=now)
    offered = offered_to(activity.reference.kind)
    return tuple(Offer(step.name, _hindrance(situation, step)) for step in offered)


@cache
def offered_to(kind: ReferenceKind) -> tuple[type[Step], ...]:
    """The steps that people are offered on an activity of this kind: those that its table knows."""
    known = {row.step for row in TABLES[kind]}
    return tuple(step for step in OFFERED if step in known)


def _hindrance(situation: Situation, step: type[Step]) -> Refusal | None:
    activity, state = situation.present, situation.state
    rows = _rows(activity, state, step)
    if not rows:
        return no_such_row(activity, state, step)
    lacks = [[lack for guard in row.guards for lack in guard(situation)] for row in rows]
    fewest = min(lacks, key=len)
    return lacking(activity, state, step, fewest) if fewest else None


def _rows(activity: Activity | None, state: State, step: Step | type[Step]) -> Sequence[Transition[Any]]:
    """The rows for a state and step, in the order of their table."""
    wanted = step if isinstance(step, type) else type(step)
    if activity:
        kind = activity.reference.kind
    elif isinstance(step, Opening):
        kind = step.reference.kind
    else:
        return ()
    return _ROWS.get((kind, state, wanted), ())


def _carry_out(row: Transition[Any], occasion: Occasion[Any]) -> tuple[Event, ...]:
    """The row's effects, each seeing what those before it did; then status, wait, timer and holders."""
    events: list[Event] = []
    for effect in row.effects:
        made = tuple(effect(occasion))
        if made:
            events += made
            occasion = replace(occasion, present=reduce(evolve, made, occasion.present))
    last = _settled(row, occasion)
    return (*events, last) if last else tuple(events)


def _settled(row: Transition[Any], occasion: Occasion[Any]) -> StatusChanged | HoldersChanged | None:
    """What the row makes of status, wait, timer and holders together (ST-16, ST-19)."""
    activity, process, now = occasion.activity, occasion.process, occasion.now
    to = row.to or activity.state
    wait = timers.wait_of(occasion.step, now, to, activity.task) if row.to else activity.wait
    attention = bool(activity.course and activity.course.attention) and to is not State.CLOSED
    standing = Standing(to, activity.new_information, activity.reference.kind, attention)
    holders = settle(standing, occasion.person, process.queue)
    if (to, wait) == (activity.state, activity.wait):
        moved = holders != activity.holders
        return HoldersChanged(stamp=occasion.stamp, holders=holders) if moved else None
    generation, timer = timers.next_timer(activity, to, wait, process, now)
    method = occasion.step.method if isinstance(occasion.step, Resolving) else row.method
    return StatusChanged(
        stamp=occasion.stamp,
        was=activity.status,
        status=to.status,
        reason=row.reason or REASON_BY_ACTOR[occasion.actor.kind],
        holders=holders,
        generation=generation,
        wait=wait,
        timer=timer,
        method=method,
        written=activity.written_by(occasion.actor) if method else None,
        due=_due_after(occasion, to, wait, method),
        resolved_at=occasion.step.resolved_at if isinstance(occasion.step, PartsClosed) else None,
    )


def _due_after(occasion: Occasion[Any], to: State, wait: Wait | None, method: Method | None) -> Due | None:
    """The due date in this state; None where there is none, and was none."""
    activity, due = occasion.activity, occasion.activity.due
    rule = occasion.process.due_rule(activity.category)
    if due.since is None and to is not State.DRAFT:
        due = due_dates.started(due, rule, occasion.now)
    if method is not Method.MERGED:  # SL-6
        waits_for = wait.type if wait else None
        due = due_dates.in_wait(due, rule, activity.reference.kind, waits_for, occasion.now)
    return due if due.at or due != activity.due else None
