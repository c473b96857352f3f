"""From decisions to records of `ingest.mails.v1`."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from services.ingest.domain.conversation import Answered
from services.ingest.domain.decide import Facts, Target
from services.ingest.domain.mail import Address, ParsedMail
from services.ingest.domain.plus import PlusReference
from services.ingest.domain.routes import Routed
from shared.contracts import ingest_mails as contract
from shared.contracts.envelope import Envelope, source_of
from shared.contracts.ingest_mails import MailboxPolled, MailNotReinjected, MailReceived
from shared.contracts.ingest_requests import MailReinject
from shared.contracts.mail import Content, Mailbox
from shared.contracts.organisation_mail import BlockMode
from shared.contracts.record import Record
from shared.identity import derive
from shared.organisation import Organisation
from shared.topics import INGEST_MAILS
from shared.unit_of_work import Outgoing

SOURCE = source_of("ingest")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def mail_id(key: str, mail: ParsedMail, arrived: datetime | None) -> UUID:
    """The id of the mail with this key, the same whenever it is taken in again."""
    return derive(_time_of(mail, arrived), SOURCE, key, "mail")


def mail_received(
    organisation: Organisation,
    *,
    id: UUID,
    key: str,
    mailbox: str,
    mail: ParsedMail,
    arrived: datetime | None,
    content: Content,
    facts: Facts,
    conversation: str,
    targets: Sequence[Target],
    returns: int,
    now: datetime,
    traceparent: str | None = None,
    reinjected_for: UUID | None = None,
    asked: str = "",
) -> Outgoing:
    """`mail.received` for these targets of a mail. Raises `ValidationError` for what breaks the contract.

    `asked` is the id of the request that wants it told again, for the activity `reinjected_for` (CE-3).
    """
    record = MailReceived(
        mail=id,
        mailbox=mailbox,
        conversation=conversation,
        message_id=mail.message_id,
        in_reply_to=mail.in_reply_to,
        references=mail.references,
        dated=mail.date,
        received=arrived or now,
        sender=_address(mail.sender) if mail.sender else None,
        reply_to=_addresses(mail.reply_to),
        to=_addresses(mail.to),
        cc=_addresses(mail.cc),
        content=content,
        automatic=", ".join(facts.automatic) or None,
        blocked=BlockMode(facts.blocked.value) if facts.blocked else None,
        answered=tuple(map(_answered, facts.answered)),
        plus=tuple(map(_plus, facts.plus)),
        targets=tuple(map(_target, targets)),
        explanation=facts.explanation,
        configuration=organisation.version,
        reinjected_for=reinjected_for,
    )
    # Which targets are told is part of the id, and how often activity gave the mail back: a later record
    # with the missing ones, or of a mail that is tried again, is another record.
    ordinal = f"received{returns or ''} " + " ".join(sorted(target.address for target in targets))
    if reinjected_for is not None:
        ordinal = f"reinjected for {reinjected_for} by {asked}"
    event = derive(_time_of(mail, arrived), SOURCE, key, ordinal)
    return _outgoing(organisation.name, conversation, record, event, str(id), now, traceparent=traceparent)


def mail_not_reinjected(
    cause: Envelope, conversation: str, request: MailReinject, why: Literal["no_route", "not_kept"]
) -> Outgoing:
    """`mail.not_reinjected`, in answer to a request (CE-7)."""
    record = MailNotReinjected(mail=request.mail, activity=request.activity, why=why)
    event = derive(cause.time, cause.source, f"{cause.organisation}/{cause.id}", "not reinjected")
    subject = str(request.mail)
    return _outgoing(
        cause.organisation, conversation, record, event, subject, cause.time, traceparent=cause.traceparent
    )


def mailbox_polled(organisation: str, mailbox: str, until: datetime) -> list[Outgoing]:
    """`mailbox.polled` for every partition."""
    return [
        _outgoing(
            organisation,
            mailbox,
            MailboxPolled(mailbox=mailbox, until=until, partition=partition),
            derive(until, SOURCE, f"{organisation}/{mailbox}", f"polled {partition}"),
            mailbox,
            until,
            partition,
        )
        for partition in range(INGEST_MAILS.partitions)
    ]


def _outgoing(
    organisation: str,
    key: str,
    record: Record,
    event: UUID,
    subject: str,
    time: datetime,
    partition: int | None = None,
    traceparent: str | None = None,
) -> Outgoing:
    key = INGEST_MAILS.key_for(organisation, key)
    envelope = Envelope(
        id=str(event),
        source=SOURCE,
        type=record.type,
        time=time,
        organisation=organisation,
        subject=subject,
        partitionkey=key,
        correlationid=subject,
        traceparent=traceparent,
    )
    return Outgoing(INGEST_MAILS, key, envelope, record, partition)


def _time_of(mail: ParsedMail, arrived: datetime | None) -> datetime:
    """A time that belongs to the mail itself: its own date, or when the server got it."""
    return max(mail.date or arrived or _EPOCH, _EPOCH)


def _address(address: Address) -> Mailbox:
    return Mailbox(address=address.address, name=address.name)


def _addresses(addresses: Iterable[Address]) -> tuple[Mailbox, ...]:
    return tuple(map(_address, addresses))


def _answered(answered: Answered) -> contract.Answered:
    return contract.Answered(
        message_id=answered.message_id,
        reference=str(answered.reference) if answered.reference else None,
        conversation=answered.conversation,
        direct=answered.direct,
    )


def _plus(plus: PlusReference) -> contract.PlusReference:
    return contract.PlusReference(
        address=plus.address,
        mailbox=plus.mailbox,
        reference=str(plus.reference) if plus.reference else None,
        conversation=plus.conversation,
        signed=plus.signed,
    )


def _target(target: Target) -> contract.Target:
    return contract.Target(
        mailbox=target.mailbox,
        address=target.address,
        routed=_routed(target.routed),
        routed_for_test=_routed(target.routed_for_test),
    )


def _routed(routed: Routed | None) -> contract.Routed | None:
    if routed is None:
        return None
    return contract.Routed(
        route=routed.route,
        process=routed.process,
        category=routed.category,
        send_automated_emails=routed.send_automated_emails,
        test_mode=routed.test_mode,
    )
