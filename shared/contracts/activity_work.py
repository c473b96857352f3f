"""What happened to the work on activities: when it is due, whose it is, what customers thought of it."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.activity_due import DueDate
from shared.contracts.activity_record import ActivityRecord
from shared.contracts.record import Name


class ActivityDueChanged(ActivityRecord):
    """Its due date was set by hand, or left to its rule again (SL-1)."""

    type: Literal["ticket.due_changed", "case.due_changed", "action.due_changed"] = "ticket.due_changed"
    due: DueDate


class ActivityNoted(ActivityRecord):
    """Somebody wrote an internal note."""

    type: Literal["ticket.noted", "case.noted", "action.noted"] = "ticket.noted"
    note: UUID


class ActivityInformationMarked(ActivityRecord):
    """Its new-information flag was set or taken away (ST-25)."""

    type: Literal["ticket.information_marked", "case.information_marked", "action.information_marked"] = (
        "ticket.information_marked"
    )
    new: bool


class ActivityKeepingChanged(ActivityRecord):
    """A user said that it stays with him; without a user nobody does any more (ST-20)."""

    type: Literal["ticket.keeping_changed", "case.keeping_changed", "action.keeping_changed"] = (
        "ticket.keeping_changed"
    )
    user: Name | None = None


class ActivityMarkedForPerson(ActivityRecord):
    """No robot gets it until a person had it (ST-8, ST-24). `note` is why the robot gave it up, if it did."""

    type: Literal["ticket.marked_for_person", "action.marked_for_person"] = "ticket.marked_for_person"
    robot: Name
    note: UUID | None = None


class ActivityHandedAgain(ActivityRecord):
    """A robot that asked for more work while it had this got this again (ST-24)."""

    type: Literal["ticket.handed_again", "action.handed_again"] = "ticket.handed_again"
    robot: Name


class ActivityFeedbackGiven(ActivityRecord):
    """A customer rated it, 1 to 5; `note` is the comment (FB-2)."""

    type: Literal["ticket.feedback_given", "case.feedback_given"] = "ticket.feedback_given"
    rating: Annotated[int, Field(ge=1, le=5)]
    note: UUID | None = None
