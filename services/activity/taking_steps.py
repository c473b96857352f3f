"""One step of one activity, from whatever cause: decided by the rules, kept in the workspace, announced."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from services.activity import announce, calling, outgoing_mail
from services.activity.domain.activity import Activity
from services.activity.domain.call_events import Called
from services.activity.domain.context import Context
from services.activity.domain.decide import decide
from services.activity.domain.events import Event, MailRequested
from services.activity.domain.evolving import evolve
from services.activity.domain.family_steps import Convert, PartsClosed, Split
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import State, Status
from services.activity.domain.steps import Opening, Step
from services.activity.domain.sub_case_steps import OpenSubCase
from services.activity.domain.vocabulary import SYSTEM, Actor, Purpose
from services.activity.rules import rules_for, task_in
from services.activity.running_cases import react
from services.activity.store_rows import Key
from services.activity.workspace import Workspace
from shared.contracts.envelope import Envelope
from shared.references import ReferenceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A step to be taken. `process` and `mailbox` are the activity's, or those of the one that it opens.

    `effect` is the id of the note or mail that it may make. The system is the actor unless said otherwise.
    """

    step: Step
    process: str
    mailbox: str | None
    effect: UUID
    actor: Actor = SYSTEM
    expected_version: int | None = None


def take(
    workspace: Workspace,
    cause: Envelope,
    activity: Activity | None,
    taken: Taken,
    *,
    told: Collection[type[Event]] = (),
) -> Activity | Refusal | None:
    """The activity after a step, or the refusal; None if the step did nothing to what does not exist.

    Automatic mails that the step asks for are composed here, and calls told; a reply is composed by whoever
    knows its text. Events of the kinds in `told` have happened already.
    """
    outcome = _decided(workspace, cause, activity, taken)
    if isinstance(outcome, Refusal):
        return outcome
    before = activity
    for event in (each for each in outcome if type(each) not in told) if told else outcome:
        activity = evolve(activity, event)
        workspace.happened(cause, activity, event)
        if isinstance(event, MailRequested) and event.purpose is not Purpose.REPLY:
            outgoing_mail.automatic(workspace, cause, activity, event, _more_to_say(taken.step))
        elif isinstance(event, Called):
            calling.tell(workspace, cause, activity, event)
    if activity is None or activity is before:
        return activity
    if activity.reference.kind is not ReferenceKind.TICKET:
        react(workspace, cause, taken.step, before, activity, Follower(workspace, cause, activity))
    elif activity.parent and activity.status is Status.CLOSED:
        _end_with_parts(workspace, cause, (activity.organisation, activity.parent))
    return workspace.activities[activity.organisation, activity.id]


def carry_out(
    workspace: Workspace,
    cause: Envelope,
    activity: Activity | None,
    taken: Taken,
    *,
    told: Collection[type[Event]] = (),
) -> Activity:
    """Take a step that cannot be refused: it was judged before, or follows from one that was taken."""
    after = take(workspace, cause, activity, taken, told=told)
    if isinstance(after, Refusal) or after is None:
        raise ValueError(f"what cannot be refused was refused: {after}")
    return after


@dataclass(frozen=True, slots=True)
class Follower:
    """Takes steps that follow from what happened to `origin`."""

    workspace: Workspace
    cause: Envelope
    origin: Activity

    def __call__(self, activity: Activity | None, step: Step) -> Activity:
        """The activity after a step that cannot be refused."""
        return carry_out(self.workspace, self.cause, activity, self._taken(activity, step))

    def judge(self, activity: Activity | None, step: Step) -> Refusal | None:
        """Why the step would be refused, or None."""
        return judge(self.workspace, self.cause, activity, self._taken(activity, step))

    def _taken(self, activity: Activity | None, step: Step) -> Taken:
        about = activity.id if activity else step.activity if isinstance(step, Opening) else self.origin.id
        return step_of(activity or self.origin, step, self.cause, effect=f"{step.name}/{about}")


def judge(workspace: Workspace, cause: Envelope, activity: Activity | None, taken: Taken) -> Refusal | None:
    """Why a step would be refused, or None; nothing is done."""
    outcome = _decided(workspace, cause, activity, taken)
    return outcome if isinstance(outcome, Refusal) else None


def _decided(
    workspace: Workspace, cause: Envelope, activity: Activity | None, taken: Taken
) -> tuple[Event, ...] | Refusal:
    organisation = workspace.organisations[cause.organisation]
    context = Context(
        organisation=organisation.name,
        actor=taken.actor,
        process=rules_for(organisation, taken.process, taken.mailbox, task_in(activity, taken.step)),
        effect=taken.effect,
        expected_version=taken.expected_version,
    )
    return decide(activity, taken.step, context, workspace.now)


def _more_to_say(step: Step) -> dict[str, str]:
    """What a template may say of the step beside what it says of the activity."""
    if isinstance(step, Split):
        return {"tickets": ", ".join(str(part.off.reference) for part in step.parts)}
    if isinstance(step, Convert):
        return {"case": str(step.case.reference)}
    return {}


def _end_with_parts(workspace: Workspace, cause: Envelope, key: Key) -> None:
    """A Ticket that was split is closed with the last of its parts, in the same transaction (T28, AMB-16)."""
    original = workspace.activities[key]
    parts = [workspace.activities[key[0], part] for part in workspace.families.parts_of(original)]
    if original.state is State.WAIT_SPLIT and all(part.status is Status.CLOSED for part in parts):
        resolved = [part.resolution.at for part in parts if part.resolution]
        step = PartsClosed(max(resolved, default=workspace.now))
        take(workspace, cause, original, step_of(original, step, cause))


def step_of(
    activity: Activity,
    step: Step,
    cause: Envelope,
    actor: Actor = SYSTEM,
    *,
    effect: str = "",
    expected_version: int | None = None,
) -> Taken:
    """A step on an activity that exists, or one by which another begins under it.

    `effect` tells what it may make from the other effects of the cause; without it, that is the one effect
    that the cause has on this activity.
    """
    whose: Activity | OpenSubCase = step if isinstance(step, OpenSubCase) else activity
    return Taken(
        step=step,
        process=whose.process,
        mailbox=whose.mailbox,
        effect=announce.effect_id(cause, effect or f"effect/{activity.id}"),
        actor=actor,
        expected_version=expected_version,
    )
