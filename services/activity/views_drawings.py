"""A process, and a Case on its way through it, as pictures to be drawn."""

from collections.abc import Callable
from datetime import UTC, datetime

from services.activity.domain.activity import Activity
from services.activity.domain.flow import ActionKind, ActionType, ActionUse, Flow
from services.activity.domain.states import ENDED, Status
from services.activity.domain.vocabulary import Method
from services.activity.labels import LAST_RESORT, status_label
from services.activity.pictures import Box, Column, Look, Picture
from services.activity.views_courses import ActionLine, CourseDocument, StepLine, SubCaseLine

Called = Callable[[str], str]
"""What people call a user or queue of this name."""

_LOOK_OF_STEP = {
    "done": Look.DONE,
    "current": Look.RUNS,
    "to_come": Look.PLANNED,
    "passed_over": Look.PASSED_OVER,
}
_LOOK_OF_STATUS = {
    Status.TO_DO.value: Look.LAUNCHED,
    Status.IN_PROGRESS.value: Look.RUNS,
    Status.WAIT.value: Look.WAITS,
}


def process_picture(title: str, flow: Flow, queue: Called) -> Picture:
    """A process before anything has begun in it."""
    return Picture(
        title=title,
        columns=tuple(
            Column(
                title=step.title,
                when=step.when,
                lanes=tuple((_plan(flow, use, queue),) for use in step.actions),
            )
            for step in flow.steps
        ),
        beside=tuple(
            Box(title=each.title, tag=_tag(each), lines=_of_queue(each, queue))
            for each in flow.actions
            if each.launched_by_hand
        ),
        beside_title="People may launch as well",
    )


def course_picture(case: Activity, course: CourseDocument, person: Called, queue: Called) -> Picture:
    """A Case with all that was ever launched in it (C17, CA-5).

    An Action of a step that was not launched when the step was entered was passed over; those of a step that
    is to come are planned, whatever an earlier pass has left there.
    """
    flow = case.flow or Flow(actions=(), steps=())
    return Picture(
        title=f"{course.reference} · {course.title}",
        subtitle=" · ".join(_standing(case, course, person)),
        attention=_attention(course),
        columns=tuple(
            _column(flow, step, uses.actions, person, queue)
            for step, uses in zip(course.steps, flow.steps, strict=True)
        ),
        beside=tuple(_sub_case(each, person) for each in course.sub_cases),
        beside_title="Sub-Cases",
        ended=course.status in ENDED,
        foot="Times are in UTC.",
    )


def _standing(case: Activity, course: CourseDocument, person: Called) -> list[str]:
    said = [status_label(course.status, LAST_RESORT)]
    if case.resolution and case.resolution.method is Method.CANCELLED:
        said.append("abandoned")
    if course.owner:
        said.append(f"owned by {person(course.owner)}")
    return said


def _attention(course: CourseDocument) -> str:
    if not course.attention:
        return ""
    lines = {line.reference: line for step in course.steps for line in step.actions}
    failed = lines.get(course.because or "")
    return f"{failed.title} ({failed.reference}) could not be done" if failed else course.because or "see why"


def _column(flow: Flow, step: StepLine, uses: tuple[ActionUse, ...], person: Called, queue: Called) -> Column:
    lanes = []
    for use in uses:
        lane = [_box(flow, each, person, queue) for each in step.actions if _is_of(use, each)]
        if step.state == "to_come":
            lane.append(_plan(flow, use, queue))
        lanes.append(tuple(lane) or (_plan(flow, use, queue, Look.PASSED_OVER),))
    known = {use.action for use in uses}
    beside = [each for each in step.actions if each.by_hand or each.action not in known]
    return Column(
        title=step.title,
        when=step.when,
        look=_look(step, lanes),
        lanes=(*lanes, *((_box(flow, each, person, queue),) for each in beside)),
    )


def _look(step: StepLine, lanes: list[tuple[Box, ...]]) -> Look:
    """A step in which nothing runs any more is as done as what was last done of each of its Actions."""
    look = _LOOK_OF_STEP[step.state]
    last = {lane[-1].look for lane in lanes}
    return next((bad for bad in (Look.FAILED, Look.UNDONE) if look is Look.DONE and bad in last), look)


def _is_of(use: ActionUse, line: ActionLine) -> bool:
    return line.action == use.action and not line.by_hand


def _plan(flow: Flow, use: ActionUse, queue: Called, look: Look = Look.PLANNED) -> Box:
    type_ = flow.action(use.action)
    return Box(
        title=type_.title if type_ else use.action,
        tag=_tag(type_),
        when=use.when,
        lines=_of_queue(type_, queue) if look is Look.PLANNED else (),
        look=look,
        outcome="" if look is Look.PLANNED else "Passed over",
    )


def _box(flow: Flow, line: ActionLine, person: Called, queue: Called) -> Box:
    look, outcome = _outcome(line)
    return Box(
        title=line.title,
        reference=line.reference,
        tag="launched by hand" if line.by_hand else _tag(flow.action(line.action)),
        lines=_who(line, person, queue),
        look=look,
        outcome=outcome,
    )


def _sub_case(line: SubCaseLine, person: Called) -> Box:
    cancelled = line.method == Method.CANCELLED
    look = Look.DONE if line.status in ENDED else _LOOK_OF_STATUS.get(line.status, Look.LAUNCHED)
    return Box(
        title=line.title or "",
        reference=line.reference,
        tag=line.process,
        lines=(f"owned by {person(line.owner)}",) if line.owner else (),
        look=Look.UNDONE if cancelled else look,
        outcome="Abandoned" if cancelled else status_label(line.status, LAST_RESORT),
    )


def _outcome(line: ActionLine) -> tuple[Look, str]:
    if line.method == Method.UNABLE_TO_COMPLETE:
        return Look.FAILED, "Unable to complete"
    if line.method is not None:
        return Look.DONE, "Complete"
    if line.status == Status.CLOSED:
        return Look.UNDONE, "Ended before it was done"
    return _LOOK_OF_STATUS.get(line.status, Look.LAUNCHED), status_label(line.status, LAST_RESORT)


def _who(line: ActionLine, person: Called, queue: Called) -> tuple[str, ...]:
    if line.ended_by is not None:
        return (f"by {person(line.ended_by.id)}", *((_time(line.ended_at),) if line.ended_at else ()))
    held = line.assignee or line.owner
    due = (f"due {_time(line.due_at)}",) if line.due_at and line.status != Status.CLOSED else ()
    if held:
        return (f"with {person(held)}", *due)
    return (f"in {queue(line.queue)}", *due) if line.queue else due


def _tag(type_: ActionType | None) -> str:
    """What sets it apart from work that somebody does."""
    if type_ is None or type_.kind is ActionKind.MANUAL:
        return ""
    return " ".join((type_.kind.value.replace("_", " "), *((type_.process,) if type_.process else ())))


def _of_queue(type_: ActionType | None, queue: Called) -> tuple[str, ...]:
    return (f"in {queue(type_.queue)}",) if type_ and type_.queue else ()


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
