"""A time of a schedule has come: a Case of its process begins (CA-1, C2, GL-8)."""

from contextlib import suppress
from datetime import datetime
from typing import Literal

from services.activity import announce
from services.activity.domain.refusals import Refusal
from services.activity.domain.steps import CreatedByIntegration
from services.activity.domain.vocabulary import StartedBy
from services.activity.needs import Needs
from services.activity.request_names import given_fields
from services.activity.rules import flow_of
from services.activity.store_schedules import Planned, ScheduleKey
from services.activity.taking_steps import Taken, take
from services.activity.workspace import Workspace
from shared import metrics
from shared.contracts.activity_organisation import Process, Schedule
from shared.contracts.envelope import Envelope
from shared.contracts.record import Record
from shared.organisation import Organisation, Unknown
from shared.references import ReferenceKind
from shared.tokens import conversation_of_activity
from shared.unit_of_work import Incoming

SOURCE = "/mailroom/activity/schedules"


class ScheduleCame(Record):
    """A time of a schedule. It never travels: the cause of a Case that nobody asked for.

    `planned_at` is for when its row has it, earlier than its time where some were passed over; `following`
    is when it comes after that.
    """

    type: Literal["schedule.came"] = "schedule.came"
    process: str
    schedule: str
    planned_at: datetime
    following: datetime


def came(planned: Planned, at: datetime, following: datetime) -> Incoming[ScheduleCame]:
    """The record of a schedule's time; whoever finds it makes the same one."""
    key = planned.key
    envelope = Envelope(
        id=f"{key.process}/{key.name}/{at:%Y-%m-%dT%H:%M:%SZ}",
        source=SOURCE,
        type="schedule.came",
        time=at,
        organisation=key.organisation,
    )
    message = ScheduleCame(
        process=key.process, schedule=key.name, planned_at=planned.next_at, following=following
    )
    return Incoming(envelope, message)


def key_of(incoming: Incoming[ScheduleCame]) -> ScheduleKey:
    """The schedule whose time it is."""
    message = incoming.message
    return ScheduleKey(incoming.envelope.organisation, message.process, message.schedule)


def gather(incoming: Incoming[ScheduleCame], needs: Needs) -> None:
    """The Case, if it has begun, and a number for it, if it has not."""
    organisation = incoming.envelope.organisation
    needs.activities.add((organisation, announce.effect_id(incoming.envelope, "activity")))
    needs.opening[organisation] += 1


def perform(workspace: Workspace, incoming: Incoming[ScheduleCame]) -> None:
    """Begin the Case, unless it was begun: a restored database may not know that its time was worked on.

    Raises `ValueError` where the rules refuse it.
    """
    cause = incoming.envelope
    organisation = workspace.organisations[cause.organisation]
    id_ = announce.effect_id(cause, "activity")
    if (cause.organisation, id_) in workspace.activities:
        return
    process = organisation.process(incoming.message.process)
    schedule = _called(process, incoming.message.schedule)
    step = CreatedByIntegration(
        activity=id_,
        family=id_,
        reference=workspace.next_reference(cause.organisation, ReferenceKind(process.kind.value)),
        conversation=conversation_of_activity(cause.organisation, id_),
        mailbox=process.default_mailbox,
        title=schedule.title.strip(),
        description=schedule.description,
        fields=given_fields(organisation, process.name, schedule.fields),
        flow=flow_of(organisation, process),
        started_by=StartedBy.SCHEDULE,
    )
    outcome = take(workspace, cause, None, _taken(cause, process, step))
    if isinstance(outcome, Refusal):
        raise ValueError(f"schedule {schedule.name!r} of {process.name!r} begins no Case: {outcome.sentence}")
    workspace.counts.append(metrics.SCHEDULES_STARTED)


def schedule_of(organisation: Organisation, process: str, cause: str) -> Schedule | None:
    """The schedule of a process that is the cause with this id, if there is one still."""
    with suppress(Unknown):
        return _called(organisation.process(process), cause.removeprefix(f"{process}/").partition("/")[0])
    return None


def _called(process: Process, name: str) -> Schedule:
    for each in process.schedules:
        if each.name == name:
            return each
    raise Unknown(f"process {process.name} has no schedule {name!r}")


def _taken(cause: Envelope, process: Process, step: CreatedByIntegration) -> Taken:
    return Taken(
        step=step,
        process=process.name,
        mailbox=process.default_mailbox,
        effect=announce.effect_id(cause),
    )
