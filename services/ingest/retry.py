"""Decides about an unhandled mail again, with today's configuration and parser (UH-1)."""

from uuid import UUID

from services.ingest import store_mails, store_queries, tracing
from services.ingest.claim_checks import prepare
from services.ingest.intake import Intake, publish_verdict, write_effects
from services.ingest.mail_rows import UNHANDLED
from services.ingest.reading import FetchedMail
from services.ingest.store_queries import ShownMail
from shared.unit_of_work import Batch


class NotWhole(Exception):
    """Only the head of the mail is here: it was too large to be taken in."""


async def retry(intake: Intake, organisation: str, shown: ShownMail) -> ShownMail:
    """Parse and decide again; the mail as it is then. One that is unhandled no longer stays as it is.

    Raises `NotWhole`, `BlobMissing`, `BlobsUnavailable`, and what a mistake of ours in parsing or deciding
    raises.
    """
    mail = shown.id
    raw = await intake.work.run(lambda batch: store_mails.raw(batch.connection, organisation, mail))
    if raw is None or raw.truncated:
        raise NotWhole(f"{shown.size} bytes were more than is taken in")
    data = raw.bytes if raw.bytes is not None else await intake.blobs.get(raw.object or "")
    with tracing.retrying(shown.mailbox) as span:
        fetched = FetchedMail(0, data, shown.size, shown.received_at, span=span)
        return await _again(intake, organisation, shown, fetched)


async def _again(intake: Intake, organisation: str, shown: ShownMail, fetched: FetchedMail) -> ShownMail:
    mail = shown.id
    parsed = await intake.parser.parse_page([fetched.raw])
    (one,) = await prepare(intake.blobs, intake.keyring, organisation, [fetched], parsed)

    async def again(batch: Batch[object]) -> ShownMail:
        state = await store_queries.lock(batch.connection, organisation, mail)
        if state == UNHANDLED:
            around = await intake.circumstances(batch, organisation, shown.mailbox)
            known = await intake.known(batch, organisation, shown.mailbox, [one.mail], [shown.key])
            verdict = publish_verdict(batch, one, around, known, shown.key)
            await intake.hold(batch, organisation, [verdict])
            await write_effects(batch.connection, organisation, [verdict])
        return await _read(batch, organisation, mail)

    return await intake.work.run(again)


async def _read(batch: Batch[object], organisation: str, mail: UUID) -> ShownMail:
    shown = await store_queries.mail(batch.connection, organisation, mail)
    assert shown is not None, "a mail that was locked is there"
    return shown
