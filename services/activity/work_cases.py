"""Somebody launches Actions of a Case by hand (CA-6); what Cases launch themselves is `running_cases.py`."""

from services.activity.domain.activity import Activity
from services.activity.domain.case_steps import LaunchByHand
from services.activity.domain.evolving import course_of
from services.activity.domain.refusals import Refusal
from services.activity.domain.vocabulary import Actor
from services.activity.request_names import Declined
from services.activity.running_cases import launched_of, opening_of
from services.activity.taking_steps import carry_out, judge, step_of
from services.activity.workspace import Workspace
from shared.contracts import activity_requests as asked
from shared.contracts.envelope import Envelope

Done = tuple[Activity, ...]
"""The Case, and behind it the Actions that were launched."""


def launch(
    workspace: Workspace, cause: Envelope, case: Activity, request: asked.CaseLaunch, actor: Actor
) -> Refusal | Done:
    """Launch as many Actions of a type as are wanted. Raises `Declined` for one that its process has not."""
    type_ = case.flow.action(request.action) if case.flow else None
    if type_ is None:
        raise Declined("unknown_name", f"{case.reference} has no Action {request.action!r}.", "action")
    # What is launched between the steps counts for the one that it is in, or will be in first.
    number = max(course_of(case).step, 1)
    launched = launched_of(cause, case, number, [type_] * request.copies, by_hand=True)
    openings = [
        opening_of(case, each, type_, instructions=request.instructions or "", due=request.due)
        for each in launched
    ]
    step = step_of(case, LaunchByHand(launched), cause, actor, expected_version=request.expected_version)
    actions = [step_of(case, each, cause, actor, effect=f"{each.name}/{each.activity}") for each in openings]
    # All of them, or none: whoever is refused finds the Case as it was.
    for activity, taken in ((case, step), (None, actions[0])):
        if refusal := judge(workspace, cause, activity, taken):
            return refusal
    return tuple(
        carry_out(workspace, cause, activity, taken)
        for activity, taken in ((case, step), *((None, each) for each in actions))
    )
