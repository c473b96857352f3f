"""What ingest does with records that it reads."""

from functools import partial
from typing import Any

from services.ingest import store_mails, store_rereading, store_retention
from services.ingest.intake import Intake
from services.ingest.reinjecting import reinject
from shared.contracts.ingest_requests import MailForget, MailReinject, MailSetAside
from shared.failure import Transient
from shared.organisation_copy import on_organisation
from shared.sweeping import doom
from shared.topics import ACTIVITY_ORGANISATION, INGEST_REQUESTS
from shared.unit_of_work import Batch, Subscription


async def on_requests(intake: Intake, batch: Batch[Any]) -> None:
    """Show what activity could not place among the unhandled mails (UH-1); note what it needs no more, and
    remove what is erased (CT-21); tell again of what is to begin a new activity (CE-3).

    Raises `Transient` while a done folder is read again that such a mail may still lie in.
    """
    requests = [(each.envelope.organisation, each.message) for each in batch.records]
    if await store_rereading.may_turn_up(batch.connection, [(name, each.mail) for name, each in requests]):
        raise Transient("A done folder is still to be read again, after the database was put back.")
    asked = [(organisation, each) for organisation, each in requests if isinstance(each, MailSetAside)]
    forget = [(organisation, each) for organisation, each in requests if isinstance(each, MailForget)]
    unneeded = {(organisation, each.mail) for organisation, each in forget}
    await store_retention.unneeded_since(batch.connection, unneeded, batch.now)
    gone = {(organisation, each.mail) for organisation, each in forget if each.erase}
    await doom(batch.connection, await store_retention.erase(batch.connection, gone, batch.now), batch.now)
    await store_mails.set_aside(
        batch.connection,
        [(organisation, request.mail, request.detail) for organisation, request in asked],
        [
            (organisation, request.mail, address)
            for organisation, request in asked
            for address in request.addresses
        ],
    )
    await reinject(intake, batch, [each for each in batch.records if isinstance(each.message, MailReinject)])


def subscriptions(intake: Intake) -> tuple[Subscription, ...]:
    """Which topic is read by whom, and who works on it."""
    return (
        # Repeats change nothing there, so they need no inbox.
        Subscription(ACTIVITY_ORGANISATION, "ingest.organisation", on_organisation, inbox=False),
        # A repeat must not undo what was decided since: these have no answer that could be given again.
        Subscription(INGEST_REQUESTS, "ingest.requests", partial(on_requests, intake)),
    )
