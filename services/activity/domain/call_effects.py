"""Effects of the rows of Actions that call an external system (A23)."""

from collections.abc import Iterable

from services.activity.domain.call_events import CallAnswered, Called
from services.activity.domain.call_steps import AnswerCall
from services.activity.domain.calls import Call
from services.activity.domain.case_effects import unable
from services.activity.domain.context import Occasion
from services.activity.domain.events import Event, NoteAdded
from services.activity.domain.evolving import task_of
from services.activity.domain.steps import Step
from services.activity.domain.vocabulary import CallOutcome


def call_out(occasion: Occasion[Step]) -> Iterable[Event]:
    """The system is called anew, with all pauses before it again."""
    yield _called(occasion, retry=0)


def call_again(occasion: Occasion[Step]) -> Iterable[Event]:
    """The system is called once more, because it could not be reached."""
    yield _called(occasion, retry=_call(occasion).retry + 1)


def _called(occasion: Occasion[Step], retry: int) -> Called:
    call = _call(occasion)
    return Called(
        stamp=occasion.stamp,
        call=call.name,
        attempt=call.attempt + 1,
        answer_by=occasion.now + call.answer_within,
        retry=retry,
    )


def take_answer(occasion: Occasion[AnswerCall]) -> Iterable[Event]:
    """What became of the try, and when it is tried again; the connector's words are kept as a note."""
    step, pause = occasion.step, _call(occasion).pause
    again = occasion.now + pause if step.outcome is CallOutcome.UNREACHABLE and pause else None
    yield CallAnswered(stamp=occasion.stamp, attempt=step.attempt, outcome=step.outcome, again_at=again)
    if step.detail:
        yield NoteAdded(stamp=occasion.stamp, note=occasion.context.effect)


def resolve_as_unreached(occasion: Occasion[AnswerCall]) -> Iterable[Event]:
    """Resolved for the moment before it is closed, like what somebody gives up (AMB-3)."""
    yield unable(occasion, occasion.context.effect if occasion.step.detail else None)


def _call(occasion: Occasion[Step]) -> Call:
    """The call of an Action that has one. Raises `ValueError` for any other."""
    call = task_of(occasion.activity).call
    if call is None:
        raise ValueError(f"{occasion.activity.reference} calls no external system")
    return call
