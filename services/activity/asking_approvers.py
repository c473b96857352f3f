"""Whom an approval asks next: the people of its levels, by the configuration of this moment (A25)."""

from uuid import UUID

from services.activity import announce
from services.activity.domain.activity import Activity
from services.activity.domain.approval_steps import AskApprovers, EndApproved
from services.activity.domain.approvals import ApprovalLevel, AskedPerson, Asking, Needed, level_after
from services.activity.domain.course import Holds, Undecided
from services.activity.domain.evolving import task_of
from services.activity.domain.states import State
from services.activity.domain.steps import Step
from services.activity.permissions import can_answer
from services.activity.rules import sending_mailbox
from services.activity.running_sub_cases import parent_of
from services.activity.workspace import Workspace
from shared.contracts.envelope import Envelope
from shared.organisation import Organisation


def first(workspace: Workspace, cause: Envelope, action: Activity, holds: Holds) -> Asking | None:
    """The level that a new round begins with; None where nobody can be asked."""
    level = _after(workspace, action, 0, holds)
    return _asking(workspace, cause, action, level) if level else None


def next_step(workspace: Workspace, cause: Envelope, action: Activity, holds: Holds) -> Step | None:
    """What follows once somebody has approved, or cannot answer any more; None while it waits for others."""
    organisation, task = workspace.organisations[action.organisation], task_of(action)
    if action.state is not State.WAIT_MORE_INFO or task.round is None:
        return None
    if not task.level_has_enough:
        waits = any(can_answer(organisation, each) for each in task.yet_to_answer)
        return None if waits else AskApprovers()
    level = _after(workspace, action, task.round.level, holds)
    if level == 0:
        return EndApproved()
    return AskApprovers(_asking(workspace, cause, action, level) if level else None)


def _after(workspace: Workspace, action: Activity, level: int, holds: Holds) -> int | None:
    """The next level whose condition holds, 0 where there is none; None where that cannot be said."""
    flow = parent_of(workspace, action).flow
    values = {each.name: each.value for each in workspace.bearer(action).fields}

    def met(condition: str | None) -> bool:
        return condition is None or (flow is not None and holds(condition, flow, values))

    try:
        return level_after(task_of(action).approval, level, met) or 0
    except Undecided:
        return None


def _asking(workspace: Workspace, cause: Envelope, action: Activity, level: int) -> Asking | None:
    organisation, task = workspace.organisations[action.organisation], task_of(action)
    people = _reached(organisation, task.approval[level - 1])
    known = any(each.name == task.template for each in organisation.templates)
    mailbox = sending_mailbox(organisation, action.process, action.mailbox)
    if not people or mailbox is None or not known or workspace.links is None:
        return None
    return Asking(level, tuple(AskedPerson(each, _mail(cause, action, level, each)) for each in people))


def _reached(organisation: Organisation, level: ApprovalLevel) -> tuple[str, ...]:
    """Who can be asked; nobody where all are needed, and one cannot."""
    found = tuple(each for each in level.approvers if _can_be_asked(organisation, each))
    return () if level.needed is Needed.ALL and found != level.approvers else found


def _can_be_asked(organisation: Organisation, name: str) -> bool:
    """He can answer, and there is an address to ask him at."""
    return can_answer(organisation, name) and organisation.user(name).address is not None


def _mail(cause: Envelope, action: Activity, level: int, user: str) -> UUID:
    return announce.effect_id(cause, f"approval/{action.id}/{level}/{user}")
