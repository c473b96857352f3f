"""Guards, checks and choices of the tables of Cases and Actions."""

from collections.abc import Iterable

from services.activity.domain.action_steps import (
    AnswerChecklist,
    CloseBecause,
    CloseWithCase,
    GiveUp,
    SendItself,
)
from services.activity.domain.case_steps import EndAction, LaunchByHand, Rework, WaitForAnswer
from services.activity.domain.contacts import Tagged
from services.activity.domain.context import Occasion, ProcessRules, Situation
from services.activity.domain.evolving import course_of, task_of
from services.activity.domain.flow import ActionKind
from services.activity.domain.mandatory import lacks_on_form
from services.activity.domain.refusals import Lack, Missing, MissingAnswer, StillOpen
from services.activity.domain.steps import Assign, MailReported, Opening, Step, Submit
from services.activity.domain.vocabulary import ActorKind, Outcome
from shared.field_values import FieldValue

# Guards and checks of Cases


def described(situation: Situation) -> Iterable[Lack]:
    """What a Case has to have before it is handed in: its short description, which is its title (C3, CA-2).

    Contacts only where the process says "Make Contacts Mandatory".
    """
    activity = situation.activity
    return _lacks(activity.title, activity.contacts, activity.fields, situation.process)


def created_whole(occasion: Occasion[Opening]) -> Iterable[Lack]:
    """The same of what is submitted at once (C2, AMB-29)."""
    step = occasion.step
    return _lacks(step.title, frozenset(step.tags), step.fields, occasion.process)


def _lacks(
    title: str, contacts: frozenset[Tagged], fields: tuple[FieldValue, ...], process: ProcessRules
) -> Iterable[Lack]:
    if not title.strip():
        yield Missing.TITLE
    yield from lacks_on_form(contacts, fields, process)


def with_a_flow(occasion: Occasion[Opening]) -> Iterable[Missing]:
    """A Case runs through the steps of its process."""
    if occasion.step.flow is None or not occasion.step.flow.steps:
        yield Missing.STEPS


def kept_by_a_person(occasion: Occasion[Submit]) -> Iterable[Missing]:
    """A robot may hand a Case in, but not keep it (ST-24)."""
    if occasion.step.keep_with_me and occasion.actor.kind is ActorKind.ROBOT:
        yield Missing.PERSON


def reason_given(occasion: Occasion[WaitForAnswer]) -> Iterable[Missing]:
    """A Case says which of the process's reasons it waits for (C11, AMB-47)."""
    if occasion.step.reason is None:
        yield Missing.WAIT_REASON


def nothing_running(situation: Situation) -> Iterable[Lack]:
    """A Case is resolved once its Actions and Sub-Cases are closed (AMB-46, CA-4)."""
    course = course_of(situation.activity)
    for reference in (
        *(each.action.reference for each in course.running),
        *(each.case.reference for each in course.sub_cases),
    ):
        yield StillOpen(reference)


def launched_by_hand(occasion: Occasion[LaunchByHand]) -> Iterable[Missing]:
    """Only types that the process lets people launch (CA-6)."""
    flow = occasion.activity.flow
    types = [flow.action(each.type) for each in occasion.step.launched] if flow else []
    if not types or not all(each and each.launched_by_hand for each in types):
        yield Missing.ACTION_BY_HAND


def from_where_it_was(occasion: Occasion[Rework]) -> Iterable[Missing]:
    """A rework begins at a step that was entered, or at an Action that the step has (C17).

    What was done behind that in an earlier pass cannot be chosen: it has to be come to again.
    """
    step, activity = occasion.step, occasion.activity
    flow_step = activity.flow.step(step.step) if activity.flow else None
    if flow_step is None or step.step > course_of(activity).step:
        yield Missing.EARLIER_STEP
    elif step.action is not None and step.action not in {each.action for each in flow_step.actions}:
        yield Missing.ACTION_OF_STEP


# Guards and checks of Actions


def checked(situation: Situation) -> Iterable[Lack]:
    """Every point of the checklist is answered (A10)."""
    for point in task_of(situation.activity).unanswered:
        yield MissingAnswer(point)


def points_of_it(occasion: Occasion[AnswerChecklist]) -> Iterable[Missing]:
    """Only points that the checklist has are answered."""
    points = task_of(occasion.activity).checklist
    if not occasion.step.answers or any(point not in points for point, _ in occasion.step.answers):
        yield Missing.KNOWN_POINT


def why(occasion: Occasion[GiveUp]) -> Iterable[Missing]:
    """Who cannot do it says why (A11)."""
    if not occasion.step.reason:
        yield Missing.REASON


def not_ones_own(situation: Situation) -> Iterable[Missing]:
    """Nobody reviews his own work (A24)."""
    if task_of(situation.activity).done_by == situation.actor.id:
        yield Missing.ANOTHER_PERSON


def not_for_who_did_it(occasion: Occasion[Assign]) -> Iterable[Missing]:
    """Nor is it given to him to look at."""
    done_by = task_of(occasion.activity).done_by
    if done_by is not None and occasion.step.assignee == done_by:
        yield Missing.ANOTHER_PERSON


# Choices among rows of the same state and step


def failed(occasion: Occasion[EndAction]) -> bool:
    """The Action could not be done (C6)."""
    return occasion.step.failed


def needing_attention(occasion: Occasion[Step]) -> bool:
    """The Case needs its owner's attention (C7 to C10)."""
    return course_of(occasion.activity).attention


def reworked(occasion: Occasion[CloseWithCase]) -> bool:
    """Its Case is done again (A12)."""
    return occasion.step.because is CloseBecause.REWORKED


def can_write(occasion: Occasion[SendItself]) -> bool:
    """There is somebody to write to, and somewhere to write from (A20)."""
    return bool(occasion.step.to)


def can_write_and_waits(occasion: Occasion[SendItself]) -> bool:
    """The same of one that waits for the answer (A21)."""
    return can_write(occasion) and task_of(occasion.activity).kind is ActionKind.SEND_EMAIL_AND_WAIT


def own_mail_left(occasion: Occasion[MailReported]) -> bool:
    """The mail that it wrote by itself has left, which is all that it was for (A20)."""
    task, step = task_of(occasion.activity), occasion.step
    sent = step.outcome is Outcome.SENT and task.mail == step.mail
    return sent and task.kind is ActionKind.SEND_EMAIL


def own_mail_lost(occasion: Occasion[MailReported]) -> bool:
    """The mail that it wrote by itself could not be sent (A20)."""
    lost = occasion.step.outcome in (Outcome.FAILED, Outcome.REFUSED)
    return lost and task_of(occasion.activity).mail == occasion.step.mail


def to_be_reviewed(occasion: Occasion[Step]) -> bool:
    """Somebody else has to look at it before it counts (A24)."""
    return task_of(occasion.activity).to_be_reviewed
