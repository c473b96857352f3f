"""What others ask of activity about splits and merges (beside `activity_requests.py`)."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contracts.asking import CustomFields, OnActivity, Text, Title
from shared.contracts.record import Name, Part, Reference, Storable


class SplitPart(Part):
    """What one of the Tickets is about that a Ticket is split into; the rules say what has to be there."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=998), Storable] = ""
    description: Annotated[str, StringConstraints(max_length=1_000_000), Storable] = ""
    category: str | None = None


class TicketSplit(OnActivity):
    """Split it into at least two Tickets (T27); it waits until all of them are closed."""

    type: Literal["ticket.split"] = "ticket.split"
    parts: Annotated[tuple[SplitPart, ...], Field(max_length=50)]


class TicketConvert(OnActivity):
    """Let it go on as a Case of this process, with its number (T30, GL-7); it waits until that is closed.

    The Case begins with what the Ticket has, and with what is said here instead.
    """

    type: Literal["ticket.convert"] = "ticket.convert"
    process: Name
    title: Title | None = None
    description: Text | None = None
    fields: CustomFields = Field(default_factory=dict)


class TicketMergeInto(OnActivity):
    """Merge it into another Ticket, a Case or an Action, which closes it (T33)."""

    type: Literal["ticket.merge_into"] = "ticket.merge_into"
    into: Reference


class ActivityMerge(OnActivity):
    """Merge Tickets into this one, which closes them (T33, T34): all of them, or none."""

    type: Literal["ticket.merge", "case.merge", "action.merge"] = "ticket.merge"
    sources: Annotated[tuple[Reference, ...], Field(min_length=1, max_length=50)]
