"""Guards, checks and choices of the rows of approvals (A25)."""

from collections.abc import Iterable

from services.activity.domain.approval_steps import Approve, AskApprovers, Decline
from services.activity.domain.case_steps import WaitForAnswer
from services.activity.domain.context import Occasion, Situation
from services.activity.domain.evolving import task_of
from services.activity.domain.refusals import Missing
from services.activity.domain.steps import MailReported, Step
from services.activity.domain.vocabulary import ActorKind, Outcome


def being_asked(situation: Situation) -> Iterable[Missing]:
    """Only who is asked at present and has not answered yet can answer."""
    actor, asked = situation.actor, task_of(situation.activity).yet_to_answer
    if actor.kind is not ActorKind.USER or actor.id not in asked:
        yield Missing.BEING_ASKED


def what_is_asked(occasion: Occasion[Approve | Decline]) -> Iterable[Missing]:
    """An answer to another level or round than is asked now is none to this one."""
    asked, question = task_of(occasion.activity).round, occasion.step.question
    if asked and not (question.round in (None, asked.number) and question.level in (None, asked.level)):
        yield Missing.BEING_ASKED


def why_not(occasion: Occasion[Decline]) -> Iterable[Missing]:
    """Who declines says why."""
    if not occasion.step.comment:
        yield Missing.COMMENT


def somebody_to_ask(occasion: Occasion[WaitForAnswer]) -> Iterable[Missing]:
    """An approval waits for those whom it asks."""
    if occasion.step.asking is None:
        yield Missing.APPROVERS


# Choices among rows of the same state and step


def asks(occasion: Occasion[Step]) -> bool:
    """It is an approval, whose waiting is to ask."""
    return task_of(occasion.activity).asks


def can_ask(occasion: Occasion[AskApprovers]) -> bool:
    """There is somebody to ask, and somewhere to write from."""
    return occasion.step.asking is not None


def asking_lost(occasion: Occasion[MailReported]) -> bool:
    """A mail could not be sent to somebody who is asked, and has not answered yet."""
    task, step = task_of(occasion.activity), occasion.step
    lost = step.outcome in (Outcome.FAILED, Outcome.REFUSED)
    return lost and task.round is not None and task.round.written_to(step.mail) in task.yet_to_answer
