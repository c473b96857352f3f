"""What a Case and its Actions do to each other is done at once, in the transaction of what led to it.

`domain/reactions.py` says what; here it is carried out, and the Actions that a Case launches come into being.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from services.activity import announce, asking_approvers
from services.activity.domain.action_steps import CloseBecause, CloseWithCase, LaunchAction, SendItself
from services.activity.domain.activity import Activity
from services.activity.domain.approval_steps import Approve, AskApprovers
from services.activity.domain.approvals import Asking
from services.activity.domain.call_steps import CallOut
from services.activity.domain.calls import Call
from services.activity.domain.case_steps import EndAction, EnterStep, Finish, LoseWay, WaitForAnswer
from services.activity.domain.contacts import holder_of, holders_of
from services.activity.domain.course import Course, Entering, Finished, Launched, Stuck, Undecided
from services.activity.domain.evolving import course_of, task_of
from services.activity.domain.family_steps import CaseClosed
from services.activity.domain.flow import ActionKind, ActionType, Flow
from services.activity.domain.links import Other
from services.activity.domain.reactions import (
    end_of,
    fields_for_case,
    next_in,
    running_in,
    word_to_case,
    word_to_parent,
    words_below,
)
from services.activity.domain.states import State, Status
from services.activity.domain.steps import Step
from services.activity.domain.sub_case_steps import StartCase, SubCasesEnded
from services.activity.domain.task import Task
from services.activity.domain.vocabulary import Tag
from services.activity.rules import sending_mailbox
from services.activity.running_sub_cases import (
    Carry,
    awaiting,
    catch_up_sub_cases,
    last_was_cancelled,
    parent_of,
    starting,
    tell_those_waiting,
    waits_in_vain,
)
from services.activity.workspace import Workspace
from shared import references
from shared.conditions import ConditionFailed, Value
from shared.conditions import holds as met
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import CustomField, FieldType
from shared.contracts.envelope import Envelope
from shared.references import ReferenceKind
from shared.tokens import conversation_of_activity


def react(
    workspace: Workspace, cause: Envelope, step: Step, before: Activity | None, after: Activity, carry: Carry
) -> None:
    """Carry out what a step that was taken leads to between a Case and its Actions."""
    kind = after.reference.kind
    if kind is ReferenceKind.ACTION:
        if isinstance(step, LaunchAction) and (begins := BY_ITSELF.get(step.task.kind)):
            carry(after, begins(workspace, cause, after, carry))
        elif isinstance(step, WaitForAnswer) and waits_in_vain(workspace, after):
            carry(after, SubCasesEnded())
        elif isinstance(step, Approve) and (
            following := asking_approvers.next_step(workspace, cause, after, holds)
        ):
            carry(after, following)
        else:
            # What an answer brought is there when the Case is asked what comes next.
            if brought := fields_for_case(step):
                carry(workspace.bearer(after), brought)
            if word := word_to_case(step, before, after):
                carry(parent_of(workspace, after), word)
    elif kind is ReferenceKind.CASE:
        for below, word in words_below(step, before, after) if before else ():
            carry(workspace.activities[after.organisation, below.activity], word)
        _end_with_case(workspace, before, after, carry)
        if before:
            tell_those_waiting(workspace, step, before, after, carry)
        if ended := word_to_parent(step, before, after):
            carry(parent_of(workspace, after), ended)
        _go_on(workspace, cause, workspace.activities[after.organisation, after.id], carry)


def _end_with_case(workspace: Workspace, before: Activity | None, case: Activity, carry: Carry) -> None:
    """A Ticket that was converted ends with its Case (T31)."""
    closed = case.status is Status.CLOSED and before is not None and before.status is not Status.CLOSED
    if closed and case.parent:
        ticket = workspace.activities[case.organisation, case.parent]
        if ticket.state is State.WAIT_CASE_LAUNCHED:
            carry(ticket, CaseClosed())


def catch_up(
    workspace: Workspace,
    cause: Envelope,
    case: Activity,
    carry: Carry,
    wanted: asked.CaseLaunch | asked.CaseStartSubCase | None,
    *,
    started: Collection[UUID],
) -> None:
    """Let a Case and its Actions be where they would be, had all been said of them (see `recover.py`).

    `wanted` is the request by which Actions or a Sub-Case were launched, if it was one. Actions in `started`
    have started their Sub-Case, which may have ended since.
    """
    organisation = case.organisation
    case = catch_up_sub_cases(
        workspace, case, carry, wanted if isinstance(wanted, asked.CaseStartSubCase) else None
    )
    for launched in course_of(case).running:
        case = workspace.activities[organisation, case.id]
        if course_of(case).of(launched.action) is None:
            continue  # what came before has ended it
        action = workspace.activities.get((organisation, launched.action.activity))
        type_ = case.flow.action(launched.type) if case.flow else None
        if action is None and type_:
            said = wanted if launched.by_hand and isinstance(wanted, asked.CaseLaunch) else None
            person = course_of(case).doer(launched.step, launched.type)
            instructions, due = (said.instructions or "", said.due) if said else ("", None)
            carry(None, opening_of(case, launched, type_, instructions=instructions, due=due, person=person))
        elif action is not None and (step := _left_to_do(workspace, cause, action, carry, started)):
            carry(case if isinstance(step, EndAction) else action, step)
    case = workspace.activities[organisation, case.id]
    kept = {each.activity for each in running_in(course_of(case))}
    because = CloseBecause.CANCELLED if case.status is Status.CLOSED else CloseBecause.REWORKED
    for below in [each for each in workspace.activities.values() if each.parent == case.id]:
        if below.status is not Status.CLOSED and below.id not in kept:
            carry(below, CloseWithCase(because))
    _go_on(workspace, cause, workspace.activities[organisation, case.id], carry)


def _left_to_do(
    workspace: Workspace, cause: Envelope, action: Activity, carry: Carry, started: Collection[UUID]
) -> Step | None:
    """What an Action, or its Case at the end of it, would have done behind what was said of it."""
    if action.status is Status.CLOSED:
        return end_of(action)
    if action.version == 1 and action.id in started:
        return StartCase()
    if action.version == 1 and (begins := BY_ITSELF.get(task_of(action).kind)):
        return begins(workspace, cause, action, carry)
    if waits_in_vain(workspace, action):
        return SubCasesEnded(last_was_cancelled(workspace, action))
    return asking_approvers.next_step(workspace, cause, action, holds)


def _go_on(workspace: Workspace, cause: Envelope, case: Activity, carry: Carry) -> None:
    """The Case enters its next step, is finished, or has to be seen to."""
    match next_in(case, workspace.bearer(case).fields, holds):
        case Entering(step=number, actions=types):
            course = course_of(case)
            keeper = course.restart.keeper if course.restart else None
            launched = launched_of(cause, case, number, types)
            case = carry(case, EnterStep(number, launched))
            for each, type_ in zip(launched, types, strict=True):
                person = keeper or course.doer(number, type_.name)
                carry(None, opening_of(case, each, type_, person=person))
        case Finished():
            carry(case, Finish())
        case Stuck(why=why):
            carry(case, LoseWay(why))


def _writing(workspace: Workspace, _: Envelope, action: Activity, __: Carry) -> Step:
    """To whom an Action writes by itself: the primary contact of its Case, copies to those in CC (A20)."""
    organisation = workspace.organisations[action.organisation]
    contacts, template = workspace.bearer(action).contacts, action.task and action.task.template
    primary = holder_of(contacts, Tag.PRIMARY_CONTACT)
    known = any(each.name == template for each in organisation.templates)
    mailbox = sending_mailbox(organisation, action.process, action.mailbox)
    if primary is None or mailbox is None or not (known and action.automated_mail):
        return SendItself()
    copies = tuple(each for each in holders_of(contacts, Tag.CC) if each != primary)
    return SendItself((primary,), copies)


def asking_of(workspace: Workspace, cause: Envelope, action: Activity) -> Asking | None:
    """Whom an approval asks in a new round; None for nobody, and for what is no approval (A25)."""
    asks = action.task is not None and action.task.asks
    return asking_approvers.first(workspace, cause, action, holds) if asks else None


BY_ITSELF: Mapping[ActionKind, Callable[[Workspace, Envelope, Activity, Carry], Step]] = {
    ActionKind.SEND_EMAIL: _writing,
    ActionKind.SEND_EMAIL_AND_WAIT: _writing,
    ActionKind.APPROVAL: lambda workspace, cause, action, _: AskApprovers(
        asking_of(workspace, cause, action)
    ),
    ActionKind.EXTERNAL_CALL: lambda _, __, ___, ____: CallOut(),
    ActionKind.START_CASE: starting,
    ActionKind.WAIT_FOR_SUB_CASES: lambda workspace, _, action, __: awaiting(workspace, action),
}
"""What Actions do as soon as they are launched, by their kind: each makes the step that it takes then."""


def launched_of(
    cause: Envelope, case: Activity, step: int, types: Iterable[ActionType], *, by_hand: bool = False
) -> tuple[Launched, ...]:
    """Actions of these types as their Case knows them, with the next numbers of the step (GL-6)."""
    counts: Course = course_of(case)
    found = []
    for type_ in types:
        reference = references.action(case.reference.number, step, counts.next_ordinal(step))
        id_ = announce.effect_id(cause, f"action/{case.id}/{reference}")
        launched = Launched(Other(id_, reference), type_.name, step, by_hand)
        counts = counts.with_launched(launched)
        found.append(launched)
    return tuple(found)


def opening_of(
    case: Activity,
    launched: Launched,
    type_: ActionType,
    *,
    instructions: str = "",
    due: datetime | None = None,
    person: str | None = None,
) -> LaunchAction:
    """The step that opens an Action which its Case knows. Its title is the type's: nobody edits it (A1)."""
    id_ = launched.action.activity
    return LaunchAction(
        activity=id_,
        family=case.family,
        reference=launched.action.reference,
        conversation=conversation_of_activity(case.organisation, id_),
        mailbox=case.mailbox,
        title=type_.title,
        description=instructions or type_.instructions,
        due=due,
        automated_mail=case.automated_mail,
        parent=Other(case.id, case.reference),
        task=Task(
            type=type_.name,
            kind=type_.kind,
            step=launched.step,
            by_hand=launched.by_hand,
            queue=type_.queue,
            due_date=type_.due_date,
            checklist=type_.checklist,
            template=type_.template,
            process=type_.process,
            call=_call_of(type_),
            approval=type_.approval,
        ),
        person=person,
        bearer=case.borne_by,
    )


def _call_of(type_: ActionType) -> Call | None:
    if type_.call is None or type_.answer_within_minutes is None:
        return None
    return Call(
        name=type_.call,
        answer_within_minutes=type_.answer_within_minutes,
        retry_after_minutes=type_.retry_after_minutes,
    )


def holds(condition: str, flow: Flow, values: Mapping[str, Value | None]) -> bool:
    """Whether a condition of a flow is met by these values. Raises `Undecided`."""
    try:
        return met(condition, _fields(flow), values)
    except ConditionFailed as failed:
        raise Undecided(str(failed)) from None


@lru_cache(maxsize=256)
def _fields(flow: Flow) -> tuple[CustomField, ...]:
    return tuple(
        CustomField(name=each.name, title=each.name, type=FieldType(each.type)) for each in flow.fields
    )
