"""Guards, checks and choices of the transition table: small questions with a name."""

from collections.abc import Callable, Iterable

from services.activity.domain.contacts import Tagged, holder_of
from services.activity.domain.context import Occasion, ProcessRules, Situation
from services.activity.domain.custom_fields import FieldValue, empty
from services.activity.domain.refusals import Lack, Missing, MissingField
from services.activity.domain.states import State
from services.activity.domain.steps import (
    CreatedByIntegration,
    Edit,
    MailArrived,
    Opening,
    PickUp,
    Resolve,
    Resume,
    ResumeTo,
    Step,
    WaitForMoreInformation,
    WaitUntil,
)
from services.activity.domain.vocabulary import Method, Tag

CHOSEN_BY_USERS = (Method.WITH_CUSTOMER_RESPONSE, Method.NO_CUSTOMER_RESPONSE, Method.REJECTED)
"""The methods that lead through the feedback window (ST-18, T18)."""

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
    """While somebody works on it, others do only what is purely additive (ST-22, ST-23)."""
    person = situation.activity.holders.person
    others = situation.state is State.IN_PROGRESS and person not in (None, situation.actor.id)
    if others and situation.actor.is_resource:
        yield Missing.ASSIGNMENT


def taken_by_a_resource(situation: Situation) -> Iterable[Missing]:
    """Work is taken by users and robots (ST-3)."""
    if not situation.actor.is_resource:
        yield Missing.RESOURCE


def resolution_written(situation: Situation) -> Iterable[Missing]:
    """With the guard on, a mail or note of the actor's own session says how it was resolved (T18, AMB-43)."""
    if situation.process.resolution_guard and not situation.activity.written_by(situation.actor):
        yield Missing.RESOLUTION


# Checks: what does the step itself lack?


def validated(occasion: Occasion[CreatedByIntegration]) -> Iterable[Lack]:
    """What is submitted at once has all that T5 wants (T3, AMB-29)."""
    step = occasion.step
    contacts = frozenset(step.tags)
    return _lacks(step.title, step.description, step.category, contacts, step.fields, occasion.process)


def known_category(occasion: Occasion[Edit | Opening]) -> Iterable[Missing]:
    """A category is one of the process's own (T37)."""
    category = occasion.step.category
    if category is not None and category not in occasion.process.categories:
        yield Missing.KNOWN_CATEGORY


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


def chosen_by_users(occasion: Occasion[Resolve]) -> Iterable[Missing]:
    """Other methods are the system's, or have a step of their own (ST-18)."""
    if occasion.step.method not in CHOSEN_BY_USERS:
        yield Missing.USER_METHOD


# Choices among rows of the same state and step


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
    if process.contacts_mandatory:
        if not holder_of(contacts, Tag.PRIMARY_CONTACT):
            yield Missing.PRIMARY_CONTACT
        if not holder_of(contacts, Tag.REQUESTER):
            yield Missing.REQUESTER
    for rule in empty(process.fields, fields):
        yield MissingField(rule.name, rule.title)
