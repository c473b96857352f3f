"""Effects of the tables of Cases and Actions."""

from collections.abc import Iterable
from uuid import UUID

from services.activity.domain.action_steps import AnswerChecklist, GiveUp, SendItself
from services.activity.domain.case_steps import EndAction, EnterStep, LaunchByHand, LoseWay, Rework
from services.activity.domain.context import Occasion
from services.activity.domain.events import (
    ActionEnded,
    ActionLaunched,
    AttentionMarked,
    ChecklistAnswered,
    Event,
    MailRequested,
    NoteAdded,
    NotSent,
    ReviewAsked,
    Reworked,
    StatusChanged,
    StepEntered,
)
from services.activity.domain.evolving import course_of, task_of
from services.activity.domain.holders import Standing, settle
from services.activity.domain.states import State, Status
from services.activity.domain.steps import Step
from services.activity.domain.task import Answered
from services.activity.domain.vocabulary import Method, Purpose, Reason


def enter_step(occasion: Occasion[EnterStep]) -> Iterable[Event]:
    """The Case is in its next step, with these Actions (A1)."""
    yield StepEntered(stamp=occasion.stamp, step=occasion.step.number)
    yield from launch(occasion)


def launch(occasion: Occasion[EnterStep | LaunchByHand]) -> Iterable[Event]:
    """The Case knows the Actions that it launched."""
    for launched in occasion.step.launched:
        yield ActionLaunched(stamp=occasion.stamp, launched=launched)


def end_action(occasion: Occasion[EndAction]) -> Iterable[Event]:
    """The Case waits for the Action no more."""
    yield ActionEnded(stamp=occasion.stamp, action=occasion.step.action, person=occasion.step.person)


def ask_for_attention(occasion: Occasion[EndAction]) -> Iterable[Event]:
    """Its owner learns which Action could not be done (C6, CA-5)."""
    because = str(occasion.step.action.reference)
    yield AttentionMarked(stamp=occasion.stamp, needed=True, because=because)


def tell_the_way_lost(occasion: Occasion[LoseWay]) -> Iterable[Event]:
    """Its owner learns why it cannot be said what comes next (C6, CA-5)."""
    yield AttentionMarked(stamp=occasion.stamp, needed=True, because=occasion.step.why)


def attend(occasion: Occasion[Step]) -> Iterable[Event]:
    """Somebody sees to it (AMB-15)."""
    if course_of(occasion.activity).attention:
        yield AttentionMarked(stamp=occasion.stamp, needed=False)


def begin_again(occasion: Occasion[Rework]) -> Iterable[Event]:
    """The Case goes on from an earlier step; what runs did not come to its end (C17)."""
    step, course = occasion.step, course_of(occasion.activity)
    ended = [each.action for each in course.running if step.by_hand_too or not each.by_hand]
    if step.sub_cases_too:
        ended += [each.case for each in course.sub_cases]
    yield Reworked(
        stamp=occasion.stamp,
        step=step.step,
        action=step.action,
        keeper=occasion.actor.id if step.keep_with_me else None,
        ended=tuple(ended),
    )


def answer_checklist(occasion: Occasion[AnswerChecklist]) -> Iterable[Event]:
    """The answers that are new, or other than before (A10)."""
    known = {each.point: each.answer for each in task_of(occasion.activity).answers}
    answers = tuple(
        Answered(point, answer)
        for point, answer in dict(occasion.step.answers).items()
        if known.get(point) != answer
    )
    if answers:
        yield ChecklistAnswered(stamp=occasion.stamp, answers=answers)


def ask_for_review(occasion: Occasion[Step]) -> Iterable[Event]:
    """Somebody else has to look at it now (A24); what nobody had, an integration did itself."""
    person = None if occasion.actor.is_resource else occasion.activity.holders.person
    yield ReviewAsked(stamp=occasion.stamp, done_by=person or occasion.actor.id)


def write(occasion: Occasion[SendItself]) -> Iterable[Event]:
    """notify is asked for the mail of its template (A20, A21)."""
    step = occasion.step
    yield MailRequested(
        stamp=occasion.stamp, mail=occasion.context.effect, purpose=Purpose.ACTION, to=step.to, cc=step.cc
    )


def tell_not_sent(occasion: Occasion[SendItself]) -> Iterable[Event]:
    """The timeline says that it could not write, and somebody has to look (A20)."""
    yield NotSent(stamp=occasion.stamp)


def say_why(occasion: Occasion[GiveUp]) -> Iterable[Event]:
    """Why it could not be done is kept as a note (A11)."""
    yield NoteAdded(stamp=occasion.stamp, note=occasion.context.effect)


def resolve_as_unable(occasion: Occasion[GiveUp]) -> Iterable[Event]:
    """It is resolved for the moment before it is closed, for those who listen for that (AMB-3)."""
    yield unable(occasion, occasion.context.effect)


def unable(occasion: Occasion[Step], written: UUID | None) -> StatusChanged:
    """It could not be done; the note `written` says why, where there is one."""
    activity = occasion.activity
    standing = Standing(State.RESOLVED, kind=activity.reference.kind)
    return StatusChanged(
        stamp=occasion.stamp,
        was=activity.status,
        status=Status.RESOLVED,
        reason=Reason.ACTION_UNABLE_TO_COMPLETE,
        holders=settle(standing, activity.holders.person, occasion.process.queue),
        generation=activity.generation + (activity.timer is not None),
        method=Method.UNABLE_TO_COMPLETE,
        written=written,
    )
