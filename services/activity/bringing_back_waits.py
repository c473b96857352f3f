"""Actions that wait for a mail of their own which never reached notify come to people (see `recover.py`).

A mail that was lost with the database is not written again: what it would say may have changed since, and
whoever sees to the Action can have it written anew.
"""

from collections.abc import Collection, Mapping

from services.activity.domain.approval_steps import AskApprovers
from services.activity.domain.approvals import Round
from services.activity.domain.evolving import task_of
from services.activity.domain.states import State
from services.activity.domain.steps import MailReported
from services.activity.domain.vocabulary import Outcome, Purpose
from services.activity.known_past import Past
from services.activity.past_workspace import PastWorkspace
from services.activity.store_rows import Key
from services.activity.taking_steps import Follower
from shared.contracts import activity_activities as events
from shared.contracts.activity_approvals import ActionApprovalAsked
from shared.contracts.envelope import Envelope

_OF_ACTIONS = (Purpose.ACTION.value, Purpose.APPROVAL.value)


def finish_waits(workspace: PastWorkspace, past: Past) -> None:
    """Take the steps that bring such Actions to people (A20, A21, A25)."""
    composed = {(each.envelope.organisation, each.message.mail) for each in past.composed}
    last = {
        (each.envelope.organisation, each.message.activity): each.envelope.causationid
        for each, _ in past.happened
    }
    for each, _ in past.happened:
        match each.message:
            case ActionApprovalAsked() as asked:
                _asked(workspace, each.envelope, asked, last)
            case events.ActivityMailRequested() as requested if requested.purpose in _OF_ACTIONS:
                _written(workspace, each.envelope, requested, composed)


def _asked(
    workspace: PastWorkspace, cause: Envelope, asked: ActionApprovalAsked, last: Mapping[Key, str | None]
) -> None:
    """An approval that had not asked everybody yet says so, wherever it stands (A25)."""
    action = workspace.activities[cause.organisation, asked.activity]
    round_ = task_of(action).round
    if round_ is None or (round_.number, round_.level) != (asked.round, asked.level):
        return
    # Who asks waits in the end: an Action in To Do, of which nothing later was said, did not get so far.
    cut_short = last[action.organisation, action.id] == cause.causationid and action.state is State.TO_DO
    if cut_short or (action.state is State.WAIT_MORE_INFO and _lacks_mails(round_)):
        workspace.begin()
        Follower(workspace, cause, action)(action, AskApprovers(None))


def _lacks_mails(asked: Round) -> bool:
    """Whether somebody is asked to whom no mail was requested."""
    return len(asked.mails) < len(asked.approvers)


def _written(
    workspace: PastWorkspace,
    cause: Envelope,
    requested: events.ActivityMailRequested,
    composed: Collection[Key],
) -> None:
    """A mail that was never asked of notify is one that could not be sent (A20, A21, A25)."""
    action = workspace.activities[cause.organisation, requested.activity]
    if (cause.organisation, requested.mail) not in composed and action.state is State.WAIT_MORE_INFO:
        workspace.begin()
        Follower(workspace, cause, action)(action, MailReported(requested.mail, Outcome.FAILED))
