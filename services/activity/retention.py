"""What activity keeps, and for how long: it alone knows what is open, and what stands on it."""

from datetime import datetime
from typing import Any

from services.activity import announce, store_families, store_files, store_retention, store_threads
from services.activity.settings import ActivitySettings
from services.activity.store_retention import OldMail
from shared.blobs import BlobStore
from shared.contracts.envelope import Envelope
from shared.outbox import Outgoing
from shared.retention import Rule, days, in_connection, in_transaction, inbox_rule
from shared.sweeping import blob_rule, doom
from shared.unit_of_work import Batch

SOURCE = "/mailroom/activity/retention"


def rules(settings: ActivitySettings) -> tuple[Rule, ...]:
    """The table of what is removed. Settings of days count from when the activity was closed."""
    return (
        Rule(
            "mails",
            "texts and files of mails on closed activities",
            days(settings.mails_days),
            store_retention.count_mails,
            in_transaction(_mails),
        ),
        Rule(
            "timeline",
            "closed activities' descriptions, notes and files",
            days(settings.timeline_days),
            store_retention.count_activities,
            in_transaction(_texts),
        ),
        Rule(
            "answers",
            "answers to requests",
            days(settings.answers_days),
            store_retention.count_answers,
            in_connection(store_retention.remove_answers),
        ),
        inbox_rule(settings),
        blob_rule(settings, BlobStore(settings.blobs_url, "activity"), store_files.referred),
    )


async def _mails(batch: Batch[Any], before: datetime, limit: int) -> int:
    """A page of mails: their texts here; whoever has their bytes is told.

    Whether a mail is needed is asked again with its activities' families locked: a mail that just came in may
    have put it on another activity (IN-14).
    """
    connection = batch.connection
    found = await store_retention.old_mails(connection, before, limit)
    places = await store_threads.associations(connection, [mail.key for mail in found])
    activities = {(each.organisation, each.activity) for each in places}
    free = await store_families.lock_free(connection, activities)
    busy = {
        (each.organisation, each.mail) for each in places if (each.organisation, each.activity) not in free
    }
    mails = await store_retention.still_old(connection, before, [m.key for m in found if m.key not in busy])
    await store_retention.remove_mails(connection, [mail.key for mail in mails], free, batch.now)
    batch.publish(*(_forget(mail, batch.now) for mail in mails))
    return len(mails)


async def _texts(batch: Batch[Any], before: datetime, limit: int) -> int:
    """A page of activities. Closed ones stay closed, so nothing has to be asked again."""
    found = await store_retention.old_activities(batch.connection, before, limit)
    free = await store_families.lock_free(batch.connection, found)
    await store_retention.remove_texts(batch.connection, free, batch.now)
    await doom(batch.connection, await store_files.remove_of(batch.connection, free, batch.now), batch.now)
    return len(free)


def _forget(mail: OldMail, now: datetime) -> Outgoing:
    cause = Envelope(
        id=f"mail/{mail.id}", source=SOURCE, type="mail.removed", time=now, organisation=mail.organisation
    )
    return announce.mail_forget(cause, mail.id, mail.conversation, incoming=mail.incoming)
