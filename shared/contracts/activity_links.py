"""What happened between linked activities: links, mails that stand on several, mails that begin new ones."""

from typing import Literal
from uuid import UUID

from shared.contracts.activity_record import ActivityRecord
from shared.contracts.record import Reference


class ActivityLinked(ActivityRecord):
    """It is linked with another activity (LK-2)."""

    type: Literal["ticket.linked", "case.linked"] = "ticket.linked"
    with_activity: UUID
    with_reference: Reference
    reason: str


class ActivityUnlinked(ActivityRecord):
    """It is linked with another activity no longer (LK-3)."""

    type: Literal["ticket.unlinked", "case.unlinked"] = "ticket.unlinked"
    with_activity: UUID
    with_reference: Reference


class ActivityMailCopied(ActivityRecord):
    """It began with a mail of the one that it was opened from, as a copy (LK-5): answers go there still."""

    type: Literal["ticket.mail_copied", "case.mail_copied"] = "ticket.mail_copied"
    mail: UUID
    from_activity: UUID
    from_reference: Reference


class ActivityMailShared(ActivityRecord):
    """A mail of it stands on a linked activity too, or with `received` one of the other's here (SH-1).

    Answers to the mail come to both (SH-3).
    """

    type: Literal["ticket.mail_shared", "case.mail_shared"] = "ticket.mail_shared"
    mail: UUID
    with_activity: UUID
    with_reference: Reference
    received: bool = False


class ActivityDepartureMarked(ActivityRecord):
    """How far a mail of it is on its way to a new activity (CE-7); once there, it is read-only here (CE-4).

    The new one is named once it is `done`; `why` says why it `failed`. `asked_on` is the activity that it was
    asked on, where this one has the mail from that (a merge, a split): what comes of it there holds here.
    """

    type: Literal["ticket.departure_marked", "case.departure_marked", "action.departure_marked"] = (
        "ticket.departure_marked"
    )
    mail: UUID
    state: Literal["requested", "done", "failed"]
    with_activity: UUID | None = None
    with_reference: Reference | None = None
    why: str | None = None
    asked_on: UUID | None = None
