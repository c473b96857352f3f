"""What happened between activities, as records of the contract: links, and mails that go to others."""

from collections.abc import Callable, Mapping
from typing import Any

from services.activity.domain.events import (
    DepartureMarked,
    Event,
    Linked,
    MailContinued,
    MailCopied,
    MailShared,
    Unlinked,
)
from services.activity.domain.links import Other
from shared.contracts import activity_activities as said

Fields = Callable[[Any, int], dict[str, Any]]
"""The fields of a record that are an event's own; the number is the configuration's version."""


def other_record(other: Other) -> said.OtherActivity:
    """An activity that a record names beside its own."""
    return said.OtherActivity(activity=other.activity, reference=str(other.reference))


def _mail_of_another(happened: MailContinued | MailCopied, _: int) -> dict[str, Any]:
    earlier = happened.earlier
    return {
        "mail": earlier.mail,
        "from_activity": earlier.activity,
        "from_reference": str(earlier.reference),
    }


def _linked(happened: Linked, _: int) -> dict[str, Any]:
    link = happened.link
    return {"with_activity": link.activity, "with_reference": str(link.reference), "reason": link.reason}


def _unlinked(happened: Unlinked, _: int) -> dict[str, Any]:
    return {"with_activity": happened.link.activity, "with_reference": str(happened.link.reference)}


def _mail_shared(happened: MailShared, _: int) -> dict[str, Any]:
    link = happened.link
    return {
        "mail": happened.mail,
        "with_activity": link.activity,
        "with_reference": str(link.reference),
        "received": happened.received,
    }


def _departure_marked(happened: DepartureMarked, _: int) -> dict[str, Any]:
    departure = happened.departure
    return {
        "mail": departure.mail,
        "state": departure.state.value,
        "with_activity": departure.activity,
        "with_reference": str(departure.reference) if departure.reference else None,
        "why": departure.why,
        "asked_on": departure.asked_on,
    }


OF_SEVERAL: Mapping[type[Event], tuple[type[said.ActivityRecord], Fields]] = {
    MailContinued: (said.ActivityMailContinued, _mail_of_another),
    Linked: (said.ActivityLinked, _linked),
    Unlinked: (said.ActivityUnlinked, _unlinked),
    MailCopied: (said.ActivityMailCopied, _mail_of_another),
    MailShared: (said.ActivityMailShared, _mail_shared),
    DepartureMarked: (said.ActivityDepartureMarked, _departure_marked),
}
"""Each such event with its record."""
