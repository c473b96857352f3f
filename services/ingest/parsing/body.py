"""Chooses what a mail says, and what are its files, from its tree."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from services.ingest.domain.mail import Attachment
from services.ingest.parsing import html
from services.ingest.parsing.charsets import decode, storable
from services.ingest.parsing.headers import one_line
from services.ingest.parsing.tree import Part
from shared.file_names import media_type, safe_name, unique_name

ATTACHMENT_LIMIT = 500
"""Files of one mail; the raw mail keeps the others."""
_CONTENT_ID_LIMIT = 500
_BODY_TYPES = ("text/plain", "text/html")
_META_CHARSET = re.compile(rb"<meta[^<>]{0,200}charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_CID = re.compile(r'src="cid:([^"]{1,500})"', re.IGNORECASE)


@dataclass(slots=True)
class Section:
    """One piece of the body; where both are given, they say the same."""

    plain: Part | None = None
    html: Part | None = None


@dataclass(slots=True)
class Body:
    """What a mail says: plain text, sanitised HTML (empty if it has none), files, and what was mended."""

    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    defects: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Found:
    sections: list[Section] = field(default_factory=list)
    files: list[Part] = field(default_factory=list)


def read_body(tree: Part, *, pages: bool = True) -> Body:
    """The body of a mail. Everything that is not shown as text is an attachment, so nothing is lost.

    Without `pages`, HTML is kept as text only: no sanitiser sees it.
    """
    found = _Found()
    _collect(tree, found)
    body = Body()
    read = [_read_section(section, body.defects, pages) for section in found.sections]
    body.text = "\n\n".join(text for text, _ in read if text)
    if any(page for _, page in read):
        # Where one piece has HTML, the others become HTML too: a reader sees the whole mail either way.
        body.html = "".join(page or html.from_text(text) for text, page in read)
    body.attachments = tuple(_attachments(found.files, body))
    return body


def _collect(part: Part, found: _Found) -> None:
    if part.media_type == "multipart/alternative":
        _choose(part, found)
    elif part.media_type.startswith("multipart/"):
        for child in part.children:
            _collect(child, found)
        if part.content.strip():  # it has no parts, but somebody wrote something
            found.sections.append(Section(plain=part))
    elif _is_body(part, found):
        found.sections.append(Section(html=part) if part.media_type == "text/html" else Section(plain=part))
    else:
        found.files.append(part)


def _is_body(part: Part, found: _Found) -> bool:
    """Text without a name; text with one only if the mail has said nothing before it."""
    if part.media_type not in _BODY_TYPES or part.disposition == "attachment":
        return False
    return not part.filename or not found.sections


def _choose(part: Part, found: _Found) -> None:
    """Of alternatives the plain text and the HTML are one section; calendars and pictures stay files."""
    section = Section(plain=part if part.content.strip() else None)
    for child in part.children:
        inner = _Found()
        _collect(child, inner)
        for one in inner.sections:
            section.plain = section.plain or one.plain
            section.html = one.html or section.html
        found.files.extend(inner.files)
    if section.plain or section.html:
        found.sections.append(section)


def _read_section(section: Section, defects: list[str], pages: bool) -> tuple[str, str]:
    page = _read_html(section.html, defects, pages) if section.html else ("", "")
    text = _read_text(section.plain, defects) if section.plain else ""
    return text if text.strip() else page[0], page[1]


def _read_text(part: Part, defects: list[str]) -> str:
    text, defect = decode(part.content, part.charset)
    if defect:
        defects.append(defect)
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip()


def _read_html(part: Part, defects: list[str], pages: bool) -> tuple[str, str]:
    """(text, sanitised HTML)"""
    charset = part.charset
    if charset is None and (meta := _META_CHARSET.search(part.content, 0, 4096)):
        charset = meta[1].decode("ascii")
    written, defect = decode(part.content, charset)
    if defect:
        defects.append(defect)
    if not pages or html.too_complex(written):
        defects.append("the HTML is too complex to be shown: kept as text")
        if len(written) > html.TEXT_LIMIT:
            defects.append(f"of {len(written)} characters of HTML the first {html.TEXT_LIMIT} are kept")
        return html.strip(written[: html.TEXT_LIMIT]), ""
    clean = html.sanitise(written)
    return html.to_text(clean), clean


def _attachments(files: list[Part], body: Body) -> Iterable[Attachment]:
    if len(files) > ATTACHMENT_LIMIT:
        body.defects.append(f"{len(files)} attachments: only the first {ATTACHMENT_LIMIT} are kept apart")
    shown = {unquote(one) for one in _CID.findall(body.html)}
    taken: set[str] = set()
    for position, part in enumerate(files[:ATTACHMENT_LIMIT], start=1):
        kind = media_type(part.media_type)
        content_id = one_line(part.content_id or "").strip("<>")[:_CONTENT_ID_LIMIT] or None
        yield Attachment(
            name=unique_name(safe_name(storable(part.filename), kind, f"attachment-{position}"), taken),
            media_type=kind,
            content=part.content,
            sha256=hashlib.sha256(part.content).hexdigest(),
            content_id=content_id,
            inline=content_id in shown,
        )
