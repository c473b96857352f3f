"""Reads a mail with the Rust parser: fast, and it raises on what it will not read (design §3)."""

import re
from collections.abc import Callable
from datetime import datetime

from fast_mail_parser import PyAddress, PyMailMetadata, PyMimePart, parse_email, parse_email_tree

from services.ingest.parsing import addresses
from services.ingest.parsing.addresses import AddressList
from services.ingest.parsing.headers import SUBJECT_LIMIT, RawHeaders, one_line, plausible, read_date, text
from services.ingest.parsing.tree import Head, Part

_LOST = "\ufffd"
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s\"';]+)", re.IGNORECASE)


def read(raw: bytes, raw_headers: Callable[[], RawHeaders]) -> tuple[Head, Part]:
    """The headers and the tree. Raises `fast_mail_parser.ParseError`, and what else comes out of it.

    `raw_headers` is asked only for what the parser does not read well: one bad recipient makes it give up
    the whole list, and a character cut in two by encoded words is lost.
    """
    mail = parse_email(raw, mode="metadata")
    return _head(mail, raw_headers), _part(parse_email_tree(raw))


def _head(mail: PyMailMetadata, raw_headers: Callable[[], RawHeaders]) -> Head:
    headers: dict[str, list[str]] = {}
    for name, values in mail.headers.items():
        headers.setdefault(name.lower(), []).extend(values)
    subject = mail.subject
    if _LOST in subject:
        subject = " ".join(text(value) for value in raw_headers().get("subject", [])[:1])
    return Head(
        headers=headers,
        subject=one_line(subject)[:SUBJECT_LIMIT],
        date=_date(mail),
        sender=_addresses("from", [mail.from_] if mail.from_ else [], headers, raw_headers),
        reply_to=_addresses("reply-to", mail.reply_to, headers, raw_headers),
        to=_addresses("to", mail.to, headers, raw_headers),
        cc=_addresses("cc", mail.cc, headers, raw_headers),
    )


def _date(mail: PyMailMetadata) -> datetime | None:
    try:
        date = mail.date_parsed
    except ValueError:  # a year that no datetime holds
        return None
    return read_date(mail.date) if date is None else plausible(date)


def _addresses(
    name: str, found: list[PyAddress], headers: dict[str, list[str]], raw_headers: Callable[[], RawHeaders]
) -> AddressList:
    written = headers.get(name, [])
    if not written:
        return AddressList()
    if len(written) == 1 and (found or "@" not in written[0]) and _LOST not in written[0]:
        read = addresses.from_pairs((one.display_name or "", one.address) for one in found)
        if read is not None:
            return read
    return addresses.read(raw_headers().get(name, []))


def _part(node: PyMimePart) -> Part:
    content_type = next(
        (values[0] for name, values in node.headers.items() if name.lower() == "content-type"), ""
    )
    charset = _CHARSET.search(content_type)
    return Part(
        media_type=node.content_type,
        charset=charset[1] if charset else None,
        disposition=(node.disposition or "").strip().lower(),
        filename=node.filename,
        content_id=node.content_id,
        content=node.content or b"",
        children=[] if node.is_message else [_part(child) for child in node.children],
    )
