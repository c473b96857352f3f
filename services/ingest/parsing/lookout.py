"""A cheap look at the bytes: which mails are not parsed together with others (design §3, pitfalls)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Caution(StrEnum):
    """How a mail is to be parsed."""

    NONE = "none"  # with its page, Rust first
    ALONE = "alone"  # alone and with limits, Rust first: it is only large
    LENIENT = "lenient"  # alone and with limits, never by Rust: it may kill that parser


@dataclass(frozen=True, slots=True)
class Mark:
    """Something suspicious that can be counted in raw bytes."""

    name: str
    count: Callable[[bytes], int]
    limit: int
    caution: Caution


def _delimiters(raw: bytes) -> int:
    """Lines that may be MIME delimiters: each level of nested multiparts needs one."""
    return raw.count(b"\n--") + raw.count(b"\r--")


def _embedded(raw: bytes) -> int:
    """Embedded messages nest without delimiters."""
    return raw.lower().count(b"message/")


def _encoded_words(raw: bytes) -> int:
    """Marks of encoded words: the Rust parser needs time by the square of their number in a field."""
    return raw.count(b"=?")


def _longest_line(raw: bytes) -> int:
    """The length of the first line that is too long, or 0: what is shorter is not measured."""
    begin = 0
    while begin + LINE_LIMIT < len(raw):
        end = raw.rfind(b"\n", begin, begin + LINE_LIMIT + 1)
        if end < 0:
            return LINE_LIMIT + 1
        begin = end + 1
    return 0


LINE_LIMIT = 512 * 1024
# `limit` is the largest count that is still harmless. The Rust parser refuses 257 levels and dies of 100 000.
MARKS = (
    Mark("delimiter lines", _delimiters, 200, Caution.LENIENT),
    Mark("embedded messages", _embedded, 50, Caution.LENIENT),
    Mark("encoded words", _encoded_words, 2000, Caution.LENIENT),
    Mark("bytes in a line", _longest_line, LINE_LIMIT, Caution.ALONE),
    Mark("tags", lambda raw: raw.count(b"<"), 100_000, Caution.ALONE),
    Mark("bytes", len, 8 * 1024 * 1024, Caution.ALONE),
)


def look(raw: bytes) -> Caution:
    """The first mark that a mail goes beyond says how it is parsed."""
    return next((mark.caution for mark in MARKS if mark.count(raw) > mark.limit), Caution.NONE)
