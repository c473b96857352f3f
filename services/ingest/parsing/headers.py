"""Reads headers from raw bytes without any parser: whatever is broken behind them, these stay legible."""

import email.errors
import email.header
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from services.ingest.domain.mail import KEPT_HEADERS
from services.ingest.parsing.charsets import decode, storable

HEADER_LIMIT = 256 * 1024
"""Bytes of headers that are looked at; nobody's real headers are longer."""
MESSAGE_ID_LIMIT = 998
"""Octets (RFC 5322 2.1.1). A longer one counts as none, so that an index can always hold it."""
SUBJECT_LIMIT = 2000
_VALUE_LIMIT = 1000
_REFERENCES_LIMIT = 100
_FIELDS_LIMIT = 50
_WORDS_LIMIT = 16 * 1024  # the library's regular expression takes quadratic time on hostile ones
_PLAUSIBLE = range(1970, 2201)

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_NAME = re.compile(rb"([\x21-\x39\x3b-\x7e]{1,100})[ \t]*:")
_IN_ANGLES = re.compile(r"<([^<>]+)>")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f]+")

RawHeaders = dict[str, list[bytes]]
"""Lower-case names to unfolded, undecoded values, in the mail's order."""


def split(raw: bytes) -> tuple[bytes, bytes]:
    """The header block and the body. Without a blank line all is header, as far as the limit goes."""
    if raw[:1] in (b"\r", b"\n"):
        return b"", raw
    end = _END.search(raw, 0, HEADER_LIMIT)
    if end is None:
        return raw[:HEADER_LIMIT], raw[HEADER_LIMIT:]
    return raw[: end.start()], raw[end.end() :]


def scan(block: bytes) -> RawHeaders:
    """The header fields of a block; lines that are none are passed over, and so is the 51st of a name."""
    found: dict[str, list[list[bytes]]] = {}
    current: list[bytes] = []
    for line in _LINE_END.split(block):
        if line[:1] in (b" ", b"\t"):
            current.append(line.strip())
            continue
        current = []
        match = _NAME.match(line)
        if match is not None:
            values = found.setdefault(match[1].decode("ascii").lower(), [])
            if len(values) < _FIELDS_LIMIT:
                current.append(line[match.end() :].strip())
                values.append(current)
    return {name: [b" ".join(pieces) for pieces in values] for name, values in found.items()}


def text(value: bytes) -> str:
    """A header's value as text: encoded words (RFC 2047) and stray 8-bit bytes decoded, spaces collapsed."""
    plain, _ = decode(value, None)
    if "=?" in plain:
        plain = _decoded_words(plain[:_WORDS_LIMIT])
    return one_line(plain)


def one_line(value: str) -> str:
    """Storable text without control characters and line breaks."""
    return _SPACE.sub(" ", storable(value)).strip()


def message_ids(value: str) -> tuple[str, ...]:
    """The Message-IDs in a header, without angle brackets, each once.

    Long lists keep the first, which is the root, and the last ones (RFC 5322 3.6.4 sets no limit).
    """
    found = _IN_ANGLES.findall(value) or [word.strip("<>") for word in value.split() if "@" in word]
    unique = dict.fromkeys(_SPACE.sub("", storable(one)) for one in found)
    ids = [one for one in unique if one and len(one.encode()) <= MESSAGE_ID_LIMIT]
    if len(ids) > _REFERENCES_LIMIT:
        ids = [ids[0], *ids[-(_REFERENCES_LIMIT - 1) :]]
    return tuple(ids)


def own_message_id(value: str) -> str | None:
    """The mail's Message-ID. One without `@` or brackets is broken, but still tells copies apart."""
    found = _IN_ANGLES.findall(value) or value.split()[:1]
    one = _SPACE.sub("", storable(found[0])).strip("<>") if found else ""
    return one if one and len(one.encode()) <= MESSAGE_ID_LIMIT else None


def read_date(value: str) -> datetime | None:
    """The Date header in UTC; None for what is no date, or none that a mail can have."""
    try:
        read = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return plausible(read if read.tzinfo else read.replace(tzinfo=UTC))


def plausible(date: datetime) -> datetime | None:
    """The date in UTC if a mail can have been written then."""
    try:
        utc = date.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return utc if utc.year in _PLAUSIBLE else None


def kept(headers: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """What the rules may read of the headers (`KEPT_HEADERS`), given lower-case names."""
    return {
        name: tuple(one_line(value)[:_VALUE_LIMIT] for value in values)
        for name, values in headers.items()
        if name in KEPT_HEADERS
    }


def _decoded_words(plain: str) -> str:
    try:
        chunks = email.header.decode_header(plain)
    except (email.errors.HeaderParseError, ValueError):
        return plain
    return "".join(_chunk(chunk, charset) for chunk, charset in chunks)


def _chunk(chunk: bytes | str, charset: str | None) -> str:
    if isinstance(chunk, str):
        return chunk
    if charset is not None:
        return decode(chunk, charset)[0]
    # The library hands the text between encoded words back in this disguise.
    try:
        return chunk.decode("raw-unicode-escape")
    except UnicodeDecodeError:
        return chunk.decode("latin-1")
