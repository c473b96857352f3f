"""What happened to approvals: who was asked, and what they said (A25)."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.activity_record import ActivityRecord
from shared.contracts.record import Name

Count = Annotated[int, Field(ge=1)]
"""Rounds and levels are counted from 1."""


class ActionApprovalAsked(ActivityRecord):
    """A level of an approval is asked; each of its approvers gets a mail with a link (A25).

    A new round begins at the first level, and what was said in earlier ones counts no more.
    """

    type: Literal["action.approval_asked"] = "action.approval_asked"
    round: Count
    level: Count
    approvers: tuple[Name, ...]


class ActionApprovalGiven(ActivityRecord):
    """Somebody who was asked has approved, or has declined (A25): its actor. A comment is a note."""

    type: Literal["action.approval_given"] = "action.approval_given"
    round: Count
    level: Count
    approved: bool


OfApprovals = ActionApprovalAsked | ActionApprovalGiven
