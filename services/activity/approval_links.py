"""Links by which approvers answer: signed, so that they say by themselves who is asked for what (A25).

A token is base64url without padding of these bytes:

    MAC       16 bytes   HMAC-SHA256(key of approvals, all that follows), its first 16 bytes
    key id     1 byte    which key of the keyring signed
    Action    16 bytes   its id
    round      4 bytes   big-endian
    level      1 byte
    names     the rest   organisation, 00, user: UTF-8

The key of approvals is HMAC-SHA256(key of the keyring, "mailroom approval"), so that no token of another kind
can be taken for one. A key that is retired voids the links that it has signed, as it does addresses (AMB-38).
"""

import base64
import binascii
import hashlib
import hmac
import re
import struct
from dataclasses import dataclass
from uuid import UUID

from shared.keyring import Keyring

_MAC = 16
_FIXED = struct.Struct(">B16sIB")
# Gateways put links into their own, with slashes that are encoded. Where whoever quotes a mail has broken the
# line, in or before the token, what looks like a token goes on behind the marks of the quotation.
_BROKEN = r"=?\s*\n[\s>|]*[A-Za-z0-9_-]{20,}"
_IN_TEXT = re.compile(
    rf"((?:/|%2F)v1(?:/|%2F)approvals(?:/|%2F))(?:[A-Za-z0-9_-]+(?:{_BROKEN})?|{_BROKEN})", re.IGNORECASE
)
_LONGEST = 512
"""Characters of a token: names have 63 at most."""


@dataclass(frozen=True, slots=True)
class ApprovalLink:
    """Who is asked for what: one user in one level of one round of one Action."""

    organisation: str
    action: UUID
    round: int
    level: int
    approver: str


@dataclass(frozen=True, slots=True)
class ApprovalLinks:
    """Makes links that begin with the public URL of activity, and reads what comes back."""

    keyring: Keyring
    public_url: str

    def url(self, link: ApprovalLink) -> str:
        """Where the approver finds what he is asked."""
        return f"{self.public_url.rstrip('/')}/v1/approvals/{self.token(link)}"

    def token(self, link: ApprovalLink) -> str:
        """The signed part of it."""
        signs = self.keyring.signs
        names = f"{link.organisation}\0{link.approver}".encode()
        body = _FIXED.pack(signs, link.action.bytes, link.round, link.level) + names
        signed = _mac(self.keyring.keys[signs], body) + body
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()

    def read(self, token: str) -> ApprovalLink | None:
        """What a token says; None for one that was not made here, or by a key that is retired."""
        if len(token) > _LONGEST or not token.isascii():
            return None
        try:
            signed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        mac, body = signed[:_MAC], signed[_MAC:]
        key = self.keyring.keys.get(body[0]) if len(body) > _FIXED.size else None
        if key is None or not hmac.compare_digest(mac, _mac(key, body)):
            return None
        _, action, number, level = _FIXED.unpack_from(body)
        organisation, _, approver = body[_FIXED.size :].decode().partition("\0")
        return ApprovalLink(organisation, UUID(bytes=action), number, level, approver)


def without_link(text: str) -> str:
    """A text, or HTML, without what a link needs to lead anywhere."""
    return _IN_TEXT.sub(r"\1…", text)


def _mac(key: bytes, body: bytes) -> bytes:
    own = hmac.digest(key, b"mailroom approval", hashlib.sha256)
    return hmac.digest(own, body, hashlib.sha256)[:_MAC]
