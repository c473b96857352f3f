"""Signed plus addresses and Message-IDs: what we send says by itself which conversation it belongs to.

A token (AMB-38) is 149 bits and one spare bit, written as 30 characters of RFC 4648 base32, lower case:

    key id   5 bits    which key of the keyring signed
    conv.   64 bits    the conversation (design §1)
    MAC     80 bits    HMAC-SHA256(key, organisation || 00 || conversation || reference), its first 10 bytes
    spare    1 bit     zero; anything else is refused

Most significant bit first, so the first character is the key id. Organisation is UTF-8, conversation 8
bytes big-endian, reference the canonical upper-case form in ASCII, or nothing. The MAC does not cover the
mail id of a Message-ID: who holds a token may invent other mail ids of the same conversation, and gains
nothing by it. Test vectors: tests/data/token_vectors.json.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.keyring import Keyring
from shared.references import Reference
from shared.references import parse as parse_reference

LOCAL_PART_LIMIT = 64
"""Octets of an address before its @ (RFC 5321 4.5.3.1.1, PA-8)."""
ADDRESS_LIMIT = 254
"""Octets of a whole address (PA-8)."""
TOKEN_LENGTH = 30

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_CONVERSATION = re.compile(r"[0-9a-f]{16}")
_TOKEN = re.compile(rf"[{_ALPHABET}]{{{TOKEN_LENGTH}}}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
# What RFC 5322 calls a dot-atom. Only such local parts get a plus; quoted ones stay as they are.
_DOT_ATOM = re.compile(r"[^\s\"(),:;<>@\[\\\]]+")


class Signature(StrEnum):
    """What became of the token. Only VALID is to be trusted; the others count as AMB-38 says."""

    VALID = "valid"
    WRONG = "wrong"  # forged, of another organisation, or by a key that is retired
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class PlusAddress:
    """A plus address that we recognise (PA-7).

    `base` is the address without its plus part, in lower case: whether that is one of our mailboxes is
    the caller's question. `conversation` (16 hex digits) is set exactly if the signature is VALID.
    """

    base: str
    reference: Reference | None
    conversation: str | None
    signature: Signature


@dataclass(frozen=True, slots=True)
class OwnMessageId:
    """A Message-ID of our own form. `conversation` is set exactly if the signature is VALID."""

    mail_id: UUID
    reference: Reference | None
    conversation: str | None
    signature: Signature


def conversation_of_root(organisation: str, root_key: str) -> str:
    """The conversation that begins with the mail `root_key` (design §7): 64 bits as 16 hex digits."""
    return _conversation(organisation, "mail", root_key)


def conversation_of_activity(organisation: str, activity: UUID) -> str:
    """The conversation of a thread that we open for an activity: 64 bits as 16 hex digits."""
    return _conversation(organisation, "activity", str(activity))


def sign(keyring: Keyring, organisation: str, conversation: str, reference: Reference | None = None) -> str:
    """The token for a conversation and, perhaps, a reference. `conversation` is 16 lower-case hex digits."""
    if not _CONVERSATION.fullmatch(conversation):
        raise ValueError(f"conversation {conversation!r} is not 16 lower-case hex digits")
    number = int(conversation, 16)
    mac = _mac(keyring.keys[keyring.signs], organisation, number, reference)
    value = (keyring.signs << 144 | number << 80 | mac) << 1
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(145, -1, -5))


def verify(keyring: Keyring, organisation: str, text: str, reference: Reference | None = None) -> str | None:
    """The conversation that a token names, in any case of letters; None if it is not valid."""
    token = _spelled(text)
    if token is None:
        return None
    value = 0
    for character in token:
        value = value << 5 | _VALUES[character]
    if value & 1:
        return None
    key = keyring.keys.get(value >> 145)
    if key is None:
        return None
    number = value >> 81 & (1 << 64) - 1
    expected = _mac(key, organisation, number, reference)
    given = value >> 1 & (1 << 80) - 1
    if not hmac.compare_digest(expected.to_bytes(10, "big"), given.to_bytes(10, "big")):
        return None
    return f"{number:016x}"


def reply_address(
    keyring: Keyring, organisation: str, mailbox: str, conversation: str, reference: Reference | None
) -> str:
    """The address that answers should come back to (PA-2, PA-8, AMB-38).

    The first of these that fits 64 octets before the @ and 254 altogether: reference and token, token
    alone, the plain mailbox address (then only Message-IDs lead home).
    """
    local, _, domain = mailbox.rpartition("@")
    if not _DOT_ATOM.fullmatch(local):
        return mailbox
    suffixes = [sign(keyring, organisation, conversation)]
    if reference is not None:
        suffixes.insert(0, f"{reference}.{sign(keyring, organisation, conversation, reference)}")
    for suffix in suffixes:
        signed = f"{local}+{suffix}"
        if len(signed.encode()) <= LOCAL_PART_LIMIT and len(f"{signed}@{domain}".encode()) <= ADDRESS_LIMIT:
            return f"{signed}@{domain}"
    return mailbox


def parse_plus_address(keyring: Keyring, organisation: str, address: str) -> PlusAddress | None:
    """Read a plus address (PA-7); None when it is an ordinary address.

    The text after the last `+` is a reference, a reference and a token, or a token, in any case of letters.
    """
    local, _, domain = address.strip().rpartition("@")
    base, plus, suffix = local.rpartition("+")
    if not (plus and base and domain):
        return None
    found = _parse_suffix(keyring, organisation, suffix)
    return PlusAddress(f"{base}@{domain}".lower(), *found) if found else None


def message_id(
    keyring: Keyring,
    organisation: str,
    domain: str,
    mail_id: UUID,
    conversation: str,
    reference: Reference | None,
) -> str:
    """The Message-ID of a mail that we send, with its angle brackets (design §1)."""
    token = sign(keyring, organisation, conversation, reference)
    middle = f"{reference}.{token}" if reference is not None else token
    return f"<{mail_id}.{middle}@{domain}>"


def parse_message_id(keyring: Keyring, organisation: str, text: str) -> OwnMessageId | None:
    """Read a Message-ID, with or without angle brackets; None when it is not of our form.

    The domain is not looked at: mailboxes move between domains, and the token says enough.
    """
    local, at, _ = text.strip().removeprefix("<").removesuffix(">").rpartition("@")
    mail_id, dot, rest = local.partition(".")
    if not (at and dot):
        return None
    if not _UUID.fullmatch(mail_id):
        return None
    found = _parse_suffix(keyring, organisation, rest)
    # We never send an unsigned Message-ID: a bare reference there is somebody else's idea.
    if found is None or found[2] is Signature.ABSENT:
        return None
    return OwnMessageId(UUID(mail_id), *found)


def _parse_suffix(
    keyring: Keyring, organisation: str, suffix: str
) -> tuple[Reference | None, str | None, Signature] | None:
    """`<reference>`, `<reference>.<token>` or `<token>`; None for anything else."""
    if (bare := parse_reference(suffix)) is not None:
        return bare, None, Signature.ABSENT
    before, dot, token = suffix.rpartition(".")
    reference = parse_reference(before)
    if _spelled(token) is None or (dot and reference is None):
        return None
    conversation = verify(keyring, organisation, token, reference)
    return reference, conversation, Signature.VALID if conversation else Signature.WRONG


def _spelled(text: str) -> str | None:
    """`text` in lower case if it is spelled like a token. Only ASCII: a Kelvin sign is no K."""
    lower = text.lower()
    return lower if text.isascii() and _TOKEN.fullmatch(lower) else None


def _conversation(*parts: str) -> str:
    # NUL stands in none of the parts: two different tuples never give the same bytes.
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _mac(key: bytes, organisation: str, conversation: int, reference: Reference | None) -> int:
    message = organisation.encode() + b"\0" + conversation.to_bytes(8, "big")
    message += str(reference).encode() if reference is not None else b""
    return int.from_bytes(hmac.digest(key, message, "sha256")[:10], "big")
