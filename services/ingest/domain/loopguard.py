"""Recognises our own mail by what it carries, without a table (IN-5, design §1)."""

from services.ingest.domain.mail import ParsedMail
from shared.keyring import Keyring
from shared.tokens import OwnMessageId, Signature, parse_message_id


def own_message_id(keyring: Keyring, organisation: str, message_id: str) -> OwnMessageId | None:
    """What a Message-ID that we gave says; None for everybody else's and for forged ones."""
    own = parse_message_id(keyring, organisation, message_id)
    return own if own is not None and own.signature is Signature.VALID else None


def sent_by_us(keyring: Keyring, organisation: str, mail: ParsedMail) -> OwnMessageId | None:
    """What the mail's own Message-ID says if we sent it: such a mail is dropped before all else (IN-5)."""
    if mail.message_id is None:
        return None
    return own_message_id(keyring, organisation, mail.message_id)
