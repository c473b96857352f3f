"""Guards, checks and choices of the tables of Cases and Actions."""

from collections.abc import Iterable

from services.activity.domain.action_steps import AnswerChecklist, CloseBecause, CloseWithCase, GiveUp
from services.activity.domain.case_steps import EndAction, LaunchByHand, Rework, WaitForAnswer
from services.activity.domain.contacts import holder_of
from services.activity.domain.context import Occasion, Situation
from services.activity.domain.custom_fields import empty
from services.activity.domain.evolving import course_of, task_of
from services.activity.domain.refusals import Lack, Missing, MissingAnswer, MissingField, OpenAction
from services.activity.domain.steps import Assign, Opening, Step, Submit
from services.activity.domain.vocabulary import ActorKind, Tag

# Guards and checks of Cases


def described(situation: Situation) -> Iterable[Lack]:
    """What a Case has to have before it is handed in: its short description, which is its title (C3, CA-2).

    Contacts only where the process says "Make Contacts Mandatory".
    """
    activity = situation.activity
    if not activity.title.strip():
        yield Missing.TITLE
    if situation.process.contacts_mandatory:
        if not holder_of(activity.contacts, Tag.PRIMARY_CONTACT):
            yield Missing.PRIMARY_CONTACT
        if not holder_of(activity.contacts, Tag.REQUESTER):
            yield Missing.REQUESTER
    for rule in empty(situation.process.fields, activity.fields):
        yield MissingField(rule.name, rule.title)


def created_whole(occasion: Occasion[Opening]) -> Iterable[Lack]:
    """The same of what is submitted at once (C2, AMB-29)."""
    step, contacts = occasion.step, frozenset(occasion.step.tags)
    if not step.title.strip():
        yield Missing.TITLE
    if occasion.process.contacts_mandatory:
        if not holder_of(contacts, Tag.PRIMARY_CONTACT):
            yield Missing.PRIMARY_CONTACT
        if not holder_of(contacts, Tag.REQUESTER):
            yield Missing.REQUESTER
    for rule in empty(occasion.process.fields, step.fields):
        yield MissingField(rule.name, rule.title)


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
    """A Case is resolved once its Actions are closed (AMB-46)."""
    for each in course_of(situation.activity).running:
        yield OpenAction(each.action.reference)


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


def to_be_reviewed(occasion: Occasion[Step]) -> bool:
    """Somebody else has to look at it before it counts (A24)."""
    return task_of(occasion.activity).to_be_reviewed
