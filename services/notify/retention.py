"""What notify keeps, and for how long. Whether a mail is still needed is activity's to say."""

from datetime import datetime, timedelta
from typing import Any

from services.notify import store_retention
from services.notify.domain.rate import WINDOW
from services.notify.settings import NotifySettings
from shared.blobs import BlobStore
from shared.retention import Rule, in_connection, in_transaction, inbox_rule
from shared.sweeping import blob_rule, doom
from shared.unit_of_work import Batch


def rules(settings: NotifySettings) -> tuple[Rule, ...]:
    """The table of what is removed."""
    return (
        Rule(
            "mails",
            "sent mails that activity needs no more",
            timedelta(0),
            store_retention.unneeded,
            in_transaction(_mails),
        ),
        Rule(
            "automatic",
            "notes of who was sent an automatic mail",
            2 * WINDOW,
            store_retention.automatic,
            in_connection(store_retention.remove_automatic),
        ),
        inbox_rule(settings),
        blob_rule(settings, BlobStore(settings.blobs_url, "notify"), store_retention.referred),
    )


async def _mails(batch: Batch[Any], before: datetime, limit: int) -> int:
    """A page of mails, whose objects are doomed with them."""
    number, objects = await store_retention.remove_unneeded(batch.connection, before, limit, batch.now)
    await doom(batch.connection, objects, batch.now)
    return number
