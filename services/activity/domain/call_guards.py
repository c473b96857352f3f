"""Choices and checks of the rows of Actions that call an external system (A23)."""

from collections.abc import Iterable

from services.activity.domain.call_steps import AnswerCall
from services.activity.domain.calls import Call
from services.activity.domain.context import Occasion
from services.activity.domain.evolving import task_of
from services.activity.domain.refusals import Missing
from services.activity.domain.steps import Step
from services.activity.domain.vocabulary import ActorKind, CallOutcome

PROGRAMS = (ActorKind.INTEGRATION, ActorKind.ROBOT)
"""Who speaks for an external system."""


def calls(occasion: Occasion[Step]) -> bool:
    """The Action is one that calls an external system."""
    return task_of(occasion.activity).call is not None


def pauses(occasion: Occasion[Step]) -> bool:
    """The system could not be reached, and is called again when the pause is over."""
    call = task_of(occasion.activity).call
    return call is not None and call.pauses


def succeeded(occasion: Occasion[AnswerCall]) -> bool:
    """The system has done what it was asked for."""
    return bool(_awaiting(occasion)) and occasion.step.outcome is CallOutcome.SUCCEEDED


def refused(occasion: Occasion[AnswerCall]) -> bool:
    """The system has not done it, and says so: people have to look."""
    return bool(_awaiting(occasion)) and occasion.step.outcome is CallOutcome.FAILED


def can_try_again(occasion: Occasion[AnswerCall]) -> bool:
    """The system could not be reached, and a try is left."""
    call = _awaiting(occasion)
    return occasion.step.outcome is CallOutcome.UNREACHABLE and bool(call and call.pause)


def never_reached(occasion: Occasion[AnswerCall]) -> bool:
    """The system could not be reached, and that was the last try."""
    call = _awaiting(occasion)
    return occasion.step.outcome is CallOutcome.UNREACHABLE and bool(call and not call.pause)


def _awaiting(occasion: Occasion[AnswerCall]) -> Call | None:
    """The call, where this try is the one whose answer is waited for; any other answer is late."""
    call = task_of(occasion.activity).call
    return call if call and not call.pauses and call.attempt == occasion.step.attempt else None


def by_a_program(occasion: Occasion[AnswerCall]) -> Iterable[Missing]:
    """People complete the Action, or give it up, and say so themselves."""
    if occasion.actor.kind not in PROGRAMS:
        yield Missing.PROGRAM
