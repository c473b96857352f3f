"""Steps of Cases that were entered by half, when the database was lost, are entered whole (see `recover.py`).

A Case says that it is in a step, then which Actions it launches, and only then these begin. Where none has
begun, some may not have been named: without them the step would count as done.
"""

from collections.abc import Collection

from msgspec.structs import replace

from services.activity.domain.activity import Activity
from services.activity.domain.case_steps import EnterStep
from services.activity.domain.course import Entering, Restart, next_of
from services.activity.domain.events import StepEntered
from services.activity.domain.evolving import course_of
from services.activity.known_past import Past
from services.activity.past_workspace import PastWorkspace
from services.activity.running_cases import holds, launched_of
from services.activity.store_rows import Key
from services.activity.taking_steps import step_of, take
from services.activity.workspace import Workspace
from shared.contracts import activity_activities as events
from shared.contracts.envelope import Envelope


def enter_whole(workspace: PastWorkspace, past: Past) -> None:
    """Let Cases launch what they would have launched in the step that they entered last (A1, C17)."""
    entered: dict[Key, tuple[Envelope, int, Restart | None]] = {}
    launched: dict[Key, list[events.CaseActionLaunched]] = {}
    restarts: dict[Key, Restart] = {}
    for each, _ in past.happened:
        key = each.envelope.organisation, each.message.activity
        match each.message:
            case events.CaseStepEntered(step=number):
                entered[key] = each.envelope, number, restarts.pop(key, None)
                launched[key] = []
            case events.CaseActionLaunched(by_hand=False) as record if key in entered:
                launched[key].append(record)
            case _:
                # What is said of a Case behind its step is said behind all that this launched.
                entered.pop(key, None)
        if isinstance(each.message, events.CaseReworked):
            restarts[key] = Restart(each.message.action, each.message.keeper)
    for key, (cause, number, restart) in entered.items():
        if any((key[0], each.launched.activity) in workspace.activities for each in launched[key]):
            continue
        case = workspace.activities[key]
        step = _rest_of_step(workspace, cause, case, number, restart, {each.action for each in launched[key]})
        if step:
            workspace.begin()
            take(workspace, cause, case, step_of(case, step, cause), told=(StepEntered,))


def _rest_of_step(
    workspace: Workspace,
    cause: Envelope,
    case: Activity,
    number: int,
    restart: Restart | None,
    known: Collection[str],
) -> EnterStep | None:
    """A Case enters the step in which it is with the Actions beside those `known`; None without any."""
    course = replace(course_of(case), step=number - 1, running=(), restart=restart)
    found = next_of(case.flow, course, workspace.bearer(case).fields, holds) if case.flow else None
    if not isinstance(found, Entering) or found.step != number:
        return None
    left = [each for each in found.actions if each.name not in known]
    return EnterStep(number, launched_of(cause, case, number, left)) if left else None
