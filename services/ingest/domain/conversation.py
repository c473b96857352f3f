"""Finds the conversation that a mail belongs to (design §1). It gives order; nothing else rests on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.ingest.domain.keys import key_of_message_id
from services.ingest.domain.loopguard import own_message_id
from services.ingest.domain.mail import ParsedMail
from services.ingest.domain.plus import PlusReference
from shared.keyring import Keyring
from shared.references import Reference
from shared.tokens import conversation_of_root


@dataclass(frozen=True, slots=True)
class Answered:
    """A mail of ours that this one answers, by a valid Message-ID (without angle brackets).

    `direct` is true for In-Reply-To, which matches (IN-2); References only place the mail.
    """

    message_id: str
    reference: Reference | None
    conversation: str
    direct: bool


@dataclass(frozen=True, slots=True)
class Conversation:
    """The conversation (16 hexadecimal digits) and the name of the rule that found it."""

    id: str
    found_by: str


def parents(mail: ParsedMail) -> tuple[str, ...]:
    """The Message-IDs that this mail may belong to, nearest first: In-Reply-To, then References backwards.

    This is what a caller looks up before it decides.
    """
    return tuple(dict.fromkeys((*mail.in_reply_to, *reversed(mail.references))))


def mails_of_ours_answered(keyring: Keyring, organisation: str, mail: ParsedMail) -> tuple[Answered, ...]:
    """The mails of ours among the parents, nearest first."""
    return tuple(
        Answered(message_id, own.reference, own.conversation, direct=message_id in mail.in_reply_to)
        for message_id in parents(mail)
        if (own := own_message_id(keyring, organisation, message_id)) is not None
        and own.conversation is not None
    )


def find_conversation(
    organisation: str,
    key: str,
    mail: ParsedMail,
    answered: Iterable[Answered],
    plus: Iterable[PlusReference],
    known: Mapping[str, str],
) -> Conversation:
    """The mail's conversation. `key` is the mail's own, `known` maps Message-IDs to conversations.

    In this order: a mail of ours that it answers; a signed plus address; a known parent; the root that its
    headers name; itself. A reply that overtakes its root names it by the first of its References, so both
    land in the same conversation.
    """
    for ours in answered:
        return Conversation(ours.conversation, "own message-id")
    for reference in plus:
        if reference.conversation is not None:
            return Conversation(reference.conversation, "signed plus address")
    for message_id in parents(mail):
        if message_id in known:
            return Conversation(known[message_id], "known parent")
    for message_id in (*mail.references, *mail.in_reply_to):
        root = key_of_message_id(organisation, message_id)
        return Conversation(conversation_of_root(organisation, root), "named root")
    return Conversation(conversation_of_root(organisation, key), "itself")
