"""Nobody whom an approval asks can answer any more, once a configuration holds: it comes to people (A25)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.activity import asking_approvers
from services.activity.needs import Needs
from services.activity.running_cases import holds
from services.activity.store_uses import LeftAlone
from services.activity.taking_steps import carry_out, step_of
from services.activity.workspace import Workspace
from shared.contracts.envelope import Envelope
from shared.contracts.record import Record
from shared.unit_of_work import Incoming

SOURCE = "/mailroom/activity/approvers"


class ApproversLeft(Record):
    """An approval has lost those who could answer. It never travels: the cause of a step nobody asked for."""

    type: Literal["approvers.left"] = "approvers.left"
    activity: UUID


def left(
    organisation: str, version: int, found: Iterable[LeftAlone], at: datetime
) -> list[Incoming[ApproversLeft]]:
    """The records of approvals that this version of the configuration leaves alone."""
    return [
        Incoming(
            Envelope(
                id=f"{each.id}/{version}",
                source=SOURCE,
                type="approvers.left",
                time=at,
                organisation=organisation,
            ),
            ApproversLeft(activity=each.id),
        )
        for each in found
    ]


def gather(incoming: Incoming[ApproversLeft], needs: Needs) -> None:
    """The Action, and so its Case."""
    needs.activities.add((incoming.envelope.organisation, incoming.message.activity))


def perform(workspace: Workspace, incoming: Incoming[ApproversLeft]) -> None:
    """What the rules say of it now."""
    cause = incoming.envelope
    action = workspace.activities[cause.organisation, incoming.message.activity]
    step = asking_approvers.next_step(workspace, cause, action, holds)
    if step is not None:
        carry_out(workspace, cause, action, step_of(action, step, cause))
