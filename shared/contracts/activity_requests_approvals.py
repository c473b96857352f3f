"""What those who are asked for their approval ask of activity (A25)."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contracts.asking import OnActivity
from shared.contracts.record import Storable

Comment = Annotated[str, StringConstraints(min_length=1, max_length=10_000), Storable]
Place = Annotated[int, Field(ge=1)]


class ActionApprove(OnActivity):
    """Approve, as somebody who is asked at present (A25).

    With `round` or `level` it is an answer to these alone, and refused where another is asked (`not_asked`).
    """

    type: Literal["action.approve"] = "action.approve"
    comment: Comment | None = None
    round: Place | None = None
    level: Place | None = None


class ActionDecline(OnActivity):
    """Decline, and say why, as somebody who is asked at present: the Action comes to people (A25).

    With `round` or `level` it is an answer to these alone, and refused where another is asked (`not_asked`).
    """

    type: Literal["action.decline"] = "action.decline"
    comment: Comment
    round: Place | None = None
    level: Place | None = None


Approving = ActionApprove | ActionDecline
