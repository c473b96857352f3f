"""What ingest does with records that it reads."""

from services.ingest import store_mails
from shared.contracts.ingest_requests import MailSetAside
from shared.organisation_copy import on_organisation
from shared.topics import ACTIVITY_ORGANISATION, INGEST_REQUESTS
from shared.unit_of_work import Batch, Subscription


async def on_requests(batch: Batch[MailSetAside]) -> None:
    """Show what activity could not place among the unhandled mails (UH-1)."""
    asked = [(each.envelope.organisation, each.message) for each in batch.records]
    await store_mails.set_aside(
        batch.connection,
        [(organisation, request.mail, request.detail) for organisation, request in asked],
        [
            (organisation, request.mail, address)
            for organisation, request in asked
            for address in request.addresses
        ],
    )


SUBSCRIPTIONS: tuple[Subscription, ...] = (
    # Repeats change nothing there, so they need no inbox.
    Subscription(ACTIVITY_ORGANISATION, "ingest.organisation", on_organisation, inbox=False),
    # A repeat must not undo what was decided since: these have no answer that could be given again.
    Subscription(INGEST_REQUESTS, "ingest.requests", on_requests),
)
"""Which topic is read by whom, and who works on it."""
