"""What Cases do to what runs under them, and it to them: each a step in the same transaction (design §3)."""

from services.activity.domain.action_steps import CloseBecause, CloseWithCase
from services.activity.domain.activity import Activity
from services.activity.domain.call_steps import AnswerCall, TakeFields
from services.activity.domain.case_steps import AnswerAction, EndAction
from services.activity.domain.course import Course, Entering, Finished, Holds, Stuck, next_of
from services.activity.domain.links import Other
from services.activity.domain.states import State, Status
from services.activity.domain.steps import MailArrived, Step
from services.activity.domain.sub_case_steps import EndSubCase
from services.activity.domain.vocabulary import Method
from shared.field_values import FieldValue

RUNS = (State.TO_DO, State.IN_PROGRESS)
"""While a Case waits, nothing new is launched in it (CA-3)."""


def word_to_case(step: Step, before: Activity | None, action: Activity) -> Step | None:
    """What its Case has to be told of what a step made of an Action; None for nothing."""
    if before is None or before.status is action.status or isinstance(step, CloseWithCase):
        return None
    if action.status is Status.CLOSED:
        return end_of(action)
    return AnswerAction() if isinstance(step, MailArrived) else None


def fields_for_case(step: Step) -> TakeFields | None:
    """What an external system's answer brings for the custom fields, which are the Case's (A23, LK-1)."""
    return TakeFields(fields=step.fields) if isinstance(step, AnswerCall) and step.fields else None


def end_of(action: Activity) -> EndAction:
    """What its Case is told of a closed Action: who did it, and whether it could be done."""
    done_by = action.task.done_by if action.task else None
    if done_by is None and action.resolution and action.resolution.by.is_resource:
        done_by = action.resolution.by.id
    failed = action.resolution is not None and action.resolution.method is Method.UNABLE_TO_COMPLETE
    return EndAction(Other(action.id, action.reference), done_by, failed)


def word_to_parent(step: Step, before: Activity | None, case: Activity) -> EndSubCase | None:
    """What the Case above it has to be told of what a step made of a Sub-Case (CA-4); None for nothing."""
    ends = before is not None and before.status is not Status.CLOSED and case.status is Status.CLOSED
    if not (ends and case.is_sub_case) or isinstance(step, CloseWithCase):
        return None
    return end_of_sub_case(case)


def end_of_sub_case(case: Activity) -> EndSubCase:
    """What is told of a closed Sub-Case: whether it was brought to its end."""
    cancelled = case.resolution is not None and case.resolution.method is Method.CANCELLED
    return EndSubCase(Other(case.id, case.reference), cancelled)


def words_below(step: Step, before: Activity, case: Activity) -> tuple[tuple[Other, Step], ...]:
    """What a step of their Case ended under it, and what each is told (A12, A13, AMB-51)."""
    if isinstance(step, EndAction | EndSubCase) or before.course is None or case.course is None:
        return ()
    because = CloseBecause.CANCELLED if case.status is Status.CLOSED else CloseBecause.REWORKED
    if isinstance(step, CloseWithCase):
        because = step.because
    kept = {each.activity for each in running_in(case.course)}
    return tuple(
        (each, CloseWithCase(because)) for each in running_in(before.course) if each.activity not in kept
    )


def running_in(course: Course) -> tuple[Other, ...]:
    """The Actions and Sub-Cases that a Case waits for."""
    return (*(each.action for each in course.running), *(each.case for each in course.sub_cases))


def next_in(
    case: Activity, fields: tuple[FieldValue, ...], holds: Holds
) -> Entering | Finished | Stuck | None:
    """What comes next in a Case that has these fields, if it runs.

    It is not over while there is information nobody has read.
    """
    if case.state not in RUNS or case.flow is None or case.course is None:
        return None
    found = next_of(case.flow, case.course, fields, holds)
    return None if isinstance(found, Finished) and case.new_information else found
