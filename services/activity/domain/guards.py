"""Guards, checks and choices of the transition table: small questions with a name."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from services.activity.domain.contacts import Tagged
from services.activity.domain.context import Occasion, ProcessRules, Situation
from services.activity.domain.mandatory import lacks_on_form
from services.activity.domain.refusals import Lack, Missing
from services.activity.domain.states import State
from services.activity.domain.steps import (
    Assign,
    CreatedByIntegration,
    Edit,
    MailArrived,
    MailReported,
    MailRouted,
    Opening,
    PickUp,
    Resolving,
    Resume,
    ResumeTo,
    SendMail,
    Step,
    WaitForMoreInformation,
    WaitUntil,
)
from services.activity.domain.vocabulary import ActorKind, Method, Outcome
from services.activity.domain.work_steps import GiveFeedback, SetDueDate, TakeNext
from shared.field_values import FieldValue

CHOSEN_BY_USERS = (Method.WITH_CUSTOMER_RESPONSE, Method.NO_CUSTOMER_RESPONSE, Method.REJECTED)
"""The methods that lead through the feedback window (ST-18, T18)."""

FARTHEST_DUE = timedelta(days=3653)
"""Ten years: working time is counted day by day, and calendars have an end."""
HANDED_AGAIN_AT_MOST = 3
"""How often a robot is given again what it has (ST-24)."""

Recategorising = Edit | Opening | WaitForMoreInformation | WaitUntil | Resolving
"""The steps that may change the category."""

# Guards: what does the activity, its process or its actor lack?


def startable(situation: Situation) -> Iterable[Missing]:
    """A process starts work only while it is live and configured to be startable (GL-5, T1)."""
    if not situation.process.startable:
        yield Missing.STARTABLE_PROCESS


def complete(situation: Situation) -> Iterable[Lack]:
    """What T5 wants before a Draft is handed in."""
    activity = situation.activity
    return _lacks(
        activity.title,
        activity.description,
        activity.category,
        activity.contacts,
        activity.fields,
        situation.process,
    )


def held_by_nobody_else(situation: Situation) -> Iterable[Missing]:
    """While somebody works on it, others do only what is purely additive (ST-22, ST-23).

    So does a robot with what is marked for a person (ST-8).
    """
    person = situation.activity.holders.person
    others = situation.state is State.IN_PROGRESS and person not in (None, situation.actor.id)
    if others and situation.actor.is_resource:
        yield Missing.ASSIGNMENT
    yield from by_a_person_if_marked(situation)


def by_a_person_if_marked(situation: Situation) -> Iterable[Missing]:
    """What is marked for a person is no robot's work (ST-8, ST-24)."""
    if situation.activity.for_person and situation.actor.kind is ActorKind.ROBOT:
        yield Missing.PERSON


def taken_by_a_resource(situation: Situation) -> Iterable[Missing]:
    """Work is taken by users and robots (ST-3), and by robots only what is not marked for a person."""
    if not situation.actor.is_resource:
        yield Missing.RESOURCE
    yield from by_a_person_if_marked(situation)


def free_to_take(situation: Situation) -> Iterable[Missing]:
    """What is given out as the next work is nobody else's."""
    if situation.activity.holders.person not in (None, situation.actor.id):
        yield Missing.ASSIGNMENT


def had_by_the_actor(situation: Situation) -> Iterable[Missing]:
    """Only who has it can say that it stays with him (ST-20)."""
    if situation.activity.holders.person != situation.actor.id or situation.actor.kind is not ActorKind.USER:
        yield Missing.ASSIGNMENT


def worked_on_by_this_robot(situation: Situation) -> Iterable[Missing]:
    """A robot rejects, or is given again, what it is working on (T10, ST-24)."""
    if situation.actor.kind is not ActorKind.ROBOT:
        yield Missing.ROBOT
    elif situation.activity.holders.assignee != situation.actor.id:
        yield Missing.WORK_OF_HIS


def resolution_written(situation: Situation) -> Iterable[Missing]:
    """With the guard on, a mail or note of the actor's own session says how it was resolved (T18, AMB-43)."""
    if situation.process.resolution_guard and not situation.activity.written_by(situation.actor):
        yield Missing.RESOLUTION


def due_date_can_be_set(situation: Situation) -> Iterable[Missing]:
    """The rule lets people set the due date (SL-1); what was set before it stopped to can be taken away."""
    activity = situation.activity
    if activity.due.by_hand is None:
        yield from _forbidden(situation.process, activity.category)


# Checks: what does the step itself lack?


def validated(occasion: Occasion[CreatedByIntegration]) -> Iterable[Lack]:
    """What is submitted at once has all that T5 wants (T3, AMB-29)."""
    step = occasion.step
    contacts = frozenset(step.tags)
    return _lacks(step.title, step.description, step.category, contacts, step.fields, occasion.process)


def known_category(occasion: Occasion[Recategorising]) -> Iterable[Missing]:
    """A category is one of the process's own (T37)."""
    category = occasion.step.category
    if category is not None and category not in occasion.process.categories:
        yield Missing.KNOWN_CATEGORY


def known_wait_reason(occasion: Occasion[WaitForMoreInformation | WaitUntil]) -> Iterable[Missing]:
    """A wait reason is one of the process's own."""
    reason = occasion.step.reason
    if reason is not None and reason not in occasion.process.wait_reasons:
        yield Missing.KNOWN_WAIT_REASON


def for_whom_it_is(occasion: Occasion[Assign]) -> Iterable[Missing]:
    """What is marked for a person is assigned to none but one (ST-8)."""
    if occasion.activity.for_person and occasion.step.assignee in occasion.process.robots:
        yield Missing.PERSON


def rated(occasion: Occasion[GiveFeedback]) -> Iterable[Missing]:
    """Ratings go from 1 to 5 (FB-2)."""
    if not 1 <= occasion.step.rating <= 5:
        yield Missing.RATING


def take_over_confirmed(occasion: Occasion[PickUp]) -> Iterable[Missing]:
    """Who takes work from somebody else says that he means it (ST-23)."""
    return () if occasion.step.take_over else held_by_nobody_else(occasion)


def days_given(occasion: Occasion[WaitForMoreInformation]) -> Iterable[Missing]:
    """Waiting for more information has an end (T11)."""
    if occasion.step.days < 1:
        yield Missing.DAYS


def in_the_future(occasion: Occasion[WaitUntil]) -> Iterable[Missing]:
    """A follow-up lies in the future (T12)."""
    if occasion.step.until <= occasion.now:
        yield Missing.FUTURE_TIME


def due_date_given(occasion: Occasion[SetDueDate]) -> Iterable[Missing]:
    """What is set by hand may be set, and lies in the future (SL-1)."""
    if occasion.step.at is not None:
        if occasion.activity.due.by_hand is not None:
            yield from _forbidden(occasion.process, occasion.activity.category)
        yield from _passed(occasion.step.at, occasion)


def opened_with_due_date(occasion: Occasion[Opening]) -> Iterable[Missing]:
    """The same for a due date that it is opened with."""
    step = occasion.step
    if step.due is not None:
        yield from _forbidden(occasion.process, step.category)
        yield from _passed(step.due, occasion)


def chosen_by_users(occasion: Occasion[Resolving]) -> Iterable[Missing]:
    """Other methods are the system's, or have a step of their own (ST-18)."""
    if occasion.step.method not in CHOSEN_BY_USERS:
        yield Missing.USER_METHOD


# Choices among rows of the same state and step


def rejected_sender(occasion: Occasion[MailRouted]) -> bool:
    """The sender's mail is rejected as spam at once (BL-1)."""
    return occasion.step.rejected


def nothing_written(occasion: Occasion[SendMail]) -> bool:
    """Title and description are both still empty (T4)."""
    return not (occasion.activity.title or occasion.activity.description)


def resolution_lost(occasion: Occasion[MailReported]) -> bool:
    """notify has given up the very mail that is marked as the resolution (T20)."""
    resolution = occasion.activity.resolution
    lost = occasion.step.outcome in (Outcome.FAILED, Outcome.REFUSED)
    return lost and resolution is not None and resolution.written == occasion.step.mail


def handed_too_often(occasion: Occasion[TakeNext]) -> bool:
    """The robot was given it again three times, and asks for other work still (ST-24)."""
    return occasion.activity.handed_again >= HANDED_AGAIN_AT_MOST


def by_a_resource(occasion: Occasion[Step]) -> bool:
    """The first update by a user or robot is a pick-up; an integration's is not (ST-5)."""
    return occasion.actor.is_resource


def feedback_window(occasion: Occasion[Step]) -> bool:
    """The process has a feedback window (ST-14, T18)."""
    return bool(occasion.process.feedback_window)


def no_feedback_window(occasion: Occasion[Step]) -> bool:
    """It has none: what is resolved is closed (T19)."""
    return not feedback_window(occasion)


def closes_without_response(occasion: Occasion[Step]) -> bool:
    """The wait was begun with "Close if no response received" (T15)."""
    wait = occasion.activity.wait
    return wait is not None and wait.close_if_no_response


def stays_open(occasion: Occasion[Step]) -> bool:
    """The wait was begun without that option (T14)."""
    return not closes_without_response(occasion)


def leaves_asleep(occasion: Occasion[MailArrived]) -> bool:
    """Automatic mail does not end a wait where the organisation says so (AMB-39)."""
    return occasion.step.automatic and not occasion.process.autoreply_wakes


def resumes_to(state: ResumeTo) -> Callable[[Occasion[Resume]], bool]:
    """The wait is left to this status (T17b)."""

    def resumes(occasion: Occasion[Resume]) -> bool:
        return occasion.step.to is state

    resumes.__name__ = f"resumes_to_{state.value}"  # what docs/transitions.md calls it
    return resumes


def _forbidden(process: ProcessRules, category: str | None) -> Iterable[Missing]:
    rule = process.due_rule(category)
    if rule and not rule.allow_override:
        yield Missing.DUE_DATE_BY_HAND


def _passed(due: datetime, situation: Situation) -> Iterable[Missing]:
    if due <= situation.now:
        yield Missing.FUTURE_TIME
    elif due > situation.now + FARTHEST_DUE:
        yield Missing.NEARER_TIME


def _lacks(
    title: str,
    description: str,
    category: str | None,
    contacts: frozenset[Tagged],
    fields: tuple[FieldValue, ...],
    process: ProcessRules,
) -> Iterable[Lack]:
    if not title.strip():
        yield Missing.TITLE
    if not description.strip():
        yield Missing.DESCRIPTION
    if process.categories and not category:
        yield Missing.CATEGORY
    yield from lacks_on_form(contacts, fields, process)
