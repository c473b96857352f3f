"""Outgoing mail from the request to the queue, and what people do about mail that was not sent."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notify import announce, store, store_queue, store_told
from services.notify.attaching import pieces
from services.notify.domain.addresses import compared
from services.notify.domain.compose import compose
from services.notify.domain.delivery import CANCELLABLE, RETRYABLE, State, finish
from services.notify.domain.mail import Asked, ComposedMail, OrganisationView, Refusal, Refused
from services.notify.domain.policy import refusal
from services.notify.domain.rate import WINDOW, Allowance
from services.notify.queued import MailKey, QueuedMail, Settled
from services.notify.store import NewMail
from services.notify.store_told import Decided, Told
from shared.blobs import BlobMissing, BlobStore
from shared.contracts.blob import Blob
from shared.contracts.envelope import Envelope
from shared.contracts.mail import TEXT_LIMIT, Attachment, Content
from shared.contracts.notify_mails import MailRefused
from shared.contracts.notify_requests import MailCompose
from shared.keyring import Keyring
from shared.metrics import OUTGOING_DECIDED
from shared.sweeping import spare
from shared.unit_of_work import Batch

MIME_INLINE_BYTES = 256 * 1024
"""Larger mails lie in the blob store, as ingest does it with what comes in (design §3)."""


class NotAllowed(Exception):
    """A person asked for something that the mail's state does not allow. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Order:
    """A request to work on: as it came, and as the domain sees it."""

    cause: Envelope
    request: MailCompose
    asked: Asked
    organisation: OrganisationView


NOTHING_TOLD: Mapping[MailKey, Told] = {}
Decision = ComposedMail | Refusal | Exception


class Outgoing:
    """Decides about requests: composes what may be sent, refuses the rest, and tells both."""

    def __init__(self, keyring: Keyring, blobs: BlobStore) -> None:
        self._keyring = keyring
        self._blobs = blobs

    async def take(self, batch: Batch[MailCompose], orders: Sequence[Order]) -> list[Exception | None]:
        """Decide about every mail that was not decided before; the mail's id is the natural key.

        Returns for each order the bug it met, if it met one: then nothing was done for it.
        """
        asked_before = await store.known(batch.connection, {_key(order) for order in orders})
        fresh: list[Order] = []
        for order in orders:
            if _key(order) not in asked_before:
                asked_before.add(_key(order))
                fresh.append(order)
        told = await store_told.find(batch.connection, [_key(order) for order in fresh])
        used = await store.automatic_mails(batch.connection, _counted(fresh), batch.now)
        # A tenth of a millisecond a mail: for a whole batch that is too long for the event loop.
        decisions = await asyncio.to_thread(decide, fresh, used, self._keyring, batch.now, told)
        failed: dict[int, Exception] = {}
        mails: list[NewMail] = []
        for order, decision in zip(fresh, decisions, strict=True):
            if isinstance(decision, ComposedMail):
                counts = order.asked.automatic and not _long_ago(told.get(_key(order)), batch.now)
                try:
                    mail, content = await self._kept(batch, order, decision, counts=counts)
                except BlobMissing:
                    decision = Refusal("attachment_missing", "A file that goes with it is gone.")
                else:
                    mails.append(mail)
                    batch.publish(announce.composed(order.cause, order.request, decision, content))
                    batch.count(OUTGOING_DECIDED.labels("composed"))
            if isinstance(decision, Refusal):
                mails.append(_refused(order, decision))
                batch.publish(announce.refused(order.cause, order.request, decision, batch.now))
                batch.count(OUTGOING_DECIDED.labels(decision.code))
            elif isinstance(decision, Exception):
                failed[id(order)] = decision
        await store.add(batch.connection, mails, batch.now)
        await store_told.apply(batch.connection, told.items())
        await store_told.forget(
            batch.connection, told.keys() & {(each.organisation, each.id) for each in mails}
        )
        return [failed.get(id(order)) for order in orders]

    async def _kept(
        self, batch: Batch[MailCompose], order: Order, mail: ComposedMail, *, counts: bool
    ) -> tuple[NewMail, Content]:
        """The same as `_stored`, and nothing of it is swept any more. Raises `BlobMissing` for a file."""
        stored = await self._stored(order, mail, counts=counts)
        if await spare(batch.connection, stored[0].objects):
            return await self._stored(order, mail, counts=counts)  # they were being swept: once more
        return stored

    async def _stored(self, order: Order, mail: ComposedMail, *, counts: bool) -> tuple[NewMail, Content]:
        """What is kept of a mail and what is told of it, once what is large of both is in the blob store."""
        content = await self._content(order, mail)
        blob: Blob | None = None
        if mail.asked.attachments:
            parts = pieces(self._blobs, mail)
            blob = await self._blobs.put_stream(order.organisation.name, parts, "message/rfc822")
        elif len(mail.mime) > MIME_INLINE_BYTES:
            blob = await self._blobs.put(order.organisation.name, mail.mime, "message/rfc822")
        new = NewMail(
            **_about(order),
            message_id=mail.message_id,
            subject=mail.subject,
            sender=mail.sender.address,
            home=mail.home,
            needs_smtputf8=mail.needs_smtputf8,
            mime=None if blob else mail.mime,
            mime_blob=blob,
            recipients=mail.recipients,
            counted=tuple(map(compared, mail.recipients)) if counts else (),
            objects=tuple(sorted({each.object for each in (blob, content.full_text) if each})),
        )
        return new, content

    async def _content(self, order: Order, mail: ComposedMail) -> Content:
        whole: Blob | None = None
        if len(mail.text) > TEXT_LIMIT:
            whole = await self._blobs.put(order.organisation.name, mail.text.encode(), "text/plain")
        files = tuple(Attachment(blob=each) for each in order.request.attachments)
        return Content(subject=mail.subject, text=mail.text[:TEXT_LIMIT], full_text=whole, attachments=files)


def decide(
    orders: Sequence[Order],
    used: Mapping[tuple[str, str], int],
    keyring: Keyring,
    now: datetime,
    told: Mapping[MailKey, Told] = NOTHING_TOLD,
) -> list[Decision]:
    """Compose or refuse, in order. `used` is what each (organisation, address) had within the hour.

    What was `told` of a mail before the database was put back holds, whatever the rules say today.
    """
    allowances: dict[str, Allowance] = {}
    decisions: list[Decision] = []
    for order in orders:
        organisation = order.organisation
        if organisation.name not in allowances:
            own = {address: number for (name, address), number in used.items() if name == organisation.name}
            allowances[organisation.name] = Allowance(organisation.hourly_limit, own)
        try:
            if (known := told.get(_key(order))) is not None and known.decided is not None:
                decisions.append(_decide_again(order, known.decided, keyring, now))
            else:
                decisions.append(_decide(order, allowances[organisation.name], keyring, now))
        except Exception as error:  # a bug of ours costs this mail only
            decisions.append(error)
    return decisions


def _decide(order: Order, allowance: Allowance, keyring: Keyring, now: datetime) -> ComposedMail | Refusal:
    if (broken := refusal(order.asked, order.organisation)) is not None:
        return broken
    try:
        mail = compose(order.asked, order.organisation, keyring, now)
    except Refused as error:
        return error.refusal
    # Last, so that a mail which is refused for another reason uses nothing up.
    if order.asked.automatic and (exceeded := allowance.admit(mail.recipients)) is not None:
        return exceeded
    return mail


def _long_ago(told: Told | None, now: datetime) -> bool:
    """Whether it counts against nobody's hourly limit any more."""
    return told is not None and told.decided is not None and told.decided.at <= now - WINDOW


def _decide_again(order: Order, decided: Decided, keyring: Keyring, now: datetime) -> Decision:
    if isinstance(decided, MailRefused):
        return Refusal(decided.code, decided.detail)
    return compose(order.asked, order.organisation, keyring, now)


async def retry(batch: Batch[Any], organisation: str, mail: UUID) -> QueuedMail | None:
    """Try a deferred or failed mail again at once, with all attempts before it (NT-14).

    Returns None if there is none such. Raises `NotAllowed`.
    """
    found = await store_queue.locked(batch.connection, (organisation, mail))
    if found is None:
        return None
    if found.state not in RETRYABLE:
        raise NotAllowed(f"It is {found.state}; only deferred and failed mail can be tried again.")
    await store_queue.try_again(batch.connection, found, batch.now)
    return found


async def cancel(batch: Batch[Any], organisation: str, mail: UUID, by: str) -> QueuedMail | None:
    """Give a mail up that was not sent (NT-14). A failed one was reported already and is only put away.

    Returns None if there is none such. Raises `NotAllowed`.
    """
    found = await store_queue.locked(batch.connection, (organisation, mail))
    if found is None:
        return None
    if found.state not in CANCELLABLE:
        raise NotAllowed(f"It is {found.state}; only queued, deferred and failed mail can be cancelled.")
    reason = f"Cancelled by {by}."
    await store_queue.cancel(batch.connection, found.key, reason, batch.now)
    if found.state is not State.FAILED:
        end = finish(found.recipients, reason)
        result = Settled(found, end.state, end.recipients, "cancelled", reason, due=None, ended=batch.now)
        batch.publish(announce.settled(result))
    return found


def _key(order: Order) -> tuple[str, UUID]:
    return order.organisation.name, order.request.mail


def _counted(orders: Sequence[Order]) -> set[tuple[str, str]]:
    return {
        (order.organisation.name, compared(person.address))
        for order in orders
        if order.asked.automatic
        for person in order.asked.recipients
    }


def _refused(order: Order, why: Refusal) -> NewMail:
    return NewMail(**_about(order), subject=order.asked.subject or "", refusal=why.code, reason=why.detail)


def _about(order: Order) -> dict[str, Any]:
    request = order.request
    return {
        "organisation": order.organisation.name,
        "id": request.mail,
        "activity": request.activity,
        "reference": request.reference,
        "conversation": request.conversation,
        "mailbox": request.mailbox,
        "automatic": request.automatic,
        "cause": order.cause,
        "requested_at": request.requested,
    }
