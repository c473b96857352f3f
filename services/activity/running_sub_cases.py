"""Sub-Cases begin under their Case, and what waits for them learns of their end (C2, CA-4, CA-7, A22)."""

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from services.activity import announce
from services.activity.domain.activity import Activity
from services.activity.domain.course import SubCase
from services.activity.domain.evolving import course_of, task_of
from services.activity.domain.flow import ActionKind
from services.activity.domain.links import Other
from services.activity.domain.reactions import end_of_sub_case
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import State, Status
from services.activity.domain.steps import Step
from services.activity.domain.sub_case_steps import (
    AwaitSubCases,
    EndSubCase,
    OpenSubCase,
    StartCase,
    StartSubCase,
    SubCasesEnded,
)
from services.activity.domain.vocabulary import Method, Reason
from services.activity.rules import flow_of
from services.activity.workspace import Workspace
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import Process, ProcessKind
from shared.contracts.envelope import Envelope
from shared.organisation import Organisation, Unknown
from shared.references import ReferenceKind
from shared.tokens import conversation_of_activity


class Carry(Protocol):
    """Takes steps for the system, of an activity or such as open one."""

    def __call__(self, activity: Activity | None, step: Step) -> Activity:
        """The activity after the step, which cannot be refused."""
        ...

    def judge(self, activity: Activity | None, step: Step) -> Refusal | None:
        """Why the step would be refused, or None; nothing is done."""
        ...


class CannotStart(Exception):
    """No such Case can begin under this one; the message is a sentence, `code` what programs go by."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def process_of_sub_case(
    workspace: Workspace, organisation: Organisation, parent: Activity, name: str, *, by_hand: bool = False
) -> Process:
    """The process that a Case may begin under `parent` with. Raises `CannotStart`.

    By hand only what people may begin at all (C1); Actions begin whatever takes work (GL-5). It is one of
    Cases, of the same company (CA-7), and none of those above: so nothing begins for ever.
    """
    try:
        process = organisation.process(name)
    except Unknown as unknown:
        raise CannotStart("unknown_name", f"{unknown}.".capitalize()) from None
    if process.kind is not ProcessKind.CASE:
        raise CannotStart("other_kind", f"The process {name!r} is one of Tickets.")
    in_test = organisation.is_in_test(parent.process)
    if not (organisation.is_startable(name) if by_hand else organisation.takes_work(name, in_test=in_test)):
        raise CannotStart("not_startable", f"No Case of the process {name!r} can be started now.")
    if process.company != organisation.process(parent.process).company:
        detail = f"The process {name!r} is another company's than that of {parent.reference} (CA-7)."
        raise CannotStart("other_company", detail)
    above = next((each for each in _with_all_above(workspace, parent) if each.process == name), None)
    if above:
        detail = f"{above.reference} is of the process {name!r} itself, and would begin again and again."
        raise CannotStart("cycle_of_sub_cases", detail)
    return process


def _with_all_above(workspace: Workspace, case: Activity) -> list[Activity]:
    found = [case]
    while found[-1].is_sub_case and found[-1].parent:
        found.append(workspace.activities[case.organisation, found[-1].parent])
    return found


def opening_of_sub_case(
    workspace: Workspace,
    organisation: Organisation,
    parent: Activity,
    process: Process,
    case: Other,
    *,
    title: str = "",
    description: str = "",
    due: datetime | None = None,
    by_hand: bool = False,
) -> OpenSubCase:
    """The step that opens a Case under another one, which it is called after unless it is said otherwise."""
    bearer = workspace.bearer(parent)
    return OpenSubCase(
        activity=case.activity,
        family=parent.family,
        reference=case.reference,
        conversation=conversation_of_activity(parent.organisation, case.activity),
        mailbox=process.default_mailbox or parent.mailbox,
        title=title or parent.title,
        description=description,
        due=due,
        automated_mail=parent.automated_mail,
        flow=flow_of(organisation, process),
        parent=Other(parent.id, parent.reference),
        process=process.name,
        bearer=bearer.id,
        by_hand=by_hand,
        shared=tuple(sorted(bearer.contacts)),
        values=bearer.fields,
    )


def starting(workspace: Workspace, cause: Envelope, action: Activity, carry: Carry) -> Step:
    """Start the Case that an Action is for, which is done by that; where it cannot be, people learn why."""
    parent = parent_of(workspace, action)
    organisation = workspace.organisations[action.organisation]
    me = Other(action.id, action.reference)
    # A number is taken when it is certain that there will be a Case to call so.
    placeholder = Other(announce.effect_id(cause, f"sub-case/{action.id}"), parent.reference)
    try:
        process = process_of_sub_case(workspace, organisation, parent, task_of(action).process or "")
    except CannotStart as cannot:
        return StartCase(str(cannot))
    opening = opening_of_sub_case(
        workspace, organisation, parent, process, placeholder, description=action.description
    )
    if refusal := carry.judge(None, opening):
        lacks = ", ".join(lack.phrase for lack in refusal.missing)
        return StartCase(f"A Case of the process {process.name!r} does not begin without {lacks}.")
    opening = replace(opening, reference=workspace.next_reference(action.organisation, ReferenceKind.CASE))
    case = Other(opening.activity, opening.reference)
    carry(parent, StartSubCase(SubCase(case, process.name, me)))
    carry(None, opening)
    return StartCase()


def awaiting(workspace: Workspace, action: Activity) -> Step:
    """Let an Action wait for the Sub-Cases that there are, or people learn that there are none (A22)."""
    course, process = course_of(parent_of(workspace, action)), task_of(action).process
    if any(process in (None, each.process) for each in course.sub_cases):
        return AwaitSubCases()
    ended = process in course.sub_cases_ended if process else bool(course.sub_cases_ended)
    return AwaitSubCases(Reason.SUB_CASE_COMPLETED if ended else Reason.SUB_CASE_NOT_YET_STARTED)


def waits_in_vain(workspace: Workspace, action: Activity) -> bool:
    """Whether an Action that waits for Sub-Cases is to wait although none runs: then it is done (A22)."""
    if task_of(action).kind is not ActionKind.WAIT_FOR_SUB_CASES or action.state is not State.WAIT_MORE_INFO:
        return False
    awaited = awaiting(workspace, action)
    return isinstance(awaited, AwaitSubCases) and awaited.reason is not None


def last_was_cancelled(workspace: Workspace, action: Activity) -> bool:
    """Whether the last Sub-Case to end that an Action waited for was not brought to its end (A22)."""
    process = task_of(action).process
    ends = [
        (each.resolution.at, each.resolution.method)
        for each in workspace.activities.values()
        if each.parent == action.parent and each.is_sub_case and each.resolution
        if each.status is Status.CLOSED and process in (None, each.process)
    ]
    return bool(ends) and max(ends)[1] is Method.CANCELLED


def tell_those_waiting(
    workspace: Workspace, step: Step, before: Activity, case: Activity, carry: Carry
) -> None:
    """Actions that wait for Sub-Cases learn that one began, or that the last one ended (A22).

    `step` is what the Case has taken: also a rework may have ended some.
    """
    were, are = course_of(before).sub_cases, course_of(case).sub_cases
    begun = {each.process for each in are if each not in were}
    ended = {each.process for each in were if each not in are}
    cancelled = not isinstance(step, EndSubCase) or step.cancelled
    for launched in course_of(case).running if begun or ended else ():
        action = workspace.activities.get((case.organisation, launched.action.activity))
        if action is None or task_of(action).kind is not ActionKind.WAIT_FOR_SUB_CASES:
            continue
        awaited = task_of(action).process
        if begun & ({awaited} if awaited else begun) and action.state is State.TO_DO:
            carry(action, AwaitSubCases())
        elif ended & ({awaited} if awaited else ended) and not any(
            awaited in (None, each.process) for each in are
        ):
            carry(action, SubCasesEnded(cancelled=cancelled))


def parent_of(workspace: Workspace, activity: Activity) -> Activity:
    """The Case of an Action or Sub-Case."""
    assert activity.parent is not None, f"{activity.reference} is under no Case"
    return workspace.activities[activity.organisation, activity.parent]


def catch_up_sub_cases(
    workspace: Workspace, case: Activity, carry: Carry, wanted: asked.CaseStartSubCase | None
) -> Activity:
    """Let the Sub-Cases that a Case has started be there, and no others run (see `recover.py`).

    `wanted` is the request by which one was started, if it was one.
    """
    organisation = workspace.organisations[case.organisation]
    for each in course_of(case).sub_cases:
        case = workspace.activities[case.organisation, case.id]
        sub_case = workspace.activities.get((case.organisation, each.case.activity))
        if sub_case is None:
            said = wanted if each.by is None else None
            action = workspace.activities.get((case.organisation, each.by.activity)) if each.by else None
            description = action.description if action else (said and said.description) or ""
            opening = opening_of_sub_case(
                workspace,
                organisation,
                case,
                organisation.process(each.process),
                each.case,
                title=(said and said.title) or "",
                description=description,
                due=said.due if said else None,
                by_hand=each.by is None,
            )
            carry(None, opening)
        elif sub_case.status is Status.CLOSED:
            carry(case, end_of_sub_case(sub_case))
    return workspace.activities[case.organisation, case.id]
