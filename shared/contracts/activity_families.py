"""What happened to Tickets that are one family: split, or merged."""

from typing import Literal

from shared.contracts.activity_record import ActivityRecord, OtherActivity
from shared.contracts.record import Name


class TicketSplitInto(ActivityRecord):
    """It was split (T27); each of the new ones says the same in its `ticket.opened`."""

    type: Literal["ticket.split_into"] = "ticket.split_into"
    into: tuple[OtherActivity, ...]


class TicketConverted(ActivityRecord):
    """It goes on as a Case of this process (T30), with its number, and is closed with it (T31)."""

    type: Literal["ticket.converted"] = "ticket.converted"
    into: OtherActivity
    process: Name


class TicketMerged(ActivityRecord):
    """It was merged into another activity, and is closed by that (T33): they are one family from now on."""

    type: Literal["ticket.merged"] = "ticket.merged"
    into: OtherActivity


class ActivityTookOver(ActivityRecord):
    """Another activity was merged into it (T33, T34)."""

    type: Literal["ticket.took_over", "case.took_over", "action.took_over"] = "ticket.took_over"
    source: OtherActivity
