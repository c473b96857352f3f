"""One step of one activity, from whatever cause: decided by the rules, kept in the workspace, announced."""

from dataclasses import dataclass
from uuid import UUID

from services.activity import announce, outgoing_mail
from services.activity.domain.activity import Activity
from services.activity.domain.context import Context
from services.activity.domain.decide import decide
from services.activity.domain.events import MailRequested
from services.activity.domain.evolving import evolve
from services.activity.domain.refusals import Refusal
from services.activity.domain.steps import Step
from services.activity.domain.vocabulary import SYSTEM, Actor, Purpose
from services.activity.rules import process_rules
from services.activity.workspace import Workspace
from shared.contracts.envelope import Envelope


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
    workspace: Workspace, cause: Envelope, activity: Activity | None, taken: Taken
) -> Activity | Refusal | None:
    """The activity after a step, or the refusal; None if the step did nothing to what does not exist.

    Automatic mails that the step asks for are composed here; a reply is composed by whoever knows its text.
    """
    organisation = workspace.organisations[cause.organisation]
    context = Context(
        organisation=organisation.name,
        actor=taken.actor,
        process=process_rules(organisation, taken.process, taken.mailbox),
        effect=taken.effect,
        expected_version=taken.expected_version,
    )
    outcome = decide(activity, taken.step, context, workspace.now)
    if isinstance(outcome, Refusal):
        return outcome
    for event in outcome:
        activity = evolve(activity, event)
        workspace.happened(cause, activity, event)
        if isinstance(event, MailRequested) and event.purpose is not Purpose.REPLY:
            outgoing_mail.automatic(workspace, cause, activity, event)
    return activity


def step_of(activity: Activity, step: Step, cause: Envelope) -> Taken:
    """A step of the system on an activity that exists."""
    return Taken(
        step=step,
        process=activity.process,
        mailbox=activity.mailbox,
        effect=announce.effect_id(cause, f"effect/{activity.id}"),
    )
