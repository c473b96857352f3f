"""What ingest keeps, and for how long. Whether a mail of an activity is still needed is activity's to say."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from services.ingest import store_retention
from services.ingest.settings import IngestSettings
from shared.blobs import BlobStore
from shared.postgres import Connection
from shared.readers import LONGEST_REPEATED
from shared.retention import Page, Rule, days, in_transaction, inbox_rule
from shared.sweeping import blob_rule, doom
from shared.unit_of_work import Batch

_Remove = Callable[[Connection, datetime, int, datetime], Awaitable[tuple[int, list[str]]]]


def rules(settings: IngestSettings) -> tuple[Rule, ...]:
    """The table of what is removed."""
    return (
        Rule(
            "mails",
            "mails that activity needs no more",
            LONGEST_REPEATED,
            store_retention.unneeded,
            _mails(store_retention.remove_unneeded),
        ),
        Rule(
            "unhandled",
            "unhandled and own mails",
            days(settings.unhandled_days),
            store_retention.of_nobody,
            _mails(store_retention.remove_of_nobody),
        ),
        inbox_rule(settings),
        blob_rule(settings, BlobStore(settings.blobs_url, "ingest"), store_retention.referred),
    )


def _mails(remove: _Remove) -> Page:
    """The bytes of a page of mails, whose objects are doomed with them."""

    async def page(batch: Batch[Any], before: datetime, limit: int) -> int:
        number, objects = await remove(batch.connection, before, limit, batch.now)
        await doom(batch.connection, objects, batch.now)
        return number

    return in_transaction(page)
