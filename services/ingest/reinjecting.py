"""Tells of a mail again, as one that must not be appended: somebody wants a new activity of it (CE-3)."""

from collections.abc import Sequence
from typing import Any, Literal

from services.ingest import store_mails, store_queries
from services.ingest.announce import mail_not_reinjected, mail_received
from services.ingest.claim_checks import prepare
from services.ingest.domain.decide import Received, Target, decide
from services.ingest.intake import Intake
from services.ingest.judging import Verdict
from services.ingest.mail_rows import RECEIVED, PreparedMail
from services.ingest.parsing.worker import WorkerUnavailable
from services.ingest.reading import FetchedMail
from services.ingest.store_queries import ShownMail
from shared.blobs import BlobMissing, BlobsUnavailable
from shared.contracts.ingest_requests import MailReinject
from shared.decoding import Incoming
from shared.failure import Transient
from shared.unit_of_work import Batch


async def reinject(intake: Intake, batch: Batch[Any], asked: Sequence[Incoming[MailReinject]]) -> None:
    """Publish each mail once more, or why not. People ask for it, one mail at a time: there are never many.

    Raises `Transient` while something that this needs is away.
    """
    for one in asked:
        organisation, request = one.envelope.organisation, one.message
        shown = await store_queries.mail(batch.connection, organisation, request.mail)
        kept = await _kept(intake, batch, organisation, shown) if shown else None
        if shown is None or kept is None:
            _refuse(batch, one, shown, "not_kept")
        elif not await _publish(intake, batch, one, shown, kept):
            _refuse(batch, one, shown, "no_route")


async def _kept(
    intake: Intake, batch: Batch[Any], organisation: str, shown: ShownMail
) -> PreparedMail | None:
    """The mail with all that was made of its bytes, if they are here whole."""
    raw = await store_mails.raw(batch.connection, organisation, shown.id)
    if raw is None or raw.truncated or shown.state != RECEIVED or shown.conversation is None:
        return None
    try:
        data = raw.bytes if raw.bytes is not None else await intake.blobs.get(raw.object or "")
        fetched = FetchedMail(0, data, shown.size, shown.received_at)
        parsed = await intake.parser.parse_page([data])
        (prepared,) = await prepare(intake.blobs, intake.keyring, organisation, [fetched], parsed)
    except BlobMissing:
        return None
    except (BlobsUnavailable, WorkerUnavailable) as error:
        raise Transient("Something that telling of a mail again needs is away.") from error
    return prepared


async def _publish(
    intake: Intake, batch: Batch[Any], one: Incoming[MailReinject], shown: ShownMail, kept: PreparedMail
) -> bool:
    """Whether a route of the mailbox that the mail came through takes it; then it is published (AMB-32)."""
    request = one.message
    around = await intake.circumstances(batch, one.envelope.organisation, request.mailbox)
    decision = decide(kept.mail, request.mailbox, around.mailboxes, {}, keyring=intake.keyring, key=shown.key)
    if not isinstance(decision, Received):
        return False
    targets = _routed(decision.facts.targets, request.mailbox)
    if not targets:
        return False
    told = mail_received(
        around.organisation,
        id=shown.id,
        key=shown.key,
        mailbox=request.mailbox,
        mail=kept.mail,
        arrived=shown.received_at,
        content=kept.content,
        facts=decision.facts,
        conversation=shown.conversation or "",
        targets=targets,
        returns=0,
        now=batch.now,
        traceparent=one.envelope.traceparent,
        reinjected_for=request.activity,
        asked=one.envelope.id,
    )
    batch.publish(told)
    await intake.hold(batch, one.envelope.organisation, [Verdict(kept, shown.id, outgoing=told)])
    return True


def _routed(targets: Sequence[Target], mailbox: str) -> tuple[Target, ...]:
    return tuple(target for target in targets if target.mailbox == mailbox and target.routed)


def _refuse(
    batch: Batch[Any],
    one: Incoming[MailReinject],
    shown: ShownMail | None,
    why: Literal["no_route", "not_kept"],
) -> None:
    # Activity keys what it asks by the mail's conversation: the answer goes the same way.
    conversation = shown.conversation if shown else None
    batch.publish(mail_not_reinjected(one.envelope, conversation or str(one.message.mail), one.message, why))
