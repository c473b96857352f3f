"""Reads a mail with the Rust parser: fast, and it raises on what it will not read (design §3)."""

import re
from collections.abc import Callable
from datetime import datetime

from fast_mail_parser import PyAddress, PyMailMetadata, PyMimePart, parse_email, parse_email_tree

from services.ingest.parsing import addresses
from services.ingest.parsing.addresses import AddressList
from services.ingest.parsing.headers import SUBJECT_LIMIT, RawHeaders, one_line, plausible, read_date, text
from services.ingest.parsing.transfer import ORDINARY
from services.ingest.parsing.tree import Head, Part

# A character that was cut in two, bytes taken for Latin-1, an encoded word that was left as it is.
_MISREAD = re.compile("[\ufffd\x80-\x9f]|=\\?")
# Words in a charset with states (RFC 1468) mean something else when they are read one by one.
_STATES = b"2022-"
_STATES_BEFORE = 8 * 1024
_EXPECTED = {"from", "to", "message-id"}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s\"';]+)", re.IGNORECASE)


class Misread(Exception):
    """The parser has read this mail, but not as its sender meant it."""


def read(raw: bytes, raw_headers: Callable[[], RawHeaders]) -> tuple[Head, Part]:
    """The headers and the tree. Raises `Misread`, `fast_mail_parser.ParseError`, and what else comes out.

    `raw_headers` is asked only for what the parser does not read well: one bad recipient makes it give up
    the whole list, and a character cut in two by encoded words is lost.
    """
    mail = parse_email(raw, mode="metadata")
    states = raw.find(_STATES, 0, _STATES_BEFORE) >= 0
    return _head(mail, raw_headers, states), _part(parse_email_tree(raw))


def _head(mail: PyMailMetadata, raw_headers: Callable[[], RawHeaders], states: bool) -> Head:
    headers: dict[str, list[str]] = {}
    for name, values in mail.headers.items():
        headers.setdefault(name.rstrip().lower(), []).extend(values)
    if (missing := _EXPECTED - headers.keys()) and raw_headers().keys() & missing:
        raise Misread("a line that is no field ended the head too early")
    subject = mail.subject
    if states or _MISREAD.search(subject):
        subject = " ".join(text(value) for value in raw_headers().get("subject", [])[:1])

    def list_of(name: str, found: list[PyAddress]) -> AddressList:
        written = headers.get(name, [])
        if not written:
            return AddressList()
        if not states and len(written) == 1 and (found or "@" not in written[0]):
            read = None if _MISREAD.search(written[0]) else _pairs(found)
            if read is not None:
                return read
        return addresses.read(raw_headers().get(name, []))

    return Head(
        headers=headers,
        subject=one_line(subject)[:SUBJECT_LIMIT],
        date=_date(mail),
        sender=list_of("from", [mail.from_] if mail.from_ else []),
        reply_to=list_of("reply-to", mail.reply_to),
        to=list_of("to", mail.to),
        cc=list_of("cc", mail.cc),
    )


def _pairs(found: list[PyAddress]) -> AddressList | None:
    return addresses.from_pairs((one.display_name or "", one.address) for one in found)


def _date(mail: PyMailMetadata) -> datetime | None:
    try:
        date = mail.date_parsed
    except ValueError:  # a year that no datetime holds
        return None
    return read_date(mail.date) if date is None else plausible(date)


def _part(node: PyMimePart) -> Part:
    content_type = encoding = ""
    for name, values in node.headers.items():
        match name.lower():
            case "content-type":
                content_type = content_type or values[0]
            case "content-transfer-encoding":
                encoding = encoding or values[0]
    if encoding.lower() not in ORDINARY:
        raise Misread(f"an encoding spelled {encoding[:40]!r}")
    if not node.children and node.content_type.startswith("multipart/"):
        raise Misread("a multipart without parts")
    charset = _CHARSET.search(content_type)
    return Part(
        # What is no type at all means text (RFC 2045 5.2).
        media_type=node.content_type if "/" in node.content_type else "text/plain",
        charset=charset[1] if charset else None,
        disposition=(node.disposition or "").strip().lower(),
        filename=node.filename,
        content_id=node.content_id,
        content=node.content or b"",
        children=[] if node.is_message else [_part(child) for child in node.children],
    )
