"""What becomes of a fetched mail: our own and dropped, unhandled, or received (design §1, section 6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.ingest.domain.automatic import automatic_rules_hit
from services.ingest.domain.blocking import BlockMode, blocked_as
from services.ingest.domain.conversation import (
    Answered,
    find_conversation,
    mails_of_ours_answered,
)
from services.ingest.domain.keys import mail_key
from services.ingest.domain.loopguard import sent_by_us
from services.ingest.domain.mail import ParsedMail
from services.ingest.domain.mailboxes import Mailboxes, PlusMode
from services.ingest.domain.plus import PlusReference, Recipient, our_recipients
from services.ingest.domain.routes import Routed, find_route
from shared.keyring import Keyring
from shared.tokens import OwnMessageId


class UnhandledReason(StrEnum):
    """Why nobody's process takes a mail (UH-1)."""

    UNREADABLE = "unreadable"
    NOT_ADDRESSED = "not addressed"  # no address of ours in To or Cc: Bcc only
    NO_ROUTE = "no route"


@dataclass(frozen=True, slots=True)
class Target:
    """One address of ours in To or Cc. Without a route it can append to an activity, and never opens one.

    `routed_for_test` is the route that a contact for testing takes, which is activity's to know (CT-18).
    """

    mailbox: str
    address: str
    routed: Routed | None
    plus: tuple[PlusReference, ...] = ()
    routed_for_test: Routed | None = None


@dataclass(frozen=True, slots=True)
class OwnMail:
    """We sent it: dropped before any other rule (IN-5, IT-7)."""

    message: OwnMessageId
    explanation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules found out about a mail, whatever becomes of it.

    `blocked` says how its sender is kept out, if so (BL-1); what that leads to is activity's to do.
    `explanation` names the rules that hit, without anybody's address.
    """

    conversation: str
    automatic: tuple[str, ...]
    answered: tuple[Answered, ...]
    plus: tuple[PlusReference, ...]
    targets: tuple[Target, ...]
    explanation: tuple[str, ...]
    blocked: BlockMode | None = None


@dataclass(frozen=True, slots=True)
class Unhandled:
    """It waits for an operator, in the mailbox that it was fetched from (UH-1)."""

    reason: UnhandledReason
    mailbox: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Received:
    """It goes to activity, with at least one target."""

    facts: Facts


Decision = OwnMail | Unhandled | Received


def decide(
    mail: ParsedMail,
    fetched_from: str,
    mailboxes: Mailboxes,
    known: Mapping[str, str],
    *,
    keyring: Keyring,
    key: str | None = None,
) -> Decision:
    """Decide what becomes of a mail fetched from the mailbox named `fetched_from`.

    `known` maps the Message-IDs of received mails to their conversations; earlier mails of the same batch
    come first in it (`ChainMap`). `key` is the mail's key if it differs from `mail_key` (the same Message-ID
    with other content). The targets cover all mailboxes of the organisation, so that every copy of the mail
    says the same; a Bcc copy has no target of its own.
    """
    organisation = mailboxes.organisation
    own = sent_by_us(keyring, organisation, mail)
    if own is not None:
        return OwnMail(own, ("own message-id: dropped",))

    recipients = our_recipients(keyring, mailboxes, (*mail.to, *mail.cc))
    automatic = automatic_rules_hit(mail)
    answered = mails_of_ours_answered(keyring, organisation, mail)
    plus = tuple(dict.fromkeys(recipient.plus for recipient in recipients if recipient.plus is not None))
    conversation = find_conversation(
        organisation, key or mail_key(organisation, mail), mail, answered, plus, known
    )
    matching = _matching(recipients, answered)
    ignored = len(answered) - len(matching)
    targets = _targets(recipients, mail)
    blocked = blocked_as(mailboxes.blocked, mail.sender)
    facts = Facts(
        conversation=conversation.id,
        automatic=automatic,
        answered=matching,
        plus=plus,
        targets=targets,
        explanation=tuple(_explain(mail, automatic, blocked, conversation.found_by, plus, targets, ignored)),
        blocked=blocked,
    )
    reason = _unhandled_reason(mail, facts, known)
    return Unhandled(reason, fetched_from, facts) if reason is not None else Received(facts)


def _matching(recipients: list[Recipient], answered: tuple[Answered, ...]) -> tuple[Answered, ...]:
    """Mailboxes with plus addressing only do not match answers to what we sent (IN-2, AMB-8)."""
    if recipients and all(recipient.mailbox.plus_mode is PlusMode.ONLY for recipient in recipients):
        return ()
    return answered


def _targets(recipients: list[Recipient], mail: ParsedMail) -> tuple[Target, ...]:
    """One target for each address of ours, however often it is named (RT-6)."""
    by_address: dict[str, list[Recipient]] = {}
    for recipient in recipients:
        by_address.setdefault(recipient.address, []).append(recipient)
    return tuple(
        Target(
            mailbox=same[0].mailbox.name,
            address=address,
            routed=find_route(same[0].mailbox, address, mail),
            plus=tuple(dict.fromkeys(recipient.plus for recipient in same if recipient.plus is not None)),
            routed_for_test=find_route(same[0].mailbox, address, mail, for_test=True),
        )
        for address, same in by_address.items()
    )


def _unhandled_reason(mail: ParsedMail, facts: Facts, known: Mapping[str, str]) -> UnhandledReason | None:
    if mail.unparsed_reason is not None:
        return UnhandledReason.UNREADABLE
    if not facts.targets:
        return UnhandledReason.NOT_ADDRESSED
    may_append = (
        facts.plus
        or any(ours.direct for ours in facts.answered)
        or any(message_id in known for message_id in mail.in_reply_to)
    )
    if may_append or any(target.routed for target in facts.targets):
        return None
    return UnhandledReason.NO_ROUTE


def _explain(
    mail: ParsedMail,
    automatic: Iterable[str],
    blocked: BlockMode | None,
    conversation_found_by: str,
    plus: Iterable[PlusReference],
    targets: Iterable[Target],
    ignored: int,
) -> Iterable[str]:
    if mail.unparsed_reason is not None:
        yield f"unparsed: {mail.unparsed_reason}"
    for rule in automatic:
        yield f"automatic: {rule}"
    if blocked is not None:
        yield f"blocked sender: {blocked}"
    yield f"conversation: {conversation_found_by}"
    if ignored:
        yield f"plus addressing only: {ignored} answered mails of ours do not match"
    for reference in plus:
        signed = "signed" if reference.signed else "not signed, counts for participants only"
        yield f"plus address at {reference.mailbox}: {reference.reference or 'conversation'}, {signed}"
    for target in targets:
        route = f"route {target.routed.route}" if target.routed else "no route"
        yield f"addressed {target.mailbox}: {route}"
    if mail.invalid_addresses:
        yield f"unreadable recipients: {len(mail.invalid_addresses)}"
