"""Links of approvers as they stand in mails, and what they say, whoever signed them."""

import base64
import re
import struct
from email.message import EmailMessage
from typing import NamedTuple
from uuid import UUID

_IN_TEXT = re.compile(r"https?://\S+/v1/approvals/[A-Za-z0-9_-]+")
_MAC = 16
_FIXED = struct.Struct(">B16sIB")
"""Key id, Action, round, level; behind them organisation and approver, 00 between them."""


class Link(NamedTuple):
    """Who is asked for what: one approver in one level of one round of one Action."""

    action: str
    round: int
    level: int
    approver: str


def link_in(mail: EmailMessage) -> str:
    """The first link in the text of a mail; empty for a mail that asks nothing."""
    body = mail.get_body(("plain",))
    found = _IN_TEXT.search(body.get_content()) if body else None
    return found[0] if found else ""


def read(link: str) -> Link:
    """What it says. Its signature is left to who has the key."""
    token = link.rpartition("/")[2]
    body = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[_MAC:]
    _, action, number, level = _FIXED.unpack_from(body)
    approver = body[_FIXED.size :].decode().partition("\0")[2]
    return Link(str(UUID(bytes=action)), number, level, approver)
