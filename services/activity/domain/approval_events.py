"""The events of approvals (A25)."""

from msgspec import Struct

from services.activity.domain.family_events import Stamp


class ApprovalAsked(Struct, frozen=True, kw_only=True):
    """A level was asked; a mail to each of these users is requested behind it."""

    stamp: Stamp
    round: int
    level: int
    approvers: tuple[str, ...]


class ApprovalGiven(Struct, frozen=True, kw_only=True):
    """Who acts has approved, or has declined."""

    stamp: Stamp
    round: int
    level: int
    approved: bool


OfApprovals = ApprovalAsked | ApprovalGiven
