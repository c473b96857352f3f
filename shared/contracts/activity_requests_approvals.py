"""What those who are asked for their approval ask of activity (A25)."""

from typing import Literal

from shared.contracts.asking import OnActivity, Text


class ActionApprove(OnActivity):
    """Approve, as somebody who is asked at present (A25)."""

    type: Literal["action.approve"] = "action.approve"
    comment: Text | None = None


class ActionDecline(OnActivity):
    """Decline, and say why, as somebody who is asked at present: the Action comes to people (A25)."""

    type: Literal["action.decline"] = "action.decline"
    comment: Text


Approving = ActionApprove | ActionDecline
