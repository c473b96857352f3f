"""Effects of the rows of approvals (A25)."""

from collections.abc import Iterable

from services.activity.domain.approval_events import ApprovalAsked, ApprovalGiven
from services.activity.domain.approval_steps import Approve, AskApprovers, Decline
from services.activity.domain.approvals import Asking
from services.activity.domain.case_steps import WaitForAnswer
from services.activity.domain.context import Occasion
from services.activity.domain.events import Event, MailRequested, NoteAdded
from services.activity.domain.evolving import task_of
from services.activity.domain.states import State
from services.activity.domain.vocabulary import Purpose


def ask(occasion: Occasion[AskApprovers | WaitForAnswer]) -> Iterable[Event]:
    """The approvers of a level are asked, each by a mail; but for a further level, in a new round."""
    asking, last = occasion.step.asking, task_of(occasion.activity).round
    if asking is None:
        return
    goes_on = isinstance(occasion.step, AskApprovers) and occasion.state is State.WAIT_MORE_INFO
    number = (last.number if last else 0) + (not goes_on)
    yield from _asked(occasion, number, asking)


def _asked(occasion: Occasion[AskApprovers | WaitForAnswer], number: int, asking: Asking) -> Iterable[Event]:
    approvers = tuple(each.user for each in asking.people)
    yield ApprovalAsked(stamp=occasion.stamp, round=number, level=asking.level, approvers=approvers)
    for each in asking.people:
        yield MailRequested(stamp=occasion.stamp, mail=each.mail, purpose=Purpose.APPROVAL)


def approve(occasion: Occasion[Approve]) -> Iterable[Event]:
    """Who is asked has approved."""
    yield from _answered(occasion, approved=True)


def decline(occasion: Occasion[Decline]) -> Iterable[Event]:
    """Who is asked has declined."""
    yield from _answered(occasion, approved=False)


def _answered(occasion: Occasion[Approve | Decline], *, approved: bool) -> Iterable[Event]:
    if occasion.step.comment:
        yield NoteAdded(stamp=occasion.stamp, note=occasion.context.effect)
    asked = task_of(occasion.activity).round
    assert asked is not None, "nobody answers who was not asked"
    yield ApprovalGiven(stamp=occasion.stamp, round=asked.number, level=asked.level, approved=approved)
