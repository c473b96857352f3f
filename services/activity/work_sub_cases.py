"""Somebody starts a Case under another one, or changes from there what both share (CA-7)."""

from dataclasses import replace

from services.activity import announce
from services.activity.domain import steps
from services.activity.domain.activity import Activity
from services.activity.domain.course import SubCase
from services.activity.domain.file_steps import AddFile, EditFile, RemoveFile
from services.activity.domain.links import Other
from services.activity.domain.refusals import Refusal
from services.activity.domain.sub_case_steps import EditShared, StartSubCase
from services.activity.domain.vocabulary import Actor
from services.activity.request_names import Declined, permit
from services.activity.running_sub_cases import CannotStart, opening_of_sub_case, process_of_sub_case
from services.activity.taking_steps import Taken, carry_out, judge, step_of
from services.activity.workspace import Workspace
from shared.contracts import activity_requests as asked
from shared.contracts.envelope import Envelope
from shared.references import ReferenceKind

Done = tuple[Activity, ...]
"""The Case that the request is about, and behind it the other that changed."""


def start(
    workspace: Workspace, cause: Envelope, case: Activity, request: asked.CaseStartSubCase, actor: Actor
) -> Refusal | Done:
    """Start a Case of another process under it. Raises `Declined` for one that cannot be, or is not his."""
    organisation = workspace.organisations[case.organisation]
    try:
        process = process_of_sub_case(workspace, organisation, case, request.process, by_hand=True)
    except CannotStart as cannot:
        raise Declined(cannot.code, str(cannot), "process") from None
    permit(organisation, request, process.name)
    # A number is taken when it is certain that there will be a Case to call so.
    off = Other(announce.effect_id(cause, "activity/sub-case"), case.reference)
    opening = opening_of_sub_case(
        workspace,
        organisation,
        case,
        process,
        off,
        title=request.title or "",
        description=request.description or "",
        due=request.due,
        by_hand=True,
    )
    started = step_of(
        case,
        StartSubCase(SubCase(off, process.name)),
        cause,
        actor,
        expected_version=request.expected_version,
    )
    opened = step_of(case, opening, cause, actor, effect=f"{opening.name}/{off.activity}")
    for activity, taken in ((case, started), (None, opened)):
        if refusal := judge(workspace, cause, activity, taken):
            return refusal
    reference = workspace.next_reference(case.organisation, ReferenceKind.CASE)
    known = StartSubCase(SubCase(Other(off.activity, reference), process.name))
    carry_out(workspace, cause, case, replace(started, step=known))
    sub_case = carry_out(workspace, cause, None, replace(opened, step=replace(opening, reference=reference)))
    return workspace.activities[case.organisation, case.id], sub_case


def ends_some(request: asked.Request) -> bool:
    """Whether what is asked may end Sub-Cases: all under these has to be known then (AMB-51, C17)."""
    match request:
        case asked.CaseAbandon():
            return True
        case asked.CaseRework(sub_cases_too=too):
            return too
    return False


Sharing = steps.Edit | AddFile | EditFile | RemoveFile
"""Steps on a Sub-Case that change what it shares with the Case at the top, wholly or in part."""


def take_where_it_stands(
    workspace: Workspace, cause: Envelope, sub_case: Activity, taken: Taken
) -> Refusal | Done:
    """Take a step on a Sub-Case so that what both have changes where it stands: both or neither change.

    It has to be one that the Sub-Case can take itself, as it is now.
    """
    bearer, step = workspace.bearer(sub_case), taken.step
    own, shared = taken, replace(taken, expected_version=None)
    if isinstance(step, steps.Edit):
        of_both = EditShared(tag=step.tag, untag=step.untag, extra=step.extra, fields=step.fields)
        own = replace(taken, step=replace(step, tag=(), untag=(), extra=(), fields=()))
        shared = replace(shared, step=of_both)
        if of_both == EditShared():
            refusal = judge(workspace, cause, sub_case, own)
            return refusal or (carry_out(workspace, cause, sub_case, own),)
    for activity, part in ((sub_case, own), (bearer, shared)):
        if refusal := judge(workspace, cause, activity, part):
            return refusal
    # What both have comes first: by it the Sub-Case is asked what comes next.
    carry_out(workspace, cause, bearer, shared)
    if isinstance(step, steps.Edit):
        carry_out(workspace, cause, sub_case, own)
    return tuple(workspace.activities[each.organisation, each.id] for each in (sub_case, bearer))
