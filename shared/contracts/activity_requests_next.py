"""Requests for what is to be done next: by a person or a robot (ST-24, GL-2)."""

from typing import Literal

from shared.contracts.asking import OnActivity, Request, Text


class ActivityNext(OnActivity):
    """Take this as what comes next (T7); `work.take_next` and those of one kind find it, too.

    A robot that asks again for what it has gets it again, three times; then it is taken away and marked for a
    person (ST-24).
    """

    type: Literal["ticket.next", "case.next", "action.next"] = "ticket.next"


class ActivityRejectWork(OnActivity):
    """A robot cannot do it: back to its queue, and marked for a person (T10, ST-8)."""

    type: Literal["ticket.reject_work", "action.reject_work"] = "ticket.reject_work"
    reason: Text


class WorkTakeNext(Request):
    """Find what comes next and take it, in one step (GL-2, ST-20); two who ask at once never get the same.

    `ticket.take_next` looks among Tickets only, `action.take_next` among Actions.

    It is the soonest due of what the actor has and of what nobody of his queues has; who works on that
    already is told so. A robot first gets again what it works on, as `ticket.next` says (ST-24). Without
    anything the request is refused (`nothing_to_do`).
    """

    type: Literal["work.take_next", "ticket.take_next", "action.take_next"] = "work.take_next"
