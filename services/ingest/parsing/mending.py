"""Mends the head of a mail that parsers would read amiss, or for too long. Nearly all need nothing."""

import re
from collections.abc import Iterator

from services.ingest.parsing.headers import HEADER_LIMIT

HEAD_LIMIT = 64 * 1024
"""Octets. Of a longer head each field keeps so many at most, and the whole `HEADER_LIMIT`."""
_CUT_AT_SPACE = 1000

# A byte order mark or blank lines, and then a field.
_BEFORE_THE_HEAD = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]{0,100}(?=[!-9;-~]{1,100}[ \t]*:)")
_BLANK_LINE = re.compile(rb"\n\r{0,2}\n|\r\r(?!\n)")
_LINE = rb"[^\r\n]*(?:\r?\n|\r|\Z)"
_FIELD = re.compile(rb"(?!\Z)" + _LINE + rb"(?:[ \t]" + _LINE + rb")*")


def mended(raw: bytes) -> tuple[bytes, list[str]]:
    """The mail as parsers are to read it, and sentences about what was mended."""
    defects = []
    if raw[:1] in (b"\xef", b"\r", b"\n") and (before := _BEFORE_THE_HEAD.match(raw)):
        raw = raw[before.end() :]
        defects.append("something stands before its first field")
    line = raw.find(b"\n", 0, HEAD_LIMIT)
    if line > 1 and raw[line - 2 : line] == b"\r\r":
        raw = raw.replace(b"\r\r\n", b"\r\n")
        defects.append("its lines end in CR CR LF")
    if _may_have_a_long_head(raw):
        blank = _BLANK_LINE.search(raw)
        head, body = (raw[: blank.start()], raw[blank.end() :]) if blank else (raw, b"")
        if len(head) > HEAD_LIMIT:
            raw = b"".join((*_cut(head), b"\r\n", body))
            defects.append(f"its head has {len(head)} bytes: not all of it was read")
    return raw, defects


def _may_have_a_long_head(raw: bytes) -> bool:
    return len(raw) > HEAD_LIMIT and all(raw.find(end, 0, HEAD_LIMIT) < 0 for end in (b"\r\n\r\n", b"\n\n"))


def _cut(head: bytes) -> Iterator[bytes]:
    """The fields of a head as far as the limits go, each with its line end."""
    room = HEADER_LIMIT
    for field in _FIELD.finditer(head):
        start, end = field.span()
        if end - start > HEAD_LIMIT:
            end = start + HEAD_LIMIT
            # Half an address would be another one.
            space = max(head.rfind(each, end - _CUT_AT_SPACE, end) for each in (b" ", b"\t", b"\n"))
            end = space if space > 0 else end
        room -= end - start
        if room < 0:
            return
        yield head[start:end].rstrip(b"\r\n") + b"\r\n"
