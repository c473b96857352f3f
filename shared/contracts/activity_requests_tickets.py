"""What others ask of activity about Tickets alone: waits that end by themselves, and resolutions."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.asking import OnActivity
from shared.contracts.record import Name


class TicketWait(OnActivity):
    """Wait for more information for some days (T11).

    `reason` is one of the process's wait reasons; a `category` changes it with the wait (ST-20).
    """

    type: Literal["ticket.wait"] = "ticket.wait"
    days: Annotated[int, Field(ge=1, le=365)]
    close_if_no_response: bool = False
    reason: Name | None = None
    category: str | None = None


class ResolutionMethod(StrEnum):
    """How a user resolves a Ticket (ST-18)."""

    WITH_CUSTOMER_RESPONSE = "with_customer_response"
    NO_CUSTOMER_RESPONSE = "no_customer_response"
    REJECTED = "rejected"
    REJECTED_AS_SPAM = "rejected_as_spam"


class TicketResolve(OnActivity):
    """Resolve it (T6, T18, T19), or reject it as spam (T21); a `category` changes it with that (ST-20)."""

    type: Literal["ticket.resolve"] = "ticket.resolve"
    method: ResolutionMethod
    category: str | None = None
