"""What ingest does with records that it reads."""

from shared.organisation import on_organisation
from shared.topics import ACTIVITY_ORGANISATION
from shared.unit_of_work import Subscription

SUBSCRIPTIONS: tuple[Subscription, ...] = (
    # Repeats change nothing there, so they need no inbox.
    Subscription(ACTIVITY_ORGANISATION, "ingest.organisation", on_organisation, inbox=False),
)
"""Which topic is read by whom, and who works on it."""
