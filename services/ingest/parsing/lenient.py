"""Reads a mail with the standard library, which takes almost anything, with every access guarded.

Its policy is compat32: slower ones parse all headers and raise while they do (pitfalls: Parsing mail).
"""

import email
from collections.abc import Callable
from email.message import Message
from email.policy import Compat32
from typing import Any, TypeVar

from services.ingest.domain.mail import KEPT_HEADERS
from services.ingest.parsing import addresses, headers, transfer
from services.ingest.parsing.headers import RawHeaders
from services.ingest.parsing.tree import Head, Part

_T = TypeVar("_T")

# What the library raises on hostile headers: unknown charsets, broken encodings, its own slips.
_SLIPS = (LookupError, ValueError, TypeError, AttributeError, AssertionError)
_FIELD_LIMIT = 4 * 1024


class _Bounded(Compat32):
    """Compat32, but a field ends at a limit: its parameters take time by the square of their length."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_FIELD_LIMIT]


_POLICY = _Bounded()
# What anybody asks for: guessing the charset of a field takes a millisecond.
_DECODED = KEPT_HEADERS | {"message-id", "in-reply-to", "references", "subject", "date"}


def read(raw: bytes, raw_headers: RawHeaders) -> tuple[Head, Part]:
    """The headers and the tree. Raises `RecursionError` for parts nested too deeply."""
    return head(raw_headers), _part(email.message_from_bytes(raw, policy=_POLICY))


def head(raw_headers: RawHeaders) -> Head:
    """The headers alone: needs nothing of what stands below them."""
    decoded = {
        name: [headers.text(value) for value in values]
        for name, values in raw_headers.items()
        if name in _DECODED
    }

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
    if message.is_multipart() and media_type.startswith("multipart/"):
        part.children = [_part(child) for child in message.get_payload() if isinstance(child, Message)]
    else:
        part.content = _guarded(lambda: _content(message), b"")
    return part


def _content(message: "Message[Any, Any]") -> bytes:
    """The bytes of a part. Those of an embedded message or a report are written anew."""
    encoding = str(message.get("Content-Transfer-Encoding", ""))
    del message["Content-Transfer-Encoding"]  # the library's own decoding gives up where ours goes on
    content = message.get_payload(decode=True)
    if not isinstance(content, bytes):
        children = message.get_payload()
        content = b"\n".join(child.as_bytes() for child in children if isinstance(child, Message))
    return transfer.decode(content, encoding)


def _guarded(access: Callable[[], _T], otherwise: _T) -> _T:
    try:
        return access()
    except _SLIPS:
        return otherwise
