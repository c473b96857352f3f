"""Kafka in: what each subscription of app.py does with a batch."""

from typing import Any

from services.activity import announce, store_timers
from services.activity.work import Work
from shared import tracing_records
from shared.contracts.activity_answers import RequestRefused
from shared.contracts.envelope import Envelope
from shared.contracts.ingest_mails import MailboxPolled
from shared.contracts.notify_mails import OutgoingMail
from shared.contracts.notify_mails import RequestRefused as NotUnderstood
from shared.logs import get_logger
from shared.outbox import Outgoing
from shared.unit_of_work import Batch, Unknown, Unreadable

log = get_logger(__name__)


class Handlers:
    """The handlers of activity's topics."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def on_mails(self, batch: Batch[Any]) -> None:
        """Mails find their activities; marks say how far a mailbox was read, in this partition.

        Mails and marks share a transaction: who sees a mark sees what came before it (design §5).
        """
        marks = [each for each in batch.records if isinstance(each.message, MailboxPolled)]
        mails = [each for each in batch.records if not isinstance(each.message, MailboxPolled)]
        if mails:
            await self._work.perform(batch, mails)
        await store_timers.note_polled(
            batch.connection,
            [
                (
                    mark.envelope.organisation,
                    mark.message.mailbox,
                    mark.message.partition,
                    mark.message.until,
                )
                for mark in marks
            ],
        )

    async def on_reports(self, batch: Batch[Any]) -> None:
        """Delivery reports are written down; a request that notify cannot read is logged."""
        for each in tracing_records.each(batch.records):
            if isinstance(each.message, NotUnderstood):
                log.error(
                    "notify did not understand a request",
                    request=each.message.request.id,
                    reason=each.message.detail,
                )
        reports = [each for each in batch.records if isinstance(each.message, OutgoingMail)]
        if reports:
            await self._work.perform(batch, reports)

    async def on_requests(self, batch: Batch[Any]) -> None:
        """Requests are done or refused, and answered."""
        await self._work.perform(batch, batch.records)


def refuse(envelope: Envelope, reason: Unknown | Unreadable) -> Outgoing:
    """The answer to a request that this version does not know, or that breaks its contract."""
    code = "unknown_request" if isinstance(reason, Unknown) else "malformed_request"
    record = RequestRefused(request=announce.asked_by(envelope), code=code, detail=reason.detail)
    return announce.answer(envelope, record)
