"""Reads a mail with the standard library, which takes almost anything, with every access guarded.

Its policy is compat32: slower ones parse all headers and raise while they do (pitfalls: Parsing mail).
"""

import email
from collections.abc import Callable
from email.message import Message
from typing import Any, TypeVar

from services.ingest.parsing import addresses, headers
from services.ingest.parsing.headers import RawHeaders
from services.ingest.parsing.tree import Head, Part

_T = TypeVar("_T")

# What the library raises on hostile headers: unknown charsets, broken encodings, its own slips.
_SLIPS = (LookupError, ValueError, TypeError, AttributeError, AssertionError)


def read(raw: bytes, raw_headers: RawHeaders) -> tuple[Head, Part]:
    """The headers and the tree. Raises `RecursionError` for parts nested too deeply."""
    return head(raw_headers), _part(email.message_from_bytes(raw))


def head(raw_headers: RawHeaders) -> Head:
    """The headers alone: needs nothing of what stands below them."""
    decoded = {name: [headers.text(value) for value in values] for name, values in raw_headers.items()}

    def list_of(name: str) -> addresses.AddressList:
        return addresses.read(raw_headers.get(name, []))

    return Head(
        headers=decoded,
        subject=next(iter(decoded.get("subject", ())), "")[: headers.SUBJECT_LIMIT],
        date=headers.read_date(next(iter(decoded.get("date", ())), "")),
        sender=list_of("from"),
        reply_to=list_of("reply-to"),
        to=list_of("to"),
        cc=list_of("cc"),
    )


def _part(message: "Message[Any, Any]") -> Part:
    media_type = _guarded(message.get_content_type, "application/octet-stream")
    part = Part(
        media_type=media_type,
        charset=_guarded(message.get_content_charset, None),
        disposition=_guarded(message.get_content_disposition, None) or "",
        filename=headers.one_line(_guarded(lambda: str(message.get_filename("")), "")),
        content_id=_guarded(lambda: str(message.get("Content-ID", "")).strip().strip("<>"), "") or None,
    )
    if not message.is_multipart():
        part.content = _guarded(lambda: _bytes(message), b"")
    elif media_type.startswith("multipart/"):
        part.children = [_part(child) for child in message.get_payload() if isinstance(child, Message)]
    else:
        part.content = _guarded(lambda: _embedded(message), b"")
    return part


def _bytes(message: "Message[Any, Any]") -> bytes:
    content = message.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _embedded(message: "Message[Any, Any]") -> bytes:
    """An embedded message or a delivery report; its line ends may have changed."""
    children = message.get_payload()
    return b"\n".join(child.as_bytes() for child in children if isinstance(child, Message))


def _guarded(access: Callable[[], _T], otherwise: _T) -> _T:
    try:
        return access()
    except _SLIPS:
        return otherwise
